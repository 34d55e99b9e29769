// A program's test in virtual time: client and server over a path with loss, an outage and a NAT. Run it: node simulation.mjs
// A minute of virtual time takes a moment; a seed replays a run exactly.
import assert from 'node:assert/strict';
import { connect, listen, makeSelfSigned } from 'weir-quic';
import { simulate } from 'weir-quic/sim';

/** @import { World } from 'weir-quic/sim' */

const SERVER = '192.0.2.1';
const CLIENT = '192.0.2.2';
const { certPem, keyPem, pin } = await makeSelfSigned({ names: [], days: 3650, keyType: 'Ed25519' });

// 10 Mbit/s (1,250 bytes a millisecond), 30 ms each way, 2% loss, and nothing at all between second 3 and second 5.
const path = () => ({ rate: 1250, delay: 30, queue: 100, loss: 0.02, outages: /** @type {const} */ ([[3000, 5000]]) });

/** What is to be tested: it takes where it runs from outside, here the world's hosts. */
async function scenario(/** @type {World} */ world) {
  let received = 0;
  const listening = await listen(
    (session) => {
      session.onstream = async (stream) => {
        for await (const chunks of stream) for (const chunk of chunks) received += chunk.length;
        await stream.writer.end();
      };
    },
    {
      alpn: 'test',
      identity: { cert: certPem, key: keyPem },
      endpoint: { address: `${SERVER}:443`, host: world.host(SERVER) },
    },
  );
  const session = await connect(`${SERVER}:443`, {
    alpn: 'test',
    verifyPeer: { pin },
    endpoint: { host: world.host(CLIENT) },
  });
  const stream = await session.createBidirectionalStream({ body: new Uint8Array(2 << 20) });

  // The client's NAT forgets it and gives it another address: the connection moves along (RFC 9000 §9).
  await world.sleep(1000);
  const socket = world.network.socketOf(CLIENT);
  assert.ok(socket);
  world.network.rebind(socket, '198.51.100.7', 6000);

  await stream.wait(); // the server's FIN: it has read everything
  assert.equal(received, 2 << 20);
  const { packetsLost } = session.stats;
  const seconds = (world.now / 1000).toFixed(3);
  await session.close();
  await listening.close();
  return `${received} bytes in ${seconds} s of virtual time, ${packetsLost} packets lost`;
}

const first = await simulate({ seed: 7, path }, scenario);
console.log(first);
// Hangs end, too: when nothing is left to happen, or after `limit` milliseconds of virtual time, `simulate` rejects.
assert.equal(await simulate({ seed: 7, path }, scenario), first);
console.log('and once more, the same to the last packet');
