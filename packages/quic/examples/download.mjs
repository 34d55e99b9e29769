// A download that shows its progress, and another one that is given up half-way. Run it: node download.mjs
import { connect, listen, makeSelfSigned, QuicError } from 'weir-quic';

/** @import { Address } from 'weir-quic' */

const MIB = 1 << 20;
/** What a client says when it has lost interest. Application error codes are the application's own. */
const CANCELLED = 0x10;

const { certPem, keyPem, pin } = await makeSelfSigned({ names: ['localhost'], days: 1 });

/** The content: made up, a piece at a time, so that no more is in memory than the stream wants. */
function* content(/** @type {number} */ bytes) {
  const piece = new Uint8Array(64 << 10).fill(7);
  for (let left = bytes; left > 0; left -= piece.length) yield piece.subarray(0, Math.min(left, piece.length));
}

const server = await listen(
  (session) => {
    session.onstream = async (stream) => {
      let request = '';
      for await (const chunks of stream) request += Buffer.concat(chunks).toString();
      try {
        await stream.setBody(content(Number(request)));
      } catch (error) {
        if (!(error instanceof QuicError) || error.code !== 'ERR_QUIC_STREAM_STOPPED') throw error;
        console.log(`server: the client stopped reading, with code ${error.errorCode}`);
      }
    };
  },
  { address: '127.0.0.1:0', alpn: 'download', identity: { cert: certPem, key: keyPem } },
);
const session = await connect(/** @type {Address} */ (server.address), {
  alpn: 'download',
  verifyPeer: { pin },
});

/**
 * Downloads so many bytes, and calls back with how many have come.
 * @param {number} bytes
 * @param {(received: number) => void} onprogress
 * @param {AbortSignal} [signal]
 */
async function download(bytes, onprogress, signal) {
  const stream = await session.createBidirectionalStream({ body: String(bytes) });
  let received = 0;
  try {
    // `wait` is true as long as there is something to read, and false once all has been.
    while (await stream.wait(signal)) {
      received += stream.readSync()?.length ?? 0;
      onprogress(received);
    }
  } catch (error) {
    // STOP_SENDING: the server need not send the rest, and nothing of it takes up the connection.
    stream.stopSending(CANCELLED);
    throw error;
  }
  return received;
}

let shown = 0;
const whole = await download(8 * MIB, (received) => {
  for (; shown + 2 * MIB <= received; shown += 2 * MIB) console.log(`${(shown + 2 * MIB) / MIB} of 8 MiB`);
});
console.log(`whole: ${whole} bytes`);

const abort = new AbortController();
await download(
  1024 * MIB,
  (received) => {
    if (received >= MIB) abort.abort(new Error('enough'));
  },
  abort.signal,
).catch((error) => console.log(`given up: ${error.message}`));
console.log(`and the session goes on: ${await download(MIB, () => {})} bytes`);

await session.close();
await server.close();
