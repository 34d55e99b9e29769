import { CONGESTION_NAMES, type CongestionName } from '../../src/quic/api/index.ts';
import { SeededRandom } from '../../src/quic/base/random.ts';
import type { LinkSettings } from '../../src/quic/sim/index.ts';

/** One direction of one stream. */
export interface Flow {
  /** Names the content. */
  readonly key: number;
  readonly size: number;
  /** Bytes per write. */
  readonly chunk: number;
  /** The sender resets after this many bytes; -1 never. */
  readonly resetAt: number;
  /** The receiver stops reading after this many bytes; -1 never. */
  readonly stopAt: number;
}

/** One stream, with a flow each way when it is bidirectional. */
export interface StreamPlan {
  readonly openedBy: 'client' | 'server';
  readonly there: Flow;
  readonly back: Flow | undefined;
}

/** What one run does, drawn from its seed. */
export interface Plan {
  readonly seed: number;
  readonly up: Partial<LinkSettings>;
  readonly down: Partial<LinkSettings>;
  readonly streams: readonly StreamPlan[];
  /** Fixed; undefined lets both ends find out what the path carries. */
  readonly datagramSize: number | undefined;
  /** What the hosts know of their interfaces' MTU. */
  readonly interfaceMtu: number | undefined;
  /** The path comes to carry less: `mtu` bytes of UDP payload, both ways, after so many milliseconds. */
  readonly shrinks: { readonly after: number; readonly mtu: number } | undefined;
  readonly cc: CongestionName;
  readonly ciphers: string;
  readonly validateAddress: boolean;
  readonly window: number;
  readonly maxStreams: number;
  readonly datagrams: number;
  readonly keyUpdates: boolean;
}

/** Draws a run: a path with up to 10% loss and half a second of delay, and up to 16 streams of up to 300 KB in all. */
export function planOf(seed: number): Plan {
  const random = new SeededRandom(seed);
  const up = linkOf(random);
  // Mostly the same path both ways, as paths are.
  const down = random.unit() < 0.3 ? linkOf(random) : up;
  const count = random.unit() < 0.3 ? 1 : random.integer(1, 16);
  const total = Math.floor(300_000 * random.unit() ** 2);
  const streams = Array.from({ length: count }, (_, i) => streamOf(random, i, total / count));
  const mtu = Math.min(up.mtu!, down.mtu!);
  const discovers = random.unit() < 0.7;
  return {
    seed,
    up,
    down,
    streams,
    datagramSize: discovers ? undefined : random.integer(1200, mtu),
    interfaceMtu: pick(random, [undefined, 1500, 9000, 65_536]),
    shrinks:
      discovers && random.unit() < 0.4
        ? { after: 10 ** (2 + 2 * random.unit()), mtu: random.integer(1200, mtu) }
        : undefined,
    cc: pick(random, CONGESTION_NAMES),
    ciphers: pick(random, ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']),
    validateAddress: random.unit() < 0.2,
    window: pick(random, [2_000, 20_000, 262_144]),
    maxStreams: pick(random, [1, 3, 100]),
    datagrams: random.unit() < 0.2 ? random.integer(1, 20) : 0,
    keyUpdates: random.unit() < 0.2,
  };
}

function linkOf(random: SeededRandom): Partial<LinkSettings> {
  const chance = (probability: number, most: number) => (random.unit() < probability ? random.unit() * most : 0);
  const delay = random.unit() < 0.2 ? random.integer(100, 500) : random.integer(0, 80);
  return {
    // 100 kbit/s to 100 Mbit/s, evenly on a logarithmic scale; or no bottleneck.
    rate: random.unit() < 0.2 ? Number.POSITIVE_INFINITY : 12.5 * 10 ** (3 * random.unit()),
    queue: random.unit() < 0.2 ? random.integer(3, 10) : random.integer(10, 200),
    delay,
    jitter: chance(0.4, delay),
    loss: chance(0.5, 0.1),
    burst:
      random.unit() < 0.2 ? { start: random.unit() * 0.02, length: random.integer(1, 3) } : { start: 0, length: 0 },
    reorder: chance(0.3, 0.2),
    reorderDelay: random.integer(1, 60),
    duplicate: chance(0.3, 0.1),
    corrupt: chance(0.3, 0.05),
    mtu: random.unit() < 0.3 ? 1200 : random.integer(1200, 9000),
    markAt: random.unit() < 0.3 ? random.integer(2, 20) : Number.POSITIVE_INFINITY,
  };
}

function streamOf(random: SeededRandom, i: number, mean: number): StreamPlan {
  return {
    openedBy: random.unit() < 0.7 ? 'client' : 'server',
    there: flowOf(random, 2 * i + 1, mean),
    back: random.unit() < 0.5 ? flowOf(random, 2 * i + 2, mean) : undefined,
  };
}

function flowOf(random: SeededRandom, key: number, mean: number): Flow {
  const size = random.unit() < 0.1 ? random.integer(0, 2) : Math.floor(mean * 2 * random.unit());
  const at = Math.floor(size * random.unit());
  const fate = random.unit();
  return {
    key,
    size,
    chunk: pick(random, [100, 1_000, 10_000, 100_000]),
    resetAt: fate < 0.05 ? at : -1,
    stopAt: fate > 0.95 ? at : -1,
  };
}

function pick<T>(random: SeededRandom, choices: readonly T[]): T {
  return choices[random.integer(0, choices.length - 1)]!;
}
