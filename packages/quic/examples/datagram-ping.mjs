// Round trips by unreliable datagrams (RFC 9221), which are never sent again. Run it: node datagram-ping.mjs
import { connect, listen, makeSelfSigned } from 'weir-quic';

/** @import { Address } from 'weir-quic' */

const COUNT = 10;
/** Milliseconds after which a ping counts as lost. */
const PATIENCE = 1000;

const { certPem, keyPem, pin } = await makeSelfSigned({ names: ['localhost'], days: 1 });
// Nobody gets datagrams who has not said that it takes them, and how large they may be.
const transportParams = { maxDatagramFrameSize: 1200 };

const server = await listen(
  (session) => {
    session.ondatagram = (bytes) => void session.sendDatagram(bytes);
  },
  { address: '127.0.0.1:0', alpn: 'ping', identity: { cert: certPem, key: keyPem }, transportParams },
);
const session = await connect(/** @type {Address} */ (server.address), {
  alpn: 'ping',
  verifyPeer: { pin },
  transportParams,
});

/** Sends one, and resolves to its round trip in milliseconds, or to undefined when it was lost. */
function ping(/** @type {number} */ number) {
  return new Promise((/** @type {(milliseconds?: number) => void} */ resolve) => {
    // The session's own clock and timers: in the simulator they are virtual.
    const sentAt = session.now();
    const timer = session.setTimer(sentAt + PATIENCE, () => resolve());
    session.ondatagram = ([answered]) => {
      if (answered !== number) return; // late: the answer to an earlier one
      timer.cancel();
      resolve(session.now() - sentAt);
    };
    void session.sendDatagram(Uint8Array.of(number));
  });
}

let lost = 0;
for (let number = 1; number <= COUNT; number++) {
  const milliseconds = await ping(number);
  if (milliseconds === undefined) lost++;
  else console.log(`ping ${number}: ${milliseconds.toFixed(2)} ms`);
}
console.log(`${COUNT} sent, ${COUNT - lost} answered`);

await session.close();
await server.close();
