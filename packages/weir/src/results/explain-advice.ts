import { formatBytes, formatNumber } from '../text/index.ts';
import type { BothSides, Cause, LimitShare } from './explain.ts';
import type { SideResult } from './readings.ts';
import { median, sum } from './statistics/index.ts';

/** What the advice is made of besides the shares. Null: not known. */
export interface Evidence {
  /** Of the packets that the sender sent. */
  readonly lostShare: number;
  readonly rttMinMs: number | null;
  readonly rttSmoothedMs: number | null;
  readonly congestionWindowBytes: number | null;
  /** What arrived, or was acknowledged, per millisecond. */
  readonly bytesPerMs: number | null;
  /** In no iteration slow start came to its end. */
  readonly isAllSlowStart: boolean;
  /** What the receiver waited for. */
  readonly receiving: readonly LimitShare[];
}

/** From here on the receiver's own waits are a part of the matter. */
const WORTH_NAMING = 0.2;
/** A smoothed RTT this much above the smallest is a queue, not noise. */
const QUEUE_RATIO = 1.25;
const QUEUE_MS = 1;

/** Counts added up over the iterations, estimates as their medians. */
export function gatherEvidence(iterations: readonly BothSides[], receiving: readonly LimitShare[]): Evidence {
  const senders = iterations.map(({ sender }) => sender).filter((side) => side !== null);
  const connections = senders.map(({ connection }) => connection);
  const sent = sum(connections.map(({ packetsSent }) => packetsSent));
  const rates = iterations.map(({ sender, receiver }) => (receiver ?? sender)?.bytesPerMs ?? null);
  return {
    lostShare: sent === 0 ? 0 : sum(connections.map(({ packetsLost }) => packetsLost)) / sent,
    rttMinMs: medianOf(connections.map(({ rttMinMs }) => rttMinMs)),
    rttSmoothedMs: medianOf(connections.map(({ rttSmoothedMs }) => rttSmoothedMs)),
    congestionWindowBytes: medianOf(connections.map(({ congestionWindowBytes }) => congestionWindowBytes)),
    bytesPerMs: medianOf(rates),
    isAllSlowStart: senders.length > 0 && senders.every(isInSlowStart),
    receiving,
  };
}

/** What to do, or to know, about a cause. */
export function adviceFor(side: 'sender' | 'receiver', cause: Cause, evidence: Evidence | null): string {
  switch (cause) {
    case 'path':
      return evidence === null ? '' : pathAdvice(evidence);
    case 'connection_flow_control':
      return windowAdvice("raise the receiver's --window", evidence);
    case 'stream_flow_control':
      return windowAdvice("raise the receiver's --window, or send over more streams", evidence);
    case 'stream_limit':
      return 'use fewer streams, or a receiver that allows more';
    case 'application':
      return side === 'sender'
        ? 'what it reads from, or computes, is slower than the path'
        : 'what it writes to, or computes, is slower than the path';
    case 'kernel':
      return 'weir doctor tells how large socket buffers may be';
    case 'event_loop':
      return 'a faster processor, or less beside it on this one; weir doctor tells whether the native paths are in use';
    case 'delivery':
      return deliveryAdvice(evidence);
    case 'handshake':
      return 'send more over one connection';
    case 'network':
      return "why it was not there earlier, only the sender's times can tell";
    case 'reassembly':
      return 'lost packets hold up what came after them; more streams hold up less of it';
  }
}

/** A window that is used up may be too small, or the receiver does not empty it. */
function windowAdvice(remedy: string, evidence: Evidence | null): string {
  const [first] = (evidence?.receiving ?? []).filter(({ limit }) => limit !== 'network');
  if (first === undefined || first.share < WORTH_NAMING) return remedy;
  const share = `${Math.round(first.share * 100)}% of the time`;
  if (first.limit === 'application') {
    return `the receiving program reads too slowly, ${share} data waited for it; a larger --window would only hold more of it`;
  }
  if (first.limit === 'event_loop')
    return `the receiving process was busy, ${share}; a faster processor there, or ${remedy}`;
  return `${remedy}: the receiver held data behind gaps ${share}, and a window must have room for that`;
}

function deliveryAdvice(evidence: Evidence | null): string {
  const rtt = evidence?.rttMinMs ?? null;
  return `the transfer is short against the round trip${rtt === null ? '' : ` of ${formatNumber(rtt)} ms`}: send more at once`;
}

/** Congestion control waits for three reasons: the path is full, packets are lost, or it does not know the path yet. */
function pathAdvice(evidence: Evidence): string {
  const { lostShare, rttMinMs, rttSmoothedMs, isAllSlowStart } = evidence;
  const lost = `${twoDigits(lostShare * 100)}% of the packets`;
  const window = windowAgainstProduct(evidence);
  if (rttMinMs !== null && rttSmoothedMs !== null && hasQueue(rttMinMs, rttSmoothedMs)) {
    const queue = `its queue makes an RTT of ${formatNumber(rttSmoothedMs)} ms out of ${formatNumber(rttMinMs)} ms`;
    return `it is full: ${queue}${lostShare > 0 ? ` and drops ${lost}` : ''}${window}`;
  }
  if (lostShare > 0) {
    return `${lost} were lost without a queue to be seen, and losses keep the window small${window}; cubic and reno shrink for each, --cc bbr for a share of them only`;
  }
  if (isAllSlowStart) return `slow start had not come to its end: send more at once${window}`;
  return `neither losses nor a queue: the window still grows, or fits the path${window}`;
}

/** The bandwidth-delay product as far as it can be known from inside: the rate that was reached, times the smallest RTT. */
function windowAgainstProduct({ congestionWindowBytes, bytesPerMs, rttMinMs }: Evidence): string {
  const product = (bytesPerMs ?? 0) * (rttMinMs ?? 0);
  if (congestionWindowBytes === null || product === 0) return '';
  const times = twoDigits(congestionWindowBytes / product);
  return ` (window ${formatBytes(Math.round(congestionWindowBytes))}, ${times} times the bandwidth-delay product at this rate)`;
}

/** `0.05`, `0.5`, `1.2`, `34`. */
function twoDigits(value: number): string {
  return value.toFixed(value >= 9.95 ? 0 : value >= 0.095 ? 1 : 2);
}

function hasQueue(smallest: number, smoothed: number): boolean {
  return smoothed > smallest * QUEUE_RATIO && smoothed > smallest + QUEUE_MS;
}

/** A side that tells its times tells when slow start ended, too. */
function isInSlowStart({ connection }: SideResult): boolean {
  return connection.limitsMs !== null && connection.slowStartMs === null;
}

function medianOf(values: readonly (number | null)[]): number | null {
  return median(values.filter((value) => value !== null)) ?? null;
}
