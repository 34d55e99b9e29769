import type { Series } from '../gauge/series.ts';
import type { Environment } from './environment.ts';
import { type Stretch, stretchIntervals } from './iperf3-intervals.ts';
import type { Iperf3Cpu, Iperf3Document, Iperf3End, Iperf3Start, Iperf3StreamEnd, Iperf3Sum } from './iperf3-shape.ts';
import type { SideResult } from './readings.ts';
import type { CellSettings, Experiment, IterationRecord } from './record.ts';
import type { ResultDocument } from './result.ts';
import { sum } from './statistics/index.ts';

export interface Iperf3Options {
  /** Length of the intervals, as iperf3's `-i`. Default 1000; an iteration that is shorter is one interval. */
  readonly intervalMs?: number;
}

/**
 * An experiment in the words of `iperf3 --json`: one document for a single cell, an array of them for several. Warm-ups and failed
 * iterations are left out.
 */
export function iperf3Json(experiment: Experiment, options: Iperf3Options = {}): string {
  const documents = experiment.header.cells.map((_, cell) => iperf3OfCell(experiment, cell, options));
  return `${JSON.stringify(documents.length === 1 ? documents[0] : documents, null, 2)}\n`;
}

/** All iterations of one cell, one after the other without the pauses between them. @throws RangeError of a cell that is not there. */
export function iperf3OfCell(experiment: Experiment, cell: number, options: Iperf3Options = {}): Iperf3Document {
  const settings = experiment.header.cells[cell];
  if (settings === undefined) throw new RangeError(`no cell ${cell + 1}`);
  const records = experiment.iterations.filter(
    (record) => record.cell === cell && !record.warmup && record.status === 'complete',
  );
  const ordered = [...records].sort((a, b) => a.iteration - b.iteration);
  return fromRecords(experiment, settings, ordered, options);
}

/** One iteration of an experiment. @throws RangeError of a record whose cell is not there. */
export function iperf3OfIteration(
  experiment: Experiment,
  record: IterationRecord,
  options: Iperf3Options = {},
): Iperf3Document {
  const settings = experiment.header.cells[record.cell];
  if (settings === undefined) throw new RangeError(`no cell ${record.cell + 1}`);
  return fromRecords(experiment, settings, [record], options);
}

/** A transfer of a file, its iterations one after the other. There are no courses in it: each iteration is one interval. */
export function iperf3OfDocument(document: ResultDocument): Iperf3Document {
  const { setup, role, iterations } = document;
  const isQuic = document.source === 'quic';
  const stretches = iterations.map(({ sender, receiver }) => stretch(sender, receiver));
  return assemble({
    tool: document.tool,
    environment: document.environment,
    startedAt: document.createdAt,
    title: document.file?.name ?? null,
    isSender: role === 'sender',
    protocol: isQuic ? 'QUIC' : 'UDP',
    streams: setup?.streams ?? 0,
    bytes: sum(stretches.map(({ bytes }) => bytes)),
    blockBytes: setup?.chunkBytes ?? null,
    local: setup?.localAddress ?? null,
    remote: setup?.remoteAddress ?? null,
    controller: setup?.congestionController ?? null,
    stretches,
    intervalMs: Number.POSITIVE_INFINITY,
  });
}

/** What a document is made of. */
interface Parts {
  readonly tool: { readonly name: string; readonly version: string };
  readonly environment: Environment;
  readonly startedAt: string;
  readonly title: string | null;
  readonly isSender: boolean;
  readonly protocol: 'QUIC' | 'TCP' | 'UDP';
  readonly streams: number;
  readonly bytes: number;
  readonly blockBytes: number | null;
  readonly local: string | null;
  readonly remote: string | null;
  readonly controller: string | null;
  readonly stretches: readonly Stretch[];
  readonly intervalMs: number;
}

function fromRecords(
  { header }: Experiment,
  settings: CellSettings,
  records: readonly IterationRecord[],
  { intervalMs = 1000 }: Iperf3Options,
): Iperf3Document {
  return assemble({
    tool: header.tool,
    environment: header.environment,
    startedAt: records[0]?.startedAt ?? header.createdAt,
    title: header.id,
    isSender: settings.direction === 'up',
    protocol: settings.transport === 'quic' ? 'QUIC' : 'TCP',
    streams: settings.streams,
    bytes: sum(records.map(({ bytes }) => bytes)),
    blockBytes: null,
    local: null,
    remote: header.target === 'local' ? null : header.target,
    controller: settings.cc,
    stretches: records.map((record) => ({
      ...stretch(record.sender, record.receiver, record.senderSeries, record.receiverSeries),
      bytes: record.bytes,
      wallMs: record.wallMs ?? 0,
      cpuMs: record.cpuMs,
    })),
    intervalMs,
  });
}

function stretch(
  sender: SideResult | null,
  receiver: SideResult | null,
  senderSeries: Series | null = null,
  receiverSeries: Series | null = null,
): Stretch {
  const seen = receiver ?? sender;
  const [bytes, wallMs] = [seen?.bytes ?? 0, seen?.wallMs ?? 0];
  return { sender, receiver, senderSeries, receiverSeries, bytes, wallMs, cpuMs: null };
}

function assemble(parts: Parts): Iperf3Document {
  return {
    start: startOf(parts),
    intervals: stretchIntervals(parts.stretches, parts.isSender, parts.intervalMs),
    end: endOf(parts),
    ...(parts.title === null ? {} : { title: parts.title }),
  };
}

