import { RECEIVE_LIMITS, type ReceiveLimit, SEND_LIMITS, type SendLimit } from 'weir-quic';
import type { CarrierSessionStats, CarrierStreamStats } from '../peer/index.ts';

/**
 * What one side read off the meters of one stream in one iteration: plain numbers, as they also go over the wire. Bytes;
 * milliseconds from the side's first byte of the iteration; -1 for what never happened.
 */
export interface StreamReading {
  /** From 1. */
  readonly index: number;
  /** Of the file: what the chunks on this stream add up to. */
  readonly bytes: number;
  /** Of the stream: chunks with their headers. */
  readonly streamBytes: number;
  /** QUIC packets that carried a frame of this stream: arrived, or acknowledged. */
  readonly packets: number;
  /** When its first packet arrived, or was acknowledged. */
  readonly firstAt: number;
  readonly lastAt: number;
  /** Sender: stream bytes sent again. */
  readonly retransmittedBytes: number;
  /** Receiver: stream bytes that had come before. */
  readonly duplicateBytes: number;
  /** Sender: time that data waited for the stream's, or the connection's, flow-control window. */
  readonly blockedByStreamMs: number;
  readonly blockedByConnectionMs: number;
  /** Receiver: time that data waited behind a gap. */
  readonly reassemblyMs: number;
  /** Sender: what the stream waited for from its opening to its last acknowledgement, in the order of SEND_LIMITS. */
  readonly sendLimitMs?: readonly number[];
}

/** What one side read off the connection in one iteration. Counts are of the iteration, estimates as at its end. */
export interface ConnectionReading {
  readonly rttMinMs: number;
  readonly rttSmoothedMs: number;
  readonly congestionWindow: number;
  readonly packetsSent: number;
  readonly packetsReceived: number;
  readonly packetsLost: number;
  readonly bytesLost: number;
  readonly spuriousLosses: number;
  readonly probeTimeouts: number;
  readonly congestionEvents: number;
  /** UDP payload. */
  readonly wireBytesSent: number;
  readonly wireBytesReceived: number;
  /** What sending waited for, in the order of SEND_LIMITS: adds up to `wallMs`. Left out by peers that don't measure it. */
  readonly sendLimitMs?: readonly number[];
  /** What receiving waited for, in the order of RECEIVE_LIMITS, likewise. */
  readonly receiveLimitMs?: readonly number[];
  /** When slow start ended, from the side's first byte of the iteration; 0 when it had ended before, -1 when it hasn't. */
  readonly slowStartEndedAtMs?: number;
}

/** One side's view of one iteration. */
export interface SideReading {
  readonly iteration: number;
  /** Milliseconds from the side's first byte to its last: arrivals, or first transmission to last acknowledgement. */
  readonly wallMs: number;
  /** When the side's first byte was, from the first byte of iteration 1. */
  readonly startedAtMs: number;
  /** Receiver: from the last byte to the file being verified and stored; -1 for a sender. */
  readonly storedAfterMs: number;
  readonly streams: readonly StreamReading[];
  readonly connection: ConnectionReading;
}

/** One stream's counters with what the transfer knows of it. */
export interface MeteredStream {
  readonly index: number;
  /** Bytes of the file that it carried. */
  readonly fileBytes: number;
  readonly stats: CarrierStreamStats;
}

/** The counters of a session at one moment. A copy: what the session hands out may be live. */
export function snapshotOf<S extends CarrierSessionStats>(stats: S): S {
  return { ...stats };
}

/**
 * The connection's part of a reading: `after` minus `before`, which are best taken when the iteration's first byte goes out or
 * comes in, and when the last one has been acknowledged or read.
 */
export function readConnection(
  before: CarrierSessionStats,
  after: CarrierSessionStats,
  { start, end }: Pick<StreamsReading, 'start' | 'end'>,
): ConnectionReading {
  const sending = timesWithin(before.sendLimitMs, after.sendLimitMs, SEND_LIMITS, end - start);
  const receiving = timesWithin(before.receiveLimitMs, after.receiveLimitMs, RECEIVE_LIMITS, end - start);
  const { slowStartEndedAt } = after;
  return {
    rttMinMs: after.rttMin,
    rttSmoothedMs: after.rttSmoothed,
    congestionWindow: after.congestionWindow,
    packetsSent: after.packetsSent - before.packetsSent,
    packetsReceived: after.packetsReceived - before.packetsReceived,
    packetsLost: after.packetsLost - before.packetsLost,
    bytesLost: after.bytesLost - before.bytesLost,
    spuriousLosses: after.spuriousLosses - before.spuriousLosses,
    probeTimeouts: after.ptoCount - before.ptoCount,
    congestionEvents: after.congestionEvents - before.congestionEvents,
    wireBytesSent: after.bytesSent - before.bytesSent,
    wireBytesReceived: after.bytesReceived - before.bytesReceived,
    ...(sending && { sendLimitMs: sending }),
    ...(receiving && { receiveLimitMs: receiving }),
    ...(slowStartEndedAt !== undefined && {
      slowStartEndedAtMs: slowStartEndedAt < 0 ? -1 : Math.max(0, since(start, slowStartEndedAt)),
    }),
  };
}

