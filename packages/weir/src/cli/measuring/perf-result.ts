import type { PerfConnectionReport, PerfReport, PerfStreamReport } from '../../perf/index.ts';
import { type Environment, ratePerMs, SeededRandom, type Summary, sum, summarize } from '../../results/index.ts';
import type { RunSummary } from '../../runs/index.ts';
import { formatBytes, formatDuration, formatNumber, formatRate } from '../../text/index.ts';

/** The name of the document that `weir perf --json` prints, with its version. docs/perf.md describes it. */
export const PERF_SCHEMA = 'weir-perf/1';

/** One stream of an iteration, as it is printed. */
export interface PerfStreamResult extends PerfStreamReport {
  /** Of the time in which the stream was open; null when that was none. */
  readonly bitsPerSecond: number | null;
}

/** One iteration, as it is printed. */
export interface PerfIterationResult {
  /** From 1. */
  readonly iteration: number;
  readonly bytes: number;
  readonly wallMs: number;
  /** All bytes over the wall time: never the sum of the streams' rates. */
  readonly bitsPerSecond: number | null;
  readonly streams: readonly PerfStreamResult[];
  readonly connection: PerfConnectionReport;
}

/** What `weir perf --json` prints. */
export interface PerfDocument {
  readonly schema: typeof PERF_SCHEMA;
  readonly weir: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly environment: Environment;
  readonly server: string;
  readonly direction: 'up' | 'down';
  readonly streams: number;
  /** Asked for in each iteration: one of the two. */
  readonly bytes: number | null;
  readonly durationMs: number | null;
  readonly connection: {
    readonly cipher: string;
    readonly congestionController: string;
    readonly remoteAddress: string;
  } | null;
  readonly iterations: readonly PerfIterationResult[];
  /** Of the iterations' rates in bits per second; null without any. */
  readonly summary: Summary | null;
  readonly outcome: {
    readonly status: 'complete' | 'failed';
    readonly exitCode: number;
    readonly message: string | null;
  };
}

/** Makes the result of one iteration. */
export function perfIteration(iteration: number, report: PerfReport): PerfIterationResult {
  const { bytes, wallMs, connection } = report;
  const streams = report.streams.map((stream) => ({
    ...stream,
    openedAtMs: toMicros(stream.openedAtMs),
    endedAtMs: toMicros(stream.endedAtMs),
    bitsPerSecond: bitRate(stream.bytes, stream.endedAtMs - stream.openedAtMs),
  }));
  return {
    iteration,
    bytes,
    wallMs: toMicros(wallMs),
    bitsPerSecond: bitRate(bytes, wallMs),
    streams,
    connection: inMicros(connection),
  };
}

/** The iterations' rates together; null without any that has one. */
export function perfSummary(iterations: readonly PerfIterationResult[]): Summary | null {
  const rates = iterations.flatMap(({ bitsPerSecond }) => bitsPerSecond ?? []);
  return rates.length === 0 ? null : summarize(rates, new SeededRandom(1));
}

/** What `weir runs` says of it. */
export function runSummary(document: PerfDocument): RunSummary {
  const { iterations, summary, outcome, direction, server } = document;
  return {
    status: outcome.status,
    message: outcome.message,
    target: server,
    subject: `perf ${direction}`,
    bytes: sum(iterations.map(({ bytes }) => bytes)),
    streams: [document.streams],
    iterations: iterations.length,
    bytesPerMs: summary === null ? null : summary.median / 8000,
  };
}

/** One iteration as lines for people. */
export function perfTable(result: PerfIterationResult, direction: 'up' | 'down', iterations: number): string[] {
  const { streams, connection } = result;
  const of = iterations > 1 ? ` ${result.iteration} of ${iterations}` : '';
  const rows = [
    ['stream', 'bytes', 'opened ms', 'ended ms', 'Mbit/s', ...(direction === 'up' ? ['resent B'] : [])],
    ...streams.map((stream) => [
      `${stream.stream}`,
      `${stream.bytes}`,
      formatNumber(stream.openedAtMs),
      formatNumber(stream.endedAtMs),
      formatNumber(stream.bitsPerSecond === null ? null : stream.bitsPerSecond / 1e6, 1),
      ...(direction === 'up' ? [`${stream.retransmittedBytes}`] : []),
    ]),
  ];
  return [
    `Iteration${of}, ${direction}`,
    ...alignRight(rows).map((line) => `  ${line}`),
    `  all streams: ${formatBytes(result.bytes)} in ${formatDuration(result.wallMs)} · ${rate(result.bitsPerSecond)}`,
    `  connection: ${connectionLine(connection, direction)}`,
    '',
  ];
}

/** All iterations in two lines; none for a single one. */
export function perfSummaryLines(summary: Summary | null): string[] {
  if (summary === null || summary.count < 2) return [];
  const { count, median, mean, minimum, maximum, interval } = summary;
  return [
    `${count} iterations: median ${rate(median)}, mean ${rate(mean)}, ${rate(minimum)} to ${rate(maximum)}`,
    `95% interval of the median: ${rate(interval[0])} to ${rate(interval[1])}${count < 6 ? ' (of so few it promises less)' : ''}`,
  ];
}

function connectionLine(connection: PerfConnectionReport, direction: 'up' | 'down'): string {
  const { rttMinMs, rttSmoothedMs, congestionWindowBytes, packetsLost, datagramBytes, limitsMs } = connection;
  const parts = [`RTT ${formatNumber(rttMinMs, 2)} ms min, ${formatNumber(rttSmoothedMs, 2)} ms smoothed`];
  // The server's window and losses are what would count the other way, and only the server knows them.
  if (direction === 'up')
    parts.push(
      `cwnd ${formatBytes(Math.round(congestionWindowBytes))}`,
      `${packetsLost} packets lost`,
      `datagrams of ${datagramBytes} B`,
    );
  const [limit, ms] = Object.entries(limitsMs).reduce((most, each) => (each[1] > most[1] ? each : most), ['', 0]);
  const total = Object.values(limitsMs).reduce((all, each) => all + each, 0);
  if (total > 0) parts.push(`${Math.round((ms / total) * 100)}% ${limit.replaceAll('_', ' ')}`);
  return parts.join(' · ');
}

function bitRate(bytes: number, ms: number): number | null {
  const bytesPerMs = ratePerMs(bytes, ms);
  return bytesPerMs === undefined ? null : Math.round(bytesPerMs * 8000);
}

function rate(bitsPerSecond: number | null): string {
  return formatRate(bitsPerSecond === null ? null : bitsPerSecond / 8000);
}

function inMicros(connection: PerfConnectionReport): PerfConnectionReport {
  const limits = Object.entries(connection.limitsMs).map(([limit, ms]) => [limit, toMicros(ms)]);
  return {
    ...connection,
    rttMinMs: toMicros(connection.rttMinMs),
    rttSmoothedMs: toMicros(connection.rttSmoothedMs),
    limitsMs: Object.fromEntries(limits),
  };
}

/** Microseconds are the finest that the clock means. */
function toMicros(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

function alignRight(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => row.map((cell, column) => cell.padStart(widths[column]!)).join('  '));
}
