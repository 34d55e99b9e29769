import type { Series } from '../gauge/series.ts';
import type { Iperf3Interval, Iperf3IntervalStream } from './iperf3-shape.ts';
import type { SideResult } from './readings.ts';
import { sum } from './statistics/index.ts';
import { valueAt } from './steady-state.ts';

/** Intervals of one iteration at most: iperf3 measures a day at the longest. Documents come from others, too. */
const MAX_INTERVALS = 86_400;

/** One iteration. Where neither side told, its bytes and its time are all there is. */
export interface Stretch {
  readonly sender: SideResult | null;
  readonly receiver: SideResult | null;
  readonly senderSeries: Series | null;
  readonly receiverSeries: Series | null;
  readonly bytes: number;
  readonly wallMs: number;
  readonly cpuMs: number | null;
}

/** What one interval of one iteration has, times from the iteration's start. */
interface Piece {
  readonly fromMs: number;
  readonly toMs: number;
  /** One a stream. */
  readonly bytes: readonly number[];
  readonly lost: number | null;
  readonly windowBytes: number | null;
  readonly rttMs: number | null;
}

/**
 * The iterations one after the other, each cut into intervals from the course of the side that writes this (or, where it has none,
 * of the other); without one, and where it would be more than MAX_INTERVALS, an iteration is one interval.
 * @param isSender whether the side that writes this sent.
 */
export function stretchIntervals(
  stretches: readonly Stretch[],
  isSender: boolean,
  intervalMs: number,
): Iperf3Interval[] {
  const intervals: Iperf3Interval[] = [];
  let startMs = 0;
  for (const stretch of stretches) {
    for (const piece of cut(stretch, isSender, intervalMs)) intervals.push(interval(piece, startMs, isSender));
    startMs += lengthOf(stretch, isSender);
  }
  return intervals;
}

function own<T>(isSender: boolean, sender: T | null, receiver: T | null): T | null {
  return (isSender ? sender : receiver) ?? sender ?? receiver;
}

function lengthOf({ sender, receiver, wallMs }: Stretch, isSender: boolean): number {
  return own(isSender, sender, receiver)?.wallMs ?? wallMs;
}

function cut(stretch: Stretch, isSender: boolean, intervalMs: number): Piece[] {
  const length = lengthOf(stretch, isSender);
  const series = own(isSender, stretch.senderSeries, stretch.receiverSeries);
  if (series === null || series.atMs.length < 2 || length > MAX_INTERVALS * intervalMs)
    return [whole(stretch, isSender, length)];
  const isSenders = isSender ? stretch.senderSeries !== null : stretch.receiverSeries === null;
  const pieces: Piece[] = [];
  for (let from = 0; from < length; from += intervalMs) {
    pieces.push(pieceOf(series, from, Math.min(from + intervalMs, length), isSenders));
  }
  return pieces;
}

function whole(stretch: Stretch, isSender: boolean, toMs: number): Piece {
  const { sender, receiver } = stretch;
  const side = own(isSender, sender, receiver);
  const connection = (isSender || receiver === null ? sender : null)?.connection ?? null;
  return {
    fromMs: 0,
    toMs,
    bytes: side === null ? [stretch.bytes] : side.streams.map(({ bytes }) => bytes),
    lost: connection?.packetsLost ?? null,
    windowBytes: connection?.congestionWindowBytes ?? null,
    rttMs: connection?.rttSmoothedMs ?? null,
  };
}

function pieceOf(series: Series, fromMs: number, toMs: number, isSenders: boolean): Piece {
  const gained = (counts: readonly number[]): number =>
    Math.round(valueAt(series.atMs, counts, toMs)) - Math.round(valueAt(series.atMs, counts, fromMs));
  const last = Math.max(
    0,
    series.atMs.findLastIndex((at) => at <= toMs),
  );
  return {
    fromMs,
    toMs,
    bytes: series.streamBytes.map(gained),
    lost: isSenders ? gained(series.packetsLost) : null,
    windowBytes: isSenders ? series.congestionWindowBytes[last]! : null,
    rttMs: isSenders ? series.rttMs[last]! : null,
  };
}

function interval(piece: Piece, startMs: number, isSender: boolean): Iperf3Interval {
  const [start, end] = [(startMs + piece.fromMs) / 1000, (startMs + piece.toMs) / 1000];
  const seconds = end - start;
  const retransmits = piece.lost === null ? {} : { retransmits: piece.lost };
  const sumOf = (bytes: number) => {
    const bits_per_second = seconds > 0 ? (bytes * 8) / seconds : 0;
    return { start, end, seconds, bytes, bits_per_second, omitted: false, sender: isSender } as const;
  };
  const streams = piece.bytes.map(
    (bytes, index): Iperf3IntervalStream => ({
      socket: index + 1,
      ...sumOf(bytes),
      // Losses are the connection's: with several streams they are nobody's in particular.
      ...(piece.bytes.length === 1 ? retransmits : {}),
      ...(piece.windowBytes === null ? {} : { snd_cwnd: Math.round(piece.windowBytes) }),
      ...(piece.rttMs === null ? {} : { rtt: Math.round(piece.rttMs * 1000) }),
    }),
  );
  return { streams, sum: { ...sumOf(sum(piece.bytes)), ...retransmits } };
}