/** What a side waits for outside of its wall time: before the first byte, and when the last one has come and is yet to be read. */
const OUTSIDE: readonly (SendLimit | ReceiveLimit)[] = ['application', 'event_loop', 'network'];

/**
 * The times by limit that passed between two readings, cut to the wall time, in microseconds. What the readings cover beyond it
 * is taken off the limits that hold there; what they miss of it is this side's own work on the first packets.
 */
function timesWithin(
  before: readonly number[] | undefined,
  after: readonly number[] | undefined,
  limits: readonly (SendLimit | ReceiveLimit)[],
  wallMs: number,
): number[] | undefined {
  if (before === undefined || after === undefined) return undefined;
  const times = after.map((time, i) => Math.max(0, time - before[i]!));
  let excess = times.reduce((sum, time) => sum + time, 0) - wallMs;
  for (const limit of [...OUTSIDE, ...limits]) {
    const i = limits.indexOf(limit);
    const taken = Math.min(Math.max(0, excess), times[i] ?? 0);
    if (taken > 0) times[i]! -= taken;
    excess -= taken;
  }
  if (excess < 0) times[limits.indexOf('event_loop')]! -= excess;
  return roundTogether(times, round(wallMs));
}

/** Rounds to microseconds, such that the sum is `total`: the largest takes what rounding changes. */
function roundTogether(times: readonly number[], total: number): number[] {
  const rounded = times.map(round);
  const largest = rounded.indexOf(Math.max(...rounded));
  const others = rounded.reduce((sum, time, i) => (i === largest ? sum : sum + time), 0);
  rounded[largest] = round(total - others);
  return rounded;
}

/** A sender's streams, from acknowledgements. Also returns the moment of the first byte on the session's clock. */
export function readSentStreams(streams: readonly MeteredStream[]): StreamsReading {
  const start = earliest(streams.map(({ stats }) => stats.firstSentAt));
  const end = Math.max(start, ...streams.map(({ stats }) => stats.lastAckedAt));
  const readings = streams.map(({ index, fileBytes, stats }) => ({
    index,
    bytes: fileBytes,
    streamBytes: stats.bytesAcked,
    packets: stats.packetsAcked,
    firstAt: since(start, stats.firstAckedAt),
    lastAt: since(start, stats.lastAckedAt),
    retransmittedBytes: stats.bytesRetransmitted,
    duplicateBytes: 0,
    blockedByStreamMs: stats.blockedByStreamMs,
    blockedByConnectionMs: stats.blockedByConnectionMs,
    reassemblyMs: 0,
    ...(stats.sendLimitMs && { sendLimitMs: stats.sendLimitMs.map(round) }),
  }));
  return { start, end, readings };
}

/** A receiver's streams, from arrivals. */
export function readReceivedStreams(streams: readonly MeteredStream[]): StreamsReading {
  const start = earliest(streams.map(({ stats }) => stats.firstReceivedAt));
  const end = Math.max(start, ...streams.map(({ stats }) => stats.lastReceivedAt));
  const readings = streams.map(({ index, fileBytes, stats }) => ({
    index,
    bytes: fileBytes,
    streamBytes: stats.bytesReceived,
    packets: stats.packetsReceived,
    firstAt: since(start, stats.firstReceivedAt),
    lastAt: since(start, stats.lastReceivedAt),
    retransmittedBytes: 0,
    duplicateBytes: stats.bytesDuplicate,
    blockedByStreamMs: 0,
    blockedByConnectionMs: 0,
    reassemblyMs: stats.reassemblyMs,
  }));
  return { start, end, readings };
}

/** The streams of one iteration with its bounds on the session's clock. */
export interface StreamsReading {
  readonly start: number;
  readonly end: number;
  readonly readings: readonly StreamReading[];
}

function earliest(times: readonly number[]): number {
  const happened = times.filter((time) => time >= 0);
  return happened.length === 0 ? 0 : Math.min(...happened);
}

/** Microseconds are the finest that the clock means, and more digits only make documents longer. */
function since(start: number, time: number): number {
  return time < 0 ? -1 : round(time - start);
}

/** Rounds milliseconds to microseconds. */
export function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
