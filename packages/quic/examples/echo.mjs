// An echo server and its client, over a stream. Run it: node echo.mjs
import { connect, listen, makeSelfSigned } from 'weir-quic';

/** @import { Address } from 'weir-quic' */

// A certificate that vouches for itself. The client trusts its key by the pin, and needs no authority.
const { certPem, keyPem, pin } = await makeSelfSigned({ names: ['localhost'], days: 1 });

const server = await listen(
  (session) => {
    session.onstream = async (stream) => {
      // A pipe holds back: when the client reads slowly, so does this.
      await stream.readable?.pipeTo(/** @type {WritableStream} */ (stream.writable));
    };
  },
  // Port 0 is any free one. QUIC wants an application protocol's name (ALPN) on both sides.
  { address: '127.0.0.1:0', alpn: 'echo', identity: { cert: certPem, key: keyPem } },
);

const session = await connect(/** @type {Address} */ (server.address), {
  alpn: 'echo',
  verifyPeer: { pin },
});
// `body` sends all of it and ends the stream.
const stream = await session.createBidirectionalStream({ body: 'hello, stream' });
const text = new TextDecoder();
for await (const chunks of stream) for (const chunk of chunks) console.log(text.decode(chunk, { stream: true }));

await session.close();
await server.close();
