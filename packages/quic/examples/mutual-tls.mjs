// Both sides show a certificate, and each knows the other's key by its pin. Run it: node mutual-tls.mjs
import { connect, listen, makeSelfSigned, QuicError, spkiPin } from 'weir-quic';

/** @import { Address } from 'weir-quic' */

const serverKeys = await makeSelfSigned({ names: ['localhost'], days: 1 });
const alice = await makeSelfSigned({ names: [], days: 1 });
const mallory = await makeSelfSigned({ names: [], days: 1 });
const names = new Map([[Buffer.from(alice.pin).toString('hex'), 'alice']]);

const server = await listen(
  async (session) => {
    // Who came this far has shown a key that is known: which one is for the application to say.
    const [leaf] = (await session.opened).peerCertificates;
    const who = leaf && names.get(Buffer.from(spkiPin(leaf)).toString('hex'));
    await session.createUnidirectionalStream({ body: `hello, ${who}` });
  },
  {
    address: '127.0.0.1:0',
    alpn: 'greeting',
    identity: { cert: serverKeys.certPem, key: serverKeys.keyPem },
    clientAuth: 'require',
    // In place of pins: `{ ca }`, or a function `(certificates) => ({ ok: true })` of your own, which may wait.
    verifyPeer: { pins: [alice.pin] },
    onhandshakeerror: (error) => console.log(`server: ${error.message}`),
  },
);
const address = /** @type {Address} */ (server.address);

/**
 * @param {{ certPem: string, keyPem: string }} keys
 * @param {Uint8Array} pin
 */
async function greet(keys, pin) {
  const session = await connect(address, {
    alpn: 'greeting',
    identity: { cert: keys.certPem, key: keys.keyPem },
    verifyPeer: { pin },
  });
  /** @type {Promise<string>} */
  const greeting = new Promise((resolve, reject) => {
    session.onstream = async (stream) => {
      let text = '';
      for await (const chunks of stream) text += Buffer.concat(chunks).toString();
      resolve(text);
    };
    // A client has finished its handshake before the server has judged it (TLS 1.3): the refusal comes as the session's end.
    session.closed.catch(reject);
  });
  console.log(await greeting);
  await session.close();
}

await greet(alice, serverKeys.pin);
for (const [who, keys, pin] of /** @type {const} */ ([
  ['a client that the server does not know', mallory, serverKeys.pin],
  ['a server that the client does not know', alice, mallory.pin],
])) {
  await greet(keys, pin).catch((error) => {
    if (!(error instanceof QuicError)) throw error;
    console.log(`${who}: ${error.code}`);
  });
}
await server.close();
