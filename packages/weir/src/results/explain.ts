import { RECEIVE_LIMITS, type ReceiveLimit, SEND_LIMITS, type SendLimit } from 'weir-quic';
import { adviceFor, type Evidence, gatherEvidence } from './explain-advice.ts';
import type { SideResult, StreamResult } from './readings.ts';
import { sum } from './statistics/index.ts';

/** One limit's part of the time. */
export interface LimitShare {
  readonly limit: SendLimit | ReceiveLimit;
  readonly ms: number;
  /** 0 to 1. The shares of all limits add up to 1. */
  readonly share: number;
}

/** What a transfer waits for, as its user knows it: a limit, or several that have one remedy. */
export type Cause = 'path' | Exclude<SendLimit | ReceiveLimit, 'congestion_window' | 'pacing'>;

/** Why it was not faster. */
export interface Explanation {
  /** Whose clock the shares are of: the sender's where it told, otherwise the receiver's; null when neither did. */
  readonly side: 'sender' | 'receiver' | null;
  /** The time that the shares are of, milliseconds. */
  readonly overMs: number;
  /** Those with any time, the largest first. */
  readonly shares: readonly LimitShare[];
  /** What took most of the time; null when nobody told. */
  readonly cause: Cause | null;
  /** Of the time, what `cause` took: 0 to 1. */
  readonly causeShare: number;
  /** For people, with the advice: `61% limited by the connection's flow-control window: raise the receiver's --window`. */
  readonly sentence: string;
  /** What to do, or to know, about it. Empty when there is nothing. */
  readonly advice: string;
}

/** One iteration's two sides. */
export interface BothSides {
  readonly sender: SideResult | null;
  readonly receiver: SideResult | null;
}

/** A second cause is named from here on. */
const WORTH_NAMING = 0.2;

/** Explains one iteration. Times of the sender, who alone knows why it did not send; the receiver's where there are no others. */
export function explainSide(sender: SideResult | null, receiver: SideResult | null): Explanation {
  return explainIterations([{ sender, receiver }]);
}

/** Explains several iterations of one setting together: their times added up. */
export function explainIterations(iterations: readonly BothSides[]): Explanation {
  const sending = addUp(iterations.map(({ sender }) => sender?.connection.limitsMs ?? null));
  const receiving = addUp(iterations.map(({ receiver }) => receiver?.connection.limitsMs ?? null));
  const evidence = gatherEvidence(iterations, sharesOf(receiving, RECEIVE_LIMITS));
  if (sending.size > 0) return explain('sender', sharesOf(sending, SEND_LIMITS), evidence);
  return explain(receiving.size > 0 ? 'receiver' : null, sharesOf(receiving, RECEIVE_LIMITS), evidence);
}

/** Explains one stream of a sender. It shares the connection's congestion control, of which only the connection's advice can speak. */
export function explainStream(stream: StreamResult): Explanation {
  const times = addUp([stream.limitsMs]);
  return explain(times.size > 0 ? 'sender' : null, sharesOf(times, SEND_LIMITS), null);
}

function addUp(times: readonly (Readonly<Record<string, number>> | null)[]): Map<string, number> {
  const total = new Map<string, number>();
  for (const each of times) {
    for (const [limit, ms] of Object.entries(each ?? {})) total.set(limit, (total.get(limit) ?? 0) + ms);
  }
  return total;
}

/** Limits that are none of ours, from a document of another version, are left out. */
function sharesOf(times: ReadonlyMap<string, number>, limits: readonly (SendLimit | ReceiveLimit)[]): LimitShare[] {
  const known = limits.map((limit) => ({ limit, ms: times.get(limit) ?? 0 })).filter(({ ms }) => ms > 0);
  const total = sum(known.map(({ ms }) => ms));
  return known.map(({ limit, ms }) => ({ limit, ms, share: ms / total })).sort((a, b) => b.ms - a.ms);
}

function explain(side: Explanation['side'], shares: readonly LimitShare[], evidence: Evidence | null): Explanation {
  const overMs = sum(shares.map(({ ms }) => ms));
  const [first, second] = causesOf(shares);
  if (side === null || first === undefined) {
    const sentence = 'what limited it is not known: no side told what it waited for';
    return { side: null, overMs: 0, shares: [], cause: null, causeShare: 0, sentence, advice: '' };
  }
  const advice = adviceFor(side, first.cause, evidence);
  const also = second !== undefined && second.share >= WORTH_NAMING ? `, ${described(side, second)}` : '';
  const [share, name] = [`${percent(first.share)} limited by`, NAMES[side][first.cause]];
  const sentence = `${share} ${name}${also}${advice === '' ? '' : `: ${advice}`}`;
  return { side, overMs, shares, cause: first.cause, causeShare: first.share, sentence, advice };
}

interface CauseShare {
  readonly cause: Cause;
  readonly share: number;
}

/** The shares by cause, the largest first. */
function causesOf(shares: readonly LimitShare[]): CauseShare[] {
  const total = new Map<Cause, number>();
  for (const { limit, share } of shares) {
    const cause = limit === 'congestion_window' || limit === 'pacing' ? 'path' : limit;
    total.set(cause, (total.get(cause) ?? 0) + share);
  }
  return [...total].map(([cause, share]) => ({ cause, share })).sort((a, b) => b.share - a.share);
}

function described(side: 'sender' | 'receiver', { cause, share }: CauseShare): string {
  return `${percent(share)} by ${NAMES[side][cause]}`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}

const NAMES: Record<'sender' | 'receiver', Record<Cause, string>> = {
  sender: {
    handshake: 'the handshake',
    application: 'the sending program, which had nothing to send',
    stream_flow_control: "the streams' flow-control windows",
    connection_flow_control: "the connection's flow-control window",
    stream_limit: "the peer's limit of open streams",
    path: 'the path (congestion control)',
    kernel: "the kernel's socket buffer",
    event_loop: 'the processor: the sending process itself',
    delivery: 'the way of the last bytes',
    network: 'the network',
    reassembly: 'gaps in what arrived',
  },
  receiver: {
    handshake: 'the handshake',
    application: 'the receiving program, which did not read',
    stream_flow_control: "the streams' flow-control windows",
    connection_flow_control: "the connection's flow-control window",
    stream_limit: 'the limit of open streams',
    path: 'the path (congestion control)',
    kernel: "the kernel's socket buffer",
    event_loop: 'the processor: the receiving process itself',
    delivery: 'the way of the last bytes',
    network: 'what was on its way',
    reassembly: 'gaps in what arrived',
  },
};

/** A cause in a word or two, for a column of a table. */
export const SHORT_NAMES: Record<Cause, string> = {
  handshake: 'handshake',
  application: 'application',
  stream_flow_control: 'stream window',
  connection_flow_control: 'conn. window',
  stream_limit: 'stream limit',
  path: 'path',
  kernel: 'kernel',
  event_loop: 'processor',
  delivery: 'delivery',
  network: 'network',
  reassembly: 'reassembly',
};
