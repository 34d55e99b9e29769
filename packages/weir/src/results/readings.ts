import { RECEIVE_LIMITS, SEND_LIMITS } from 'weir-quic';
import type { SideReading, StreamReading } from '../transfer/index.ts';
import { jainIndex, mean, ratePerMs, sum } from './statistics/index.ts';

/**
 * Where a side's numbers come from: packets that arrived, acknowledgements that came back, or, where nothing is acknowledged,
 * packets that went out.
 */
export type Basis = 'arrivals' | 'acknowledgements' | 'transmissions';

/** One stream of one iteration as one side saw it. Bytes and milliseconds; null where there is no meaningful number. */
export interface StreamResult {
  readonly stream: number;
  readonly bytes: number;
  readonly streamBytes: number;
  readonly packets: number;
  /** From the side's first byte of the iteration. */
  readonly firstByteMs: number | null;
  readonly lastByteMs: number | null;
  /** First to last byte of this stream: what its rates are over. */
  readonly durationMs: number | null;
  readonly bytesPerMs: number | null;
  readonly packetsPerMs: number | null;
  readonly retransmittedBytes: number;
  readonly duplicateBytes: number;
  readonly blockedByStreamMs: number;
  readonly blockedByConnectionMs: number;
  readonly reassemblyMs: number;
  /** Sender: what the stream waited for from its opening to its end, by name of SEND_LIMITS; null where it wasn't measured. */
  readonly limitsMs: Readonly<Record<string, number>> | null;
}

/** The connection in one iteration as one side saw it. */
export interface ConnectionResult {
  readonly rttMinMs: number | null;
  readonly rttSmoothedMs: number | null;
  readonly congestionWindowBytes: number;
  readonly packetsSent: number;
  readonly packetsReceived: number;
  readonly packetsLost: number;
  readonly bytesLost: number;
  readonly spuriousLosses: number;
  readonly probeTimeouts: number;
  readonly congestionEvents: number;
  readonly wireBytesSent: number;
  readonly wireBytesReceived: number;
  /**
   * What the side waited for, by name: of SEND_LIMITS for a sender, of RECEIVE_LIMITS for a receiver. Adds up to `wallMs`; null
   * where it wasn't measured.
   */
  readonly limitsMs: Readonly<Record<string, number>> | null;
  /** Sender: slow start of this iteration, from the first byte; 0 when it was over before, null while it lasts or isn't known. */
  readonly slowStartMs: number | null;
}

/** One iteration as one side saw it. */
export interface SideResult {
  readonly basis: Basis;
  /** First to last byte over all streams. */
  readonly wallMs: number;
  /** First byte, from the first byte of iteration 1. */
  readonly startedAtMs: number;
  /** Receiver: from the last byte to verified and stored. */
  readonly storedAfterMs: number | null;
  readonly bytes: number;
  readonly packets: number;
  /** All bytes over wall time: the rate of the transfer. Never the sum of the streams' rates. */
  readonly bytesPerMs: number | null;
  readonly packetsPerMs: number | null;
  /** The mean over the streams that have a rate, each over its own time. */
  readonly meanStreamBytesPerMs: number | null;
  readonly meanStreamPacketsPerMs: number | null;
  /** Jain's index of the streams' bytes. */
  readonly fairness: number | null;
  readonly connection: ConnectionResult;
  readonly streams: readonly StreamResult[];
}

/** Turns a side's raw reading into results: the same arithmetic on both ends, so that both show the same. */
export function sideResult(reading: SideReading, basis: Basis): SideResult {
  const streams = reading.streams.map(streamResult);
  const bytes = sum(streams.map((stream) => stream.bytes));
  const packets = sum(streams.map((stream) => stream.packets));
  const { connection } = reading;
  return {
    basis,
    wallMs: reading.wallMs,
    startedAtMs: reading.startedAtMs,
    storedAfterMs: happened(reading.storedAfterMs),
    bytes,
    packets,
    bytesPerMs: rate(bytes, reading.wallMs),
    packetsPerMs: rate(packets, reading.wallMs),
    meanStreamBytesPerMs: orNull(mean(known(streams.map((stream) => stream.bytesPerMs)))),
    meanStreamPacketsPerMs: orNull(mean(known(streams.map((stream) => stream.packetsPerMs)))),
    fairness: orNull(jainIndex(streams.map((stream) => stream.bytes))),
    connection: {
      rttMinMs: happened(connection.rttMinMs),
      rttSmoothedMs: happened(connection.rttSmoothedMs),
      congestionWindowBytes: connection.congestionWindow,
      packetsSent: connection.packetsSent,
      packetsReceived: connection.packetsReceived,
      packetsLost: connection.packetsLost,
      bytesLost: connection.bytesLost,
      spuriousLosses: connection.spuriousLosses,
      probeTimeouts: connection.probeTimeouts,
      congestionEvents: connection.congestionEvents,
      wireBytesSent: connection.wireBytesSent,
      wireBytesReceived: connection.wireBytesReceived,
      limitsMs:
        basis === 'arrivals'
          ? named(RECEIVE_LIMITS, connection.receiveLimitMs)
          : named(SEND_LIMITS, connection.sendLimitMs),
      slowStartMs: basis === 'arrivals' ? null : happened(connection.slowStartEndedAtMs ?? -1),
    },
    streams,
  };
}

function streamResult(reading: StreamReading): StreamResult {
  const first = happened(reading.firstAt);
  const last = happened(reading.lastAt);
  const duration = first === null || last === null ? null : roundMs(last - first);
  return {
    stream: reading.index,
    bytes: reading.bytes,
    streamBytes: reading.streamBytes,
    packets: reading.packets,
    firstByteMs: first,
    lastByteMs: last,
    durationMs: duration,
    bytesPerMs: rate(reading.bytes, duration ?? 0),
    packetsPerMs: rate(reading.packets, duration ?? 0),
    retransmittedBytes: reading.retransmittedBytes,
    duplicateBytes: reading.duplicateBytes,
    blockedByStreamMs: roundMs(reading.blockedByStreamMs),
    blockedByConnectionMs: roundMs(reading.blockedByConnectionMs),
    reassemblyMs: roundMs(reading.reassemblyMs),
    limitsMs: named(SEND_LIMITS, reading.sendLimitMs),
  };
}

/** Times with the names of their limits. */
function named(limits: readonly string[], times: readonly number[] | undefined): Record<string, number> | null {
  if (times === undefined) return null;
  return Object.fromEntries(limits.map((limit, i) => [limit, times[i] ?? 0]));
}

/** Milliseconds to the microsecond. */
export function roundMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** Results are null, not -1, where a thing never happened. */
function happened(value: number): number | null {
  return value < 0 ? null : roundMs(value);
}

function rate(amount: number, milliseconds: number): number | null {
  return orNull(ratePerMs(amount, milliseconds));
}

function known(values: readonly (number | null)[]): number[] {
  return values.filter((value) => value !== null);
}

/** Nine significant digits are more than any clock here justifies, and leave nothing to rounding in what is made of them. */
function orNull(value: number | undefined): number | null {
  return value === undefined ? null : Number(value.toPrecision(9));
}
