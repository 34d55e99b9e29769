import { RECEIVE_LIMITS, SEND_LIMITS } from 'weir-quic';
import { SeededRandom } from 'weir-quic/random';
import type { Series } from '../../src/gauge/series.ts';
import { jainIndex } from '../../src/results/index.ts';
import type { Basis, SideResult, StreamResult } from '../../src/results/readings.ts';
import {
  type CellSettings,
  EXPERIMENT_SCHEMA,
  type Experiment,
  type IterationRecord,
} from '../../src/results/record.ts';
import { iterationResult, type ResultDocument } from '../../src/results/result.ts';
/** An emulated path as the simulation below knows it. Milliseconds one way, bytes per millisecond, share of packets. */
export interface FixturePath {
  readonly text: string | null;
  readonly delayMs: number;
  readonly rate: number;
  readonly loss: number;
}

export interface FixtureOptions {
  readonly seed?: number;
  readonly streams?: readonly number[];
  readonly paths?: readonly FixturePath[];
  readonly iterations?: number;
  readonly warmup?: number;
  readonly bytes?: number;
  /** Of the links, by which to multiply their rates. */
  readonly speed?: number;
  /** Of each course, at most. */
  readonly samples?: number;
  readonly fileName?: string;
}

interface Cell {
  readonly path: FixturePath;
  readonly settings: CellSettings;
}

/** Where an iteration stands in the experiment. */
type Place = Pick<IterationRecord, 'cell' | 'iteration' | 'warmup' | 'order'>;

/** One step of the simulation. */
interface Row {
  readonly at: number;
  readonly window: number;
  readonly rtt: number;
  readonly lost: number;
  readonly flight: number;
  readonly streams: readonly number[];
  readonly limits: readonly number[];
  readonly receiveLimits: readonly number[];
}

/** How the simulation ended. */
interface End {
  readonly at: number;
  readonly lost: number;
  readonly rttMin: number;
  readonly limits: readonly number[];
  readonly receiveLimits: readonly number[];
  readonly streams: readonly number[];
  readonly shares: readonly number[];
  readonly slowStartMs: number | null;
  readonly path: FixturePath;
}

type Course = Pick<IterationRecord, 'senderSeries' | 'receiverSeries'> & {
  readonly sender: SideResult;
  readonly receiver: SideResult;
};

const PATHS: readonly FixturePath[] = [
  { text: 'delay=10ms,rate=200mbit,loss=0.5%', delayMs: 10, rate: 25_000, loss: 0.005 },
  { text: 'delay=40ms,rate=50mbit,queue=100', delayMs: 40, rate: 6_250, loss: 0 },
];
const STREAM_WINDOW = 262_144;
const PACKET = 1_350;
const ENVIRONMENT = {
  node: '20.20.2',
  openssl: '3.0.17',
  os: 'linux 6.8.0',
  arch: 'x64',
  cpu: 'Example CPU @ 2.40GHz',
  cores: 4,
  memoryBytes: 8 * 2 ** 30,
  datapath: 'linux (recvmmsg, GSO)',
};
/** An experiment that could have been measured, from a seed: 5 numbers of streams, 2 paths, 5 iterations, each with its course. */
export function fixtureExperiment(options: FixtureOptions = {}): Experiment {
  const { seed = 1, streams = [1, 2, 4, 8, 16], paths = PATHS, iterations = 5, warmup = 1, bytes = 16 << 20 } = options;
  const random = new SeededRandom(seed);
  const cells = paths.flatMap((path) => streams.map((count) => ({ path, settings: cellSettings(path, count, bytes) })));
  const plan = shuffle(
    cells.flatMap((_, cell) => Array.from({ length: iterations }, (_, i) => ({ cell, iteration: i + 1 }))),
    random,
  );
  const warmups = cells.flatMap((_, cell) => Array.from({ length: warmup }, (_, i) => ({ cell, iteration: i + 1 })));
  const records = [...warmups, ...plan].map(({ cell, iteration }, i) =>
    record(cells[cell]!, { cell, iteration, warmup: i < warmups.length, order: i + 1 }, options, random),
  );
  return {
    header: {
      type: 'experiment',
      schema: EXPERIMENT_SCHEMA,
      tool: { name: 'weir', version: '0.1.0' },
      id: `fixture-${seed}`,
      createdAt: '2026-03-12T09:41:00.000Z',
      command: [
        'weir',
        'measure',
        '--local',
        '--streams',
        streams.join(),
        '--size',
        `${bytes / 2 ** 20}MiB`,
        ...paths.flatMap((path) => (path.text === null ? [] : ['--path', path.text])),
      ],
      seed,
      environment: ENVIRONMENT,
      cells: cells.map(({ settings }) => settings),
      iterations,
      warmup,
      untilInterval: null,
      maxIterations: iterations,
      target: 'local',
    },
    iterations: records,
  };
}
function cellSettings(path: FixturePath, streams: number, bytes: number): CellSettings {
  return {
    transport: 'quic',
    direction: 'up',
    streams,
    bytes,
    cc: 'cubic',
    datagramBytes: null,
    path: path.text,
    windowBytes: null,
  };
}
function record(
  { path, settings }: Cell,
  place: Place,
  { speed = 1, samples = 100 }: FixtureOptions,
  random: SeededRandom,
): IterationRecord {
  const course = simulate(path, settings, speed, samples, random);
  const { sender, receiver } = course;
  return {
    type: 'iteration',
    ...place,
    startedAt: new Date(Date.UTC(2026, 2, 12, 9, 41, place.order * 3)).toISOString(),
    status: 'complete',
    message: null,
    bytes: settings.bytes,
    wallMs: receiver.wallMs,
    bytesPerMs: receiver.bytesPerMs,
    cpuMs: round(receiver.wallMs * (0.2 + 0.1 * random.unit())),
    sender,
    receiver,
    senderSeries: course.senderSeries,
    receiverSeries: course.receiverSeries,
  };
}

