import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withPair } from '../../src/sim/pair.ts';
import { nullCryptoEngine } from '../support/null-engine.ts';

// Paths that lose nothing and hold packets up, so that others pass them: RFC 9002 §6.1, in virtual time.

/** Bytes a millisecond of 10 Mbit/s, and IP and UDP headers of a full datagram. */
const RATE = 1250;
const ON_LINK = 1200 + 28;
const DURATION = 1500;

interface Held {
  /** Which part of the packets is held up, and by up to how many milliseconds. */
  readonly reorder: number;
  readonly reorderDelay: number;
}

interface Outcome {
  /** Which part of the link's rate arrived. */
  readonly share: number;
  /** Which part of what was sent was taken for lost although it arrived. */
  readonly mistaken: number;
}

/** Floods a path whose queue holds as much as itself, or 200 packets. Looks at it for a while, once the path has been learned. */
function flooded(cc: 'reno' | 'cubic' | 'bbr', rtt: number, held: Held, seed: number): Promise<Outcome> {
  const queue = Math.max(200, Math.round((RATE * rtt) / ON_LINK));
  const settings = {
    seed,
    engine: nullCryptoEngine,
    path: { delay: rtt / 2, rate: RATE, queue, ...held },
    client: { cc, datagramSize: 1200 },
  };
  return withPair(settings, async ({ world, local, remote }) => {
    let arrived = 0;
    remote.onstream = async (stream) => {
      for await (const chunks of stream) for (const chunk of chunks) arrived += chunk.length;
    };
    const stream = await local.createUnidirectionalStream({ budget: 8 << 20 });
    const piece = new Uint8Array(256 << 10);
    const write = async () => {
      for (;;) await stream.writer.write(piece);
    };
    write().catch(() => {});
    await world.sleep(500 + 15 * rtt);
    const { packetsSent, spuriousLosses } = local.stats;
    const before = arrived;
    await world.sleep(DURATION);
    const now = local.stats;
    return {
      share: (arrived - before) / RATE / DURATION,
      mistaken: (now.spuriousLosses - spuriousLosses) / (now.packetsSent - packetsSent),
    };
  });
}

const PATHS: readonly Held[] = [
  { reorder: 0.2, reorderDelay: 3 },
  { reorder: 0.2, reorderDelay: 10 },
  { reorder: 0.2, reorderDelay: 20 },
  { reorder: 0.01, reorderDelay: 100 },
];

for (const cc of ['reno', 'cubic', 'bbr'] as const) {
  for (const rtt of [2, 40, 200]) {
    test(`${cc}, ${rtt} ms: packets that others pass are not taken for lost, or what that did is taken back`, async () => {
      for (const held of PATHS) {
        for (const seed of [1, 2]) {
          const { share, mistaken } = await flooded(cc, rtt, held, seed);
          const what = `seed ${seed}, ${held.reorder} by ${held.reorderDelay} ms: ${share.toFixed(2)}, mistaken ${mistaken.toFixed(4)}`;
          assert.ok(share > 0.5, what);
          assert.ok(mistaken < 0.01, what);
        }
      }
    });
  }
}
