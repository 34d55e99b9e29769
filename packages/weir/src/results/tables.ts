import { alignRight, formatBytes, formatDuration, formatNumber, formatRate } from '../text/index.ts';
import type { SideResult, StreamResult } from './readings.ts';
import type { IterationResult, ResultDocument, TotalsResult } from './result.ts';

/** One column of a table of streams. */
interface Column {
  readonly title: string;
  readonly cell: (stream: StreamResult) => string;
}

const COMMON: readonly Column[] = [
  { title: 'stream', cell: (s) => String(s.stream) },
  { title: 'bytes', cell: (s) => String(s.bytes) },
  { title: 'packets', cell: (s) => String(s.packets) },
  { title: 'first ms', cell: (s) => formatNumber(s.firstByteMs) },
  { title: 'last ms', cell: (s) => formatNumber(s.lastByteMs) },
  { title: 'bytes/ms', cell: (s) => formatNumber(s.bytesPerMs, 0) },
  { title: 'packets/ms', cell: (s) => formatNumber(s.packetsPerMs, 2) },
];

const RECEIVER: readonly Column[] = [
  ...COMMON,
  { title: 'duplicate B', cell: (s) => String(s.duplicateBytes) },
  { title: 'reassembly ms', cell: (s) => formatNumber(s.reassemblyMs) },
];

const SENDER: readonly Column[] = [
  ...COMMON,
  { title: 'resent B', cell: (s) => String(s.retransmittedBytes) },
  { title: 'stream-blocked ms', cell: (s) => formatNumber(s.blockedByStreamMs) },
  { title: 'conn-blocked ms', cell: (s) => formatNumber(s.blockedByConnectionMs) },
];

/** What both sides measured in one iteration, stream by stream: the same text on both ends. Lines without newlines. */
export function iterationTable(result: IterationResult, iterations: number): string[] {
  return [
    `Iteration ${result.iteration} of ${iterations}`,
    ...(result.receiver === null ? ['  no numbers from the receiver'] : sideTable(result.receiver)),
    ...(result.sender === null ? ['  no numbers from the sender'] : sideTable(result.sender)),
    '',
  ];
}

function sideTable(side: SideResult): string[] {
  const isReceiver = side.basis === 'arrivals';
  const columns = isReceiver ? RECEIVER : SENDER;
  const rows = side.streams.map((stream) => columns.map(({ cell }) => cell(stream)));
  return [
    `  ${isReceiver ? 'receiver' : 'sender'}, from ${side.basis}`,
    ...alignRight([columns.map(({ title }) => title), ...rows]).map((line) => `  ${line}`),
    ...sideSummary(side).map((line) => `  ${line}`),
  ];
}

/** One side of an iteration: all streams together, then the connection. */
function sideSummary(side: SideResult): string[] {
  const { connection } = side;
  const together = [
    `${formatBytes(side.bytes)} in ${formatDuration(side.wallMs)}`,
    `${formatNumber(side.bytesPerMs, 0)} bytes/ms (${formatRate(side.bytesPerMs)})`,
    `${formatNumber(side.packetsPerMs, 2)} packets/ms`,
    `fairness ${formatNumber(side.fairness, 3)}`,
  ];
  const means = `${formatNumber(side.meanStreamBytesPerMs, 0)} bytes/ms, ${formatNumber(side.meanStreamPacketsPerMs, 2)} packets/ms`;
  const lines = [`all streams: ${together.join(' · ')}`, `mean of the streams: ${means}`];
  if (side.basis === 'acknowledgements') {
    const rtt = `RTT ${formatNumber(connection.rttMinMs, 2)} ms min, ${formatNumber(connection.rttSmoothedMs, 2)} ms smoothed`;
    lines.push(
      `connection: ${rtt} · cwnd ${formatBytes(connection.congestionWindowBytes)} · ${connection.packetsLost} packets lost`,
    );
  } else if (side.storedAfterMs !== null) {
    lines[1] += ` · verified and stored ${formatDuration(side.storedAfterMs)} after the last byte`;
  }
  return lines;
}

/** All iterations, a line each, and the totals. Lines without newlines. */
export function summaryTable(result: ResultDocument): string[] {
  const head = [
    'iteration',
    'wall ms',
    'bytes/ms',
    'rate',
    'packets',
    'packets/ms',
    'mean stream bytes/ms',
    'fairness',
  ];
  const isDatagrams = result.source === 'classic';
  const loss = isDatagrams ? ['lost'] : ['lost', 'resent B', 'RTT ms'];
  const rows = result.iterations.map((iteration) => [
    ...summaryRow(iteration),
    ...(isDatagrams ? [String(iteration.shortfall?.packetsLost ?? '–')] : lossRow(iteration)),
  ]);
  const lines = alignRight([[...head, ...loss], ...rows]).map((line) => `  ${line}`);
  const { receiver, sender } = result.totals;
  const resent = isDatagrams ? '' : `, ${sender?.packetsLost} packets lost, ${sender?.retransmittedBytes} B resent`;
  return [
    `All iterations${isDatagrams ? '' : ' (times and rates from arrivals, losses from the sender)'}`,
    ...lines,
    ...(receiver === null ? [] : [`  total received: ${totalLine(receiver)}`]),
    ...(sender === null ? [] : [`  total sent:     ${totalLine(sender)}${resent}`]),
    '',
  ];
}

function summaryRow({ iteration, receiver, sender }: IterationResult): string[] {
  const seen = receiver ?? sender;
  return [
    String(iteration),
    formatNumber(seen?.wallMs ?? null),
    formatNumber(seen?.bytesPerMs ?? null, 0),
    formatRate(seen?.bytesPerMs ?? null),
    String(seen?.packets ?? '–'),
    formatNumber(seen?.packetsPerMs ?? null, 2),
    formatNumber(seen?.meanStreamBytesPerMs ?? null, 0),
    formatNumber(seen?.fairness ?? null, 3),
  ];
}

function lossRow({ sender }: IterationResult): string[] {
  const resent = sender?.streams.reduce((total, stream) => total + stream.retransmittedBytes, 0);
  return [
    String(sender?.connection.packetsLost ?? '–'),
    String(resent ?? '–'),
    formatNumber(sender?.connection.rttSmoothedMs ?? null, 2),
  ];
}

function totalLine(total: TotalsResult): string {
  return `${formatBytes(total.bytes)} in ${total.packets} packets, ${formatDuration(total.wallMs)}, ${formatNumber(total.bytesPerMs, 0)} bytes/ms (${formatRate(total.bytesPerMs)})`;
}
