import type { SideResult } from '../../results/readings.ts';
import type { IterationSides } from './documents.ts';
import { digits } from './units.ts';

/** All numbers of an iteration's streams, and of its course: the text behind the charts. */
export function iterationTables(sides: IterationSides): HTMLElement[] {
  return [
    ...(sides.receiver === null ? [] : [streamTable('receiver', sides.receiver)]),
    ...(sides.sender === null ? [] : [streamTable('sender', sides.sender)]),
    ...courseTable(sides),
  ];
}

const COLUMNS = ['stream', 'bytes', 'packets', 'first ms', 'last ms', 'Mbit/s'] as const;

function streamTable(name: 'sender' | 'receiver', side: SideResult): HTMLElement {
  const extra =
    name === 'sender' ? ['resent B', 'stream-blocked ms', 'conn-blocked ms'] : ['duplicate B', 'reassembly ms'];
  const rows = side.streams.map((stream) => [
    stream.stream,
    stream.bytes,
    stream.packets,
    stream.firstByteMs,
    stream.lastByteMs,
    stream.bytesPerMs === null ? null : stream.bytesPerMs * 0.008,
    ...(name === 'sender'
      ? [stream.retransmittedBytes, stream.blockedByStreamMs, stream.blockedByConnectionMs]
      : [stream.duplicateBytes, stream.reassemblyMs]),
  ]);
  return table(`Streams as the ${name} saw them (${side.basis})`, [...COLUMNS, ...extra], rows);
}

/** More rows than these say no more than the chart. */
const MOST_ROWS = 50;

function courseTable({ senderSeries, receiverSeries }: IterationSides): HTMLElement[] {
  const series = senderSeries ?? receiverSeries;
  if (series === null || series.atMs.length === 0) return [];
  const length = series.atMs.length;
  const count = Math.min(MOST_ROWS, length);
  const picked = Array.from({ length: count }, (_, i) => Math.round((i * (length - 1)) / Math.max(1, count - 1)));
  const rows = picked.map((i) => [
    series.atMs[i]!,
    series.streamBytes.reduce((sum, column) => sum + column[i]!, 0),
    series.congestionWindowBytes[i]!,
    series.bytesInFlight[i]!,
    series.rttMs[i] ?? null,
    series.packetsLost[i]!,
  ]);
  const side = senderSeries === null ? 'receiver' : 'sender';
  const some = count < length ? `, ${count} of ${length} samples` : '';
  return [
    table(
      `Course as the ${side} saw it${some}`,
      ['at ms', 'bytes', 'cwnd B', 'in flight B', 'RTT ms', 'packets lost'],
      rows,
    ),
  ];
}

function table(
  caption: string,
  columns: readonly string[],
  rows: readonly (readonly (number | null)[])[],
): HTMLElement {
  const region = document.createElement('div');
  region.className = 'table';
  region.tabIndex = 0;
  region.setAttribute('role', 'region');
  region.setAttribute('aria-label', caption);
  const element = document.createElement('table');
  element.createCaption().textContent = caption;
  const head = element.createTHead().insertRow();
  for (const column of columns) {
    const cell = document.createElement('th');
    cell.scope = 'col';
    cell.textContent = column;
    head.append(cell);
  }
  const body = element.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    for (const value of row) {
      line.insertCell().textContent = value === null ? '–' : Number.isInteger(value) ? String(value) : digits(value);
    }
  }
  region.append(element);
  return region;
}