function startOf(parts: Parts): Iperf3Start {
  const remote = hostAndPort(parts.remote);
  const local = hostAndPort(parts.local);
  const addresses = {
    ...(local === null ? {} : { local_host: local.host, local_port: local.port }),
    ...(remote === null ? {} : { remote_host: remote.host, remote_port: remote.port }),
  };
  const time = new Date(parts.startedAt);
  const { os, arch, cpu } = parts.environment;
  return {
    connected: Array.from({ length: parts.streams }, (_, index) => ({ socket: index + 1, ...addresses })),
    version: `${parts.tool.name} ${parts.tool.version}`,
    system_info: `${os} ${arch} ${cpu}`,
    timestamp: { time: time.toUTCString(), timesecs: Math.floor(time.getTime() / 1000) },
    ...(remote === null ? {} : { connecting_to: remote }),
    test_start: {
      protocol: parts.protocol,
      num_streams: parts.streams,
      ...(parts.blockBytes === null ? {} : { blksize: parts.blockBytes }),
      omit: 0,
      duration: 0,
      bytes: parts.bytes,
      blocks: 0,
      reverse: parts.isSender ? 0 : 1,
    },
  };
}

function endOf({ stretches, isSender, controller }: Parts): Iperf3End {
  const senders = stretches.map(({ sender }) => sender);
  const receivers = stretches.map(({ receiver }) => receiver);
  const sent = sumOf(senders, isSender) ?? plainSum(stretches, isSender);
  const received = sumOf(receivers, isSender) ?? plainSum(stretches, isSender);
  const lost = senders.some((side) => side === null) ? undefined : sum(senders.map((s) => s!.connection.packetsLost));
  const cpu = cpuOf(stretches);
  return {
    streams: streamEnds(senders, receivers, isSender, lost),
    sum_sent: { ...sent, ...(lost === undefined ? {} : { retransmits: lost }), sender: isSender },
    sum_received: received,
    ...(cpu === null ? {} : { cpu_utilization_percent: cpu }),
    ...(controller === null ? {} : { sender_tcp_congestion: controller }),
  };
}

/** One side of all iterations; null when it is missing in one. */
function sumOf(sides: readonly (SideResult | null)[], isSender: boolean): Iperf3Sum | null {
  const known = sides.filter((side) => side !== null);
  if (known.length === 0 || known.length < sides.length) return null;
  return total(sum(known.map(({ bytes }) => bytes)), sum(known.map(({ wallMs }) => wallMs)), isSender);
}

function plainSum(stretches: readonly Stretch[], isSender: boolean): Iperf3Sum {
  return total(sum(stretches.map(({ bytes }) => bytes)), sum(stretches.map(({ wallMs }) => wallMs)), isSender);
}

/** Each stream over the whole time, as iperf3 has it: their rates add up to the sum's. */
function streamEnds(
  senders: readonly (SideResult | null)[],
  receivers: readonly (SideResult | null)[],
  isSender: boolean,
  lost: number | undefined,
): Iperf3StreamEnd[] {
  const numbers = new Set(
    [...senders, ...receivers].flatMap((side) => side?.streams.map(({ stream }) => stream) ?? []),
  );
  const retransmits = numbers.size === 1 && lost !== undefined ? { retransmits: lost } : {};
  return [...numbers]
    .sort((a, b) => a - b)
    .map((socket) => {
      const sender = streamTotal(senders, socket, isSender);
      const receiver = streamTotal(receivers, socket, isSender);
      return {
        ...(sender === null ? {} : { sender: { socket, ...sender, ...retransmits, ...roundTrips(senders) } }),
        ...(receiver === null ? {} : { receiver: { socket, ...receiver } }),
      };
    });
}

function streamTotal(sides: readonly (SideResult | null)[], socket: number, isSender: boolean): Iperf3Sum | null {
  const all = sumOf(sides, isSender);
  if (all === null) return null;
  const carried = sides.map((side) => side!.streams.find(({ stream }) => stream === socket)?.bytes ?? 0);
  return total(sum(carried), all.seconds * 1000, isSender);
}

/** Of the connection that all streams share, in microseconds. */
function roundTrips(senders: readonly (SideResult | null)[]): { min_rtt?: number } {
  const smallest = senders.map((side) => side?.connection.rttMinMs ?? null).filter((rtt) => rtt !== null);
  return smallest.length === 0 ? {} : { min_rtt: Math.round(Math.min(...smallest) * 1000) };
}

function total(bytes: number, wallMs: number, isSender: boolean): Iperf3Sum {
  const seconds = wallMs / 1000;
  const rate = seconds > 0 ? (bytes * 8) / seconds : 0;
  return { start: 0, end: seconds, seconds, bytes, bits_per_second: rate, sender: isSender };
}

/** Of one processor; user and system are not known apart, and the other side's not at all. */
function cpuOf(stretches: readonly Stretch[]): Iperf3Cpu | null {
  const known = stretches.filter(({ cpuMs, wallMs }) => cpuMs !== null && wallMs > 0);
  if (known.length === 0) return null;
  return { host_total: (100 * sum(known.map((s) => s.cpuMs!))) / sum(known.map((s) => s.wallMs)) };
}

/** `HOST:PORT`, `[IPV6]:PORT`; null of anything else. */
function hostAndPort(text: string | null): { host: string; port: number } | null {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text ?? '');
  return match === null ? null : { host: (match[1] ?? match[2])!, port: Number(match[3]) };
}