/** The congestion control of the fixture: it doubles, halves almost, and grows; what is beyond the path waits in a queue. */
class Sender {
  window = 14_720;
  queue = 0;
  lost = 0;
  slowStartMs: number | null = null;
  readonly #delayProduct: number;
  readonly #loss: number;
  #threshold: number;
  /** Losses that are due, in packets. */
  #debt = 0;

  constructor(delayProduct: number, loss: number) {
    this.#delayProduct = delayProduct;
    this.#loss = loss;
    this.#threshold = delayProduct * (loss > 0 ? 1.4 : 2.2);
  }

  /** One step's bytes: lost, or a reason to grow. */
  carry(at: number, amount: number, delivered: number, isFull: boolean, random: SeededRandom): void {
    this.#debt += (delivered / PACKET) * this.#loss * (0.5 + random.unit());
    const overflow = this.queue > 100 * PACKET;
    if (overflow || this.#debt >= 1) {
      const packets = overflow ? 6 : Math.floor(this.#debt);
      this.lost += packets;
      this.#debt = Math.max(0, this.#debt - packets);
      if (overflow || random.unit() < 0.08) this.#back(at);
    } else if (amount > 0 && isFull) {
      this.window += this.window < this.#threshold ? amount : (PACKET * amount * 6) / this.window;
      if (this.window >= this.#threshold) this.slowStartMs ??= at;
    }
  }

  #back(at: number): void {
    this.slowStartMs ??= at;
    this.#threshold = Math.max(this.window * 0.7, this.#delayProduct * 0.55);
    this.window = this.#threshold;
    this.queue *= 0.5;
  }
}

/** One iteration in steps of a fraction of a millisecond: a window that grows and halves, a queue, streams that share unevenly. */
function simulate(
  path: FixturePath,
  settings: CellSettings,
  speed: number,
  samples: number,
  random: SeededRandom,
): Course {
  const noise = 1 - 0.06 * random.unit() ** 2 - (random.unit() < 0.05 ? 0.25 : 0);
  const link = path.rate * speed * noise;
  const rttMin = 2 * path.delayMs + 0.4;
  const shares = Array.from({ length: settings.streams }, () => 0.8 + 0.4 * random.unit());
  const total = shares.reduce((a, b) => a + b, 0);
  const sender = new Sender(link * rttMin, path.loss);
  let [sent, at] = [0, 0];
  const step = rttMin / 20;
  const limits: number[] = SEND_LIMITS.map(() => 0);
  const receiveLimits: number[] = RECEIVE_LIMITS.map(() => 0);
  const rows: Row[] = [];
  const streams = shares.map(() => 0);
  while (sent < settings.bytes && at < 600_000) {
    const rtt = rttMin + sender.queue / link;
    const byWindow = sender.window / rtt;
    const byStreams = (STREAM_WINDOW * settings.streams) / rtt;
    const application = random.unit() < 0.02;
    const wanted = Math.min(byWindow, byStreams, application ? link * 0.2 : Number.POSITIVE_INFINITY);
    const amount = Math.min(wanted * step, settings.bytes - sent);
    limits[SEND_LIMITS.indexOf(limitOf(byWindow, byStreams, application, random))]! += step;
    receiveLimits[random.unit() < path.loss * 20 ? 1 : random.unit() < 0.03 ? 3 : 0]! += step;
    const delivered = Math.min(amount, link * step);
    sender.queue = Math.max(0, sender.queue + amount - link * step);
    sent += delivered;
    for (const [i, share] of shares.entries()) streams[i]! += (delivered * share) / total;
    sender.carry(at, amount, delivered, wanted === byWindow, random);
    at += step;
    rows.push({
      at,
      window: sender.window,
      rtt,
      lost: sender.lost,
      flight: Math.min(sender.window, wanted * rtt),
      streams: [...streams],
      limits: [...limits],
      receiveLimits: [...receiveLimits],
    });
  }
  limits[SEND_LIMITS.indexOf('delivery')]! += rttMin;
  return results(rows, settings, samples, {
    at,
    lost: sender.lost,
    rttMin,
    limits,
    receiveLimits,
    streams,
    shares,
    slowStartMs: sender.slowStartMs,
    path,
  });
}
function limitOf(
  byWindow: number,
  byStreams: number,
  application: boolean,
  random: SeededRandom,
): (typeof SEND_LIMITS)[number] {
  const chance = random.unit();
  if (chance < 0.04) return 'event_loop';
  if (chance < 0.05) return 'kernel';
  if (application) return 'application';
  if (byStreams < byWindow) return 'stream_flow_control';
  return chance < 0.25 ? 'pacing' : 'congestion_window';
}
function results(rows: readonly Row[], settings: CellSettings, samples: number, end: End): Course {
  const wall = Math.max(end.at, 0.001);
  return {
    sender: side(settings, end, rows.at(-1), wall + end.rttMin, 'acknowledgements'),
    receiver: side(settings, end, rows.at(-1), wall, 'arrivals'),
    senderSeries: series(rows, samples, (row) => row.limits),
    receiverSeries: series(rows, samples, (row) => row.receiveLimits),
  };
}
function side(settings: CellSettings, end: End, last: Row | undefined, wallMs: number, basis: Basis): SideResult {
  const isSender = basis === 'acknowledgements';
  const largest = Math.max(...end.shares);
  const streams = end.streams.map((bytes, i): StreamResult => {
    const lastByteMs = round(wallMs * (0.9 + (0.1 * end.shares[i]!) / largest));
    const firstByteMs = round(i * 0.05 + (isSender ? end.rttMin : 0));
    const durationMs = round(lastByteMs - firstByteMs);
    return {
      stream: i + 1,
      bytes: Math.round(bytes),
      streamBytes: Math.round(bytes) + 24,
      packets: Math.ceil(bytes / PACKET),
      firstByteMs,
      lastByteMs,
      durationMs,
      bytesPerMs: round(bytes / durationMs),
      packetsPerMs: round(bytes / PACKET / durationMs),
      retransmittedBytes: isSender ? Math.round((end.lost * PACKET) / end.streams.length) : 0,
      duplicateBytes: 0,
      blockedByStreamMs: isSender ? round(end.limits[SEND_LIMITS.indexOf('stream_flow_control')]!) : 0,
      blockedByConnectionMs: 0,
      reassemblyMs: isSender ? 0 : round(end.receiveLimits[1]!),
      limitsMs: limitRecord(isSender, end, 0.6 + (0.4 * end.shares[i]!) / largest),
    };
  });
  const bytes = streams.reduce((sum, stream) => sum + stream.bytes, 0);
  const packets = streams.reduce((sum, stream) => sum + stream.packets, 0);
  const rates = streams.map((stream) => stream.bytesPerMs!);
  return {
    basis,
    wallMs: round(wallMs),
    startedAtMs: 0,
    storedAfterMs: null,
    bytes,
    packets,
    bytesPerMs: round(bytes / wallMs),
    packetsPerMs: round(packets / wallMs),
    meanStreamBytesPerMs: round(rates.reduce((a, b) => a + b, 0) / rates.length),
    meanStreamPacketsPerMs: round(packets / wallMs / settings.streams),
    fairness: round(jainIndex(streams.map((stream) => stream.bytes)) ?? 1),
    connection: {
      rttMinMs: round(end.rttMin),
      rttSmoothedMs: round(last?.rtt ?? end.rttMin),
      congestionWindowBytes: Math.round(last?.window ?? 0),
      packetsSent: packets + end.lost,
      packetsReceived: Math.round(packets / 2),
      packetsLost: end.lost,
      bytesLost: end.lost * PACKET,
      spuriousLosses: 0,
      probeTimeouts: 0,
      congestionEvents: Math.round(end.lost / 4),
      wireBytesSent: (packets + end.lost) * (PACKET + 40),
      wireBytesReceived: packets * 30,
      limitsMs: limitRecord(isSender, end, 1),
      slowStartMs: end.slowStartMs,
    },
    streams,
  };
}
function limitRecord(isSender: boolean, end: End, share: number): Record<string, number> {
  const [names, times] = isSender ? [SEND_LIMITS, end.limits] : [RECEIVE_LIMITS, end.receiveLimits];
  return Object.fromEntries(names.map((name, i) => [name, round(times[i]! * share)]));
}
function series(rows: readonly Row[], samples: number, limitsOf: (row: Row) => readonly number[]): Series {
  const start = rows[0];
  const every = Math.max(1, Math.ceil(rows.length / samples));
  const kept = rows.filter((_, i) => i % every === 0 || i === rows.length - 1);
  const column = <T>(first: T, of: (row: Row) => T): T[] => (start === undefined ? [] : [first, ...kept.map(of)]);
  return {
    atMs: column(0, (row) => round(row.at)),
    congestionWindowBytes: column(14_720, (row) => Math.round(row.window)),
    bytesInFlight: column(0, (row) => Math.round(row.flight)),
    rttMs: column<number | null>(null, (row) => round(row.rtt)),
    packetsLost: column(0, (row) => row.lost),
    streamBytes: (start?.streams ?? []).map((_, i) => column(0, (row) => Math.round(row.streams[i]!))),
    limitMs: (start === undefined ? [] : limitsOf(start)).map((_, i) => column(0, (row) => round(limitsOf(row)[i]!))),
  };
}
function shuffle<T>(items: T[], random: SeededRandom): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(random.unit() * (i + 1));
    [items[i], items[j]] = [items[j]!, items[i]!];
  }
  return items;
}
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
/** The result document of one transfer, as `weir send --json` writes it, with the numbers of the fixture's iterations. */
export function fixtureResult(options: FixtureOptions = {}): ResultDocument {
  const experiment = fixtureExperiment({ streams: [8], paths: PATHS.slice(0, 1), warmup: 0, ...options });
  const iterations = [...experiment.iterations].sort((a, b) => a.iteration - b.iteration);
  const { bytes, streams, cc } = experiment.header.cells[0]!;
  return {
    schema: 'weir-result/1',
    tool: experiment.header.tool,
    createdAt: experiment.header.createdAt,
    source: 'quic',
    role: 'sender',
    environment: ENVIRONMENT,
    setup: {
      streams,
      iterations: iterations.length,
      chunkBytes: 1 << 20,
      cipher: 'TLS_AES_128_GCM_SHA256',
      congestionController: cc,
      datagramBytes: 1472,
      localAddress: '127.0.0.1:50000',
      remoteAddress: '127.0.0.1:12345',
    },
    file: { name: options.fileName ?? 'demo.bin', bytes, sha256: '00'.repeat(32) },
    outcome: { status: 'complete', exitCode: 0, message: null, savedAs: options.fileName ?? 'demo.bin' },
    iterations: iterations.map(({ sender, receiver }, i) => ({
      ...iterationResult({ number: i + 1, digest: 'ab'.repeat(32), receiver: undefined, sender: undefined }),
      sender,
      receiver,
    })),
    totals: { receiver: null, sender: null },
  };
}
