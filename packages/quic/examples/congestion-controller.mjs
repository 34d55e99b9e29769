// A congestion controller of one's own, beside CUBIC on a path that loses packets for no reason. Run it: node congestion-controller.mjs
// It measures in the simulator: the same numbers on every machine, and no time passes.
import { connect, listen, makeSelfSigned } from 'weir-quic';
import { simulate } from 'weir-quic/sim';

/** @import { CongestionController, ConnectOptions } from 'weir-quic' */

const BYTES = 2 << 20;

/**
 * Keeps twice the path's capacity under way, whatever is lost. Good for nothing but to show the seam: it is unfair to everybody
 * else on the path. What each hook means, and in which units, is said at `CongestionController`.
 * @implements {CongestionController}
 */
class Stubborn {
  name = 'stubborn';
  /** Bytes that may be under way: 2 times 20 Mbit/s times 40 ms. */
  window = 2 * 2500 * 40;
  /** Bytes a millisecond; 0 would leave it to window and round trip. 2,500 is 20 Mbit/s. */
  pacingRate = 2500;
  slowStartThreshold = Number.POSITIVE_INFINITY;
  phase = /** @type {const} */ ('congestion_avoidance');
  onPacketSent() {}
  onAcked() {}
  onCongestionEvent() {}
  onPersistentCongestion() {}
  onMaxDatagramSize() {}
}

/** @param {ConnectOptions['cc']} cc */
async function upload(cc) {
  // Ed25519 signs the same bytes alike every time, so a run can be replayed to the last bit.
  const { certPem, keyPem, pin } = await makeSelfSigned({ names: [], days: 3650, keyType: 'Ed25519' });
  const settings = { seed: 1, path: () => ({ rate: 2500, delay: 20, queue: 200, loss: 0.01 }) };
  return simulate(settings, async (world) => {
    /** @type {Promise<number>} */
    const arrived = new Promise((resolve) => {
      void listen(
        (session) => {
          session.onstream = async (stream) => {
            while (await stream.wait()) stream.readSync();
            resolve(world.now);
          };
        },
        {
          alpn: 'upload',
          identity: { cert: certPem, key: keyPem },
          endpoint: { address: '192.0.2.1:443', host: world.host('192.0.2.1') },
        },
      );
    });
    const session = await connect('192.0.2.1:443', {
      alpn: 'upload',
      verifyPeer: { pin },
      ...(cc !== undefined && { cc }),
      endpoint: { host: world.host('192.0.2.2') },
    });
    const startedAt = world.now;
    await session.createUnidirectionalStream({ body: new Uint8Array(BYTES) });
    const milliseconds = (await arrived) - startedAt;
    const { packetsLost } = session.stats;
    return { megabits: (BYTES * 8) / milliseconds / 1000, packetsLost };
  });
}

for (const [name, cc] of /** @type {const} */ ([
  ['cubic', 'cubic'],
  ['stubborn', () => new Stubborn()],
])) {
  const { megabits, packetsLost } = await upload(cc);
  console.log(`${name}: ${megabits.toFixed(1)} of 20 Mbit/s, ${packetsLost} packets lost`);
}
