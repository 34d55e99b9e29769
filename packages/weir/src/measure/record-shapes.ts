import type { Series } from '../gauge/series.ts';
import {
  type CellSettings,
  type ConnectionResult,
  type Environment,
  EXPERIMENT_SCHEMA,
  type ExperimentHeader,
  type IterationRecord,
  type SideResult,
  type StreamResult,
} from '../results/index.ts';
import {
  amount,
  array,
  boolean,
  integer,
  moment,
  nullable,
  number,
  object,
  oneOf,
  record,
  type Shape,
  ShapeError,
  text,
} from './shapes.ts';

/** Longer texts than these are nothing that this program has written. */
export const LINE = text(10_000);

/** Streams of an iteration at most, whatever wrote the document: tables and iperf3's documents have a line for each. */
export const MOST_STREAMS = 1 << 16;

const cell: Shape<CellSettings> = object<CellSettings>({
  transport: oneOf('quic', 'tls-tcp'),
  direction: oneOf('up', 'down'),
  streams: integer(1, MOST_STREAMS),
  bytes: integer(0),
  cc: nullable(text(100)),
  datagramBytes: nullable(integer(1)),
  path: nullable(LINE),
  windowBytes: nullable(integer(1)),
});

export const environment: Shape<Environment> = object<Environment>({
  node: LINE,
  openssl: LINE,
  os: LINE,
  arch: LINE,
  cpu: LINE,
  cores: integer(1),
  memoryBytes: amount,
  datapath: LINE,
});

const header: Shape<ExperimentHeader> = object<ExperimentHeader>({
  type: oneOf('experiment'),
  schema: oneOf(EXPERIMENT_SCHEMA),
  tool: object<ExperimentHeader['tool']>({ name: LINE, version: LINE }),
  id: LINE,
  createdAt: moment,
  command: array(LINE),
  seed: integer(0),
  environment,
  cells: array(cell),
  iterations: integer(1),
  warmup: integer(0),
  untilInterval: nullable(amount),
  maxIterations: integer(1),
  target: LINE,
});

const connection: Shape<ConnectionResult> = object<ConnectionResult>({
  rttMinMs: nullable(amount),
  rttSmoothedMs: nullable(amount),
  congestionWindowBytes: amount,
  packetsSent: amount,
  packetsReceived: amount,
  packetsLost: amount,
  bytesLost: amount,
  spuriousLosses: amount,
  probeTimeouts: amount,
  congestionEvents: amount,
  wireBytesSent: amount,
  wireBytesReceived: amount,
  limitsMs: nullable(record(amount)),
  slowStartMs: nullable(amount),
});

const stream: Shape<StreamResult> = object<StreamResult>({
  stream: integer(0),
  bytes: amount,
  streamBytes: amount,
  packets: amount,
  firstByteMs: nullable(number),
  lastByteMs: nullable(number),
  durationMs: nullable(amount),
  bytesPerMs: nullable(amount),
  packetsPerMs: nullable(amount),
  retransmittedBytes: amount,
  duplicateBytes: amount,
  blockedByStreamMs: amount,
  blockedByConnectionMs: amount,
  reassemblyMs: amount,
  limitsMs: nullable(record(amount)),
});

export const side: Shape<SideResult> = object<SideResult>({
  basis: oneOf('arrivals', 'acknowledgements', 'transmissions'),
  wallMs: amount,
  startedAtMs: number,
  storedAfterMs: nullable(amount),
  bytes: amount,
  packets: amount,
  bytesPerMs: nullable(amount),
  packetsPerMs: nullable(amount),
  meanStreamBytesPerMs: nullable(amount),
  meanStreamPacketsPerMs: nullable(amount),
  fairness: nullable(amount),
  connection,
  streams: array(stream),
});

const seriesFields: Shape<Series> = object<Series>({
  atMs: array(number),
  congestionWindowBytes: array(amount),
  bytesInFlight: array(amount),
  rttMs: array(nullable(amount)),
  packetsLost: array(amount),
  streamBytes: array(array(amount)),
  limitMs: array(array(amount)),
});

/** Columns of one length, in the order of time: what draws them relies on it. */
export const series: Shape<Series> = (value, where) => {
  const found = seriesFields(value, where);
  const { atMs, streamBytes, limitMs, ...columns } = found;
  for (const [name, column] of [
    ...Object.entries(columns),
    ...streamBytes.map((each, i) => [`streamBytes[${i}]`, each] as const),
    ...limitMs.map((each, i) => [`limitMs[${i}]`, each] as const),
  ]) {
    if (column.length !== atMs.length)
      throw new ShapeError(`${where}.${name} has ${column.length} entries, atMs ${atMs.length}`);
  }
  if (atMs.some((at, i) => i > 0 && at < atMs[i - 1]!)) throw new ShapeError(`${where}.atMs goes back in time`);
  return found;
};

const iteration: Shape<IterationRecord> = object<IterationRecord>({
  type: oneOf('iteration'),
  cell: integer(0),
  iteration: integer(1),
  warmup: boolean,
  order: integer(1),
  startedAt: moment,
  status: oneOf('complete', 'failed'),
  message: nullable(LINE),
  bytes: amount,
  wallMs: nullable(amount),
  bytesPerMs: nullable(amount),
  cpuMs: nullable(amount),
  sender: nullable(side),
  receiver: nullable(side),
  senderSeries: nullable(series),
  receiverSeries: nullable(series),
});

/** The first line of an experiment's file. @throws ShapeError. */
export function parseHeader(value: unknown): ExperimentHeader {
  const found = header(value, 'header');
  if (found.cells.length === 0) throw new ShapeError('header.cells is empty');
  return found;
}

/** A further line of an experiment with this header. @throws ShapeError. */
export function parseIteration(
  value: unknown,
  { cells, warmup, iterations, maxIterations }: ExperimentHeader,
): IterationRecord {
  const found = iteration(value, 'iteration');
  if (found.cell >= cells.length)
    throw new ShapeError(`iteration.cell is ${found.cell}, the header has cells 0 to ${cells.length - 1}`);
  const most = found.warmup ? warmup : Math.max(iterations, maxIterations);
  if (found.iteration > most)
    throw new ShapeError(`iteration.iteration is ${found.iteration}, the header allows ${most}`);
  return found;
}
