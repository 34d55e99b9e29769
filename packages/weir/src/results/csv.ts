import { RECEIVE_LIMITS, SEND_LIMITS } from 'weir-quic';
import type { SideResult, StreamResult } from './readings.ts';
import type { CellSettings, Experiment, IterationRecord } from './record.ts';
import type { ResultDocument } from './result.ts';
import { sum } from './statistics/index.ts';

type Field = string | number | boolean | null;

/** Names and values of a row's fields, in order. */
type Fields<Row> = readonly (readonly [name: string, value: (row: Row) => Field])[];

interface CellRow {
  readonly settings: CellSettings;
  readonly record: IterationRecord;
}

/** An experiment as CSV (RFC 4180): a header, then one row for each iteration, warm-ups and failed ones too. Empty: no such number. */
export function experimentCsv({ header, iterations }: Experiment): string {
  const rows = iterations.flatMap((record) => {
    const settings = header.cells[record.cell];
    return settings === undefined ? [] : [{ settings, record }];
  });
  return csv(CELL_FIELDS, rows);
}

interface StreamRow {
  readonly iteration: number;
  readonly side: 'receiver' | 'sender';
  readonly result: SideResult;
  readonly stream: StreamResult;
}

/** A transfer's streams as CSV: one row for each stream of each side of each iteration. */
export function streamsCsv(document: ResultDocument): string {
  const rows = document.iterations.flatMap(({ iteration, receiver, sender }) =>
    (['receiver', 'sender'] as const).flatMap((side) => {
      const result = side === 'receiver' ? receiver : sender;
      return result?.streams.map((stream) => ({ iteration, side, result, stream })) ?? [];
    }),
  );
  return csv(STREAM_FIELDS, rows);
}

const CELL_FIELDS: Fields<CellRow> = [
  ['order', ({ record }) => record.order],
  ['cell', ({ record }) => record.cell + 1],
  ['iteration', ({ record }) => record.iteration],
  ['warmup', ({ record }) => record.warmup],
  ['status', ({ record }) => record.status],
  ['message', ({ record }) => record.message],
  ['started_at', ({ record }) => record.startedAt],
  ['transport', ({ settings }) => settings.transport],
  ['direction', ({ settings }) => settings.direction],
  ['streams', ({ settings }) => settings.streams],
  ['size_bytes', ({ settings }) => settings.bytes],
  ['congestion_controller', ({ settings }) => settings.cc],
  ['datagram_bytes', ({ settings }) => settings.datagramBytes],
  ['path', ({ settings }) => settings.path],
  ['window_bytes', ({ settings }) => settings.windowBytes],
  ['carried_bytes', ({ record }) => record.bytes],
  ['wall_ms', ({ record }) => record.wallMs],
  ['bytes_per_ms', ({ record }) => record.bytesPerMs],
  ['bits_per_second', ({ record }) => (record.bytesPerMs === null ? null : Math.round(record.bytesPerMs * 8000))],
  ['cpu_ms', ({ record }) => record.cpuMs],
  ['fairness', ({ record }) => (record.receiver ?? record.sender)?.fairness ?? null],
  ['rtt_min_ms', ({ record }) => record.sender?.connection.rttMinMs ?? null],
  ['rtt_smoothed_ms', ({ record }) => record.sender?.connection.rttSmoothedMs ?? null],
  ['congestion_window_bytes', ({ record }) => record.sender?.connection.congestionWindowBytes ?? null],
  ['packets_sent', ({ record }) => record.sender?.connection.packetsSent ?? null],
  ['packets_lost', ({ record }) => record.sender?.connection.packetsLost ?? null],
  ['bytes_lost', ({ record }) => record.sender?.connection.bytesLost ?? null],
  ['spurious_losses', ({ record }) => record.sender?.connection.spuriousLosses ?? null],
  ['congestion_events', ({ record }) => record.sender?.connection.congestionEvents ?? null],
  ['probe_timeouts', ({ record }) => record.sender?.connection.probeTimeouts ?? null],
  ['retransmitted_bytes', ({ record }) => retransmitted(record.sender)],
  ['slow_start_ms', ({ record }) => record.sender?.connection.slowStartMs ?? null],
  ...SEND_LIMITS.map(
    (limit) =>
      [`sender_${limit}_ms`, ({ record }: CellRow) => record.sender?.connection.limitsMs?.[limit] ?? null] as const,
  ),
  ...RECEIVE_LIMITS.map(
    (limit) =>
      [`receiver_${limit}_ms`, ({ record }: CellRow) => record.receiver?.connection.limitsMs?.[limit] ?? null] as const,
  ),
];

const STREAM_FIELDS: Fields<StreamRow> = [
  ['iteration', ({ iteration }) => iteration],
  ['side', ({ side }) => side],
  ['basis', ({ result }) => result.basis],
  ['stream', ({ stream }) => stream.stream],
  ['bytes', ({ stream }) => stream.bytes],
  ['stream_bytes', ({ stream }) => stream.streamBytes],
  ['packets', ({ stream }) => stream.packets],
  ['first_byte_ms', ({ stream }) => stream.firstByteMs],
  ['last_byte_ms', ({ stream }) => stream.lastByteMs],
  ['duration_ms', ({ stream }) => stream.durationMs],
  ['bytes_per_ms', ({ stream }) => stream.bytesPerMs],
  ['packets_per_ms', ({ stream }) => stream.packetsPerMs],
  ['retransmitted_bytes', ({ stream }) => stream.retransmittedBytes],
  ['duplicate_bytes', ({ stream }) => stream.duplicateBytes],
  ['blocked_by_stream_ms', ({ stream }) => stream.blockedByStreamMs],
  ['blocked_by_connection_ms', ({ stream }) => stream.blockedByConnectionMs],
  ['reassembly_ms', ({ stream }) => stream.reassemblyMs],
  ...SEND_LIMITS.map(
    (limit) => [`sender_${limit}_ms`, ({ stream }: StreamRow) => stream.limitsMs?.[limit] ?? null] as const,
  ),
];

function retransmitted(sender: SideResult | null): number | null {
  return sender === null ? null : sum(sender.streams.map((stream) => stream.retransmittedBytes));
}

function csv<Row>(fields: Fields<Row>, rows: readonly Row[]): string {
  const lines = [fields.map(([name]) => name), ...rows.map((row) => fields.map(([, value]) => quote(value(row))))];
  return lines.map((line) => `${line.join(',')}\r\n`).join('');
}

/** RFC 4180 §2: quotes around what has a comma, a quote or a line break in it, and quotes doubled. */
function quote(field: Field): string {
  const text = field === null ? '' : String(field);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
