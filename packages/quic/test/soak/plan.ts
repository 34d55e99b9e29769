import { CONGESTION_NAMES, type CongestionName } from '../../src/api/index.ts';
import { SeededRandom } from '../../src/base/random.ts';
import type { LinkSettings } from '../../src/sim/index.ts';

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
  /** Virtual milliseconds between writes. */
  readonly pause: number;
}

/** One stream, with a flow each way when it is bidirectional. */
export interface StreamPlan {
  readonly openedBy: 'client' | 'server';
  readonly there: Flow;
  readonly back: Flow | undefined;
  /** Virtual milliseconds after the handshake. */
  readonly startAt: number;
}

/** Something that happens to the path for a while; see weather.ts. Virtual milliseconds after the handshake, and how long. */
export interface Weather {
  readonly at: number;
  readonly lasts: number;
  /** Both ways, the client's way, or the server's. */
  readonly way: 'both' | 'up' | 'down';
  readonly settings?: Partial<LinkSettings>;
  /** The rate is so many times the path's own. */
  readonly rateTimes?: number;
  /** Everything waits until it is over. */
  readonly holds?: boolean;
  /** The client's address changes every so many milliseconds. */
  readonly rebindEvery?: number;
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
  readonly weather: readonly Weather[];
  readonly cc: CongestionName;
  readonly ciphers: string;
  readonly validateAddress: boolean;
  readonly window: number;
  readonly maxStreams: number;
  readonly datagrams: number;
  /** How many key updates each side starts, and how far apart in milliseconds. */
  readonly keyUpdates: number;
  readonly keyUpdateEvery: number;
  /** Milliseconds of silence after which a PING is sent; 0 never. */
  readonly keepAlive: number;
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
    keyUpdates: random.unit() < 0.2 ? 3 : 0,
    keyUpdateEvery: 200,
    keepAlive: 0,
    weather: [],
  };
}

/**
 * The same with a path that changes for a minute in every way that paths do, and streams that are at it for as long: many of them are
 * reset or stopped in mid-flight, keys are updated and datagrams sent all the time.
 */
export function harshPlanOf(seed: number): Plan {
  const plan = planOf(seed);
  const random = new SeededRandom(seed ^ 0x68617273);
  const streams = plan.streams.map((stream) => ({
    ...stream,
    startAt: random.unit() < 0.3 ? 0 : random.integer(0, HARSH_MS),
    there: harshFlowOf(random, stream.there),
    back: stream.back && harshFlowOf(random, stream.back),
  }));
  const mtu = Math.min(plan.up.mtu!, plan.down.mtu!);
  return {
    ...plan,
    streams,
    shrinks: undefined,
    weather: weatherOf(random, plan.datagramSize ?? 1200, mtu),
    datagrams: random.unit() < 0.5 ? random.integer(1, 400) : 0,
    keyUpdates: random.unit() < 0.5 ? random.integer(1, 60) : 0,
    keyUpdateEvery: random.integer(100, 3000),
    // A client that is silent cannot tell the server where it is now.
    keepAlive: 1000,
  };
}

/** For how long the path changes, in virtual milliseconds. */
const HARSH_MS = 60_000;

function harshFlowOf(random: SeededRandom, flow: Flow): Flow {
  const size = random.unit() < 0.1 ? flow.size : Math.floor(flow.size * 4 * random.unit());
  const at = Math.floor(size * random.unit());
  const fate = random.unit();
  return {
    ...flow,
    size,
    resetAt: fate < 0.2 ? at : -1,
    stopAt: fate > 0.8 ? at : -1,
    pause: random.unit() < 0.5 ? random.integer(1, 1000) : 0,
    chunk: Math.max(flow.chunk, Math.ceil(size / 100)),
  };
}

/** @param least the smallest MTU that the run can live with. @param most the path's own. */
function weatherOf(random: SeededRandom, least: number, most: number): Weather[] {
  return Array.from({ length: random.integer(1, 30) }, () => {
    const at = random.integer(0, HARSH_MS);
    const way = pick(random, ['both', 'both', 'up', 'down'] as const);
    const lasts = Math.floor(10 ** (2 + 2 * random.unit()));
    const kinds: readonly (() => Weather)[] = [
      () => ({ at, lasts, way, settings: { loss: 0.4 * random.unit() } }),
      () => ({ at, lasts, way, settings: { burst: { start: 0.05 * random.unit(), length: random.integer(1, 20) } } }),
      // A link that is down.
      () => ({ at, lasts: random.unit() < 0.3 ? 20_000 : lasts, way, settings: { loss: 1 } }),
      () => ({ at, lasts: random.integer(100, 900), way, holds: true }),
      () => ({ at, lasts, way, settings: { reorder: 0.5 * random.unit(), reorderDelay: random.integer(50, 800) } }),
      () => ({ at, lasts, way, settings: { duplicate: random.unit(), copies: random.integer(1, 20) } }),
      () => ({ at, lasts, way, settings: { mtu: random.integer(least, most) } }),
      () => ({ at, lasts, way, settings: { delay: random.integer(0, 1000) } }),
      () => ({ at, lasts, way, settings: { corrupt: 0.3 * random.unit() } }),
      () => ({ at, lasts, way, rateTimes: pick(random, [0.01, 0.1, 10, 100]) }),
      () => ({ at, lasts, way, rebindEvery: random.unit() < 0.5 ? 200 : random.integer(200, 5000) }),
    ];
    return pick(random, kinds)();
  });
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
    startAt: 0,
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
    pause: 0,
  };
}

function pick<T>(random: SeededRandom, choices: readonly T[]): T {
  return choices[random.integer(0, choices.length - 1)]!;
}
