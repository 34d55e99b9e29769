import type { Millis } from '../base/time.ts';

/**
 * What a sender waits for at one moment. Exactly one holds at any time, so the times of all add up to the time that passed.
 *
 * - `handshake`: no 1-RTT keys yet, or the address is not validated (RFC 9000 §8).
 * - `application`: nothing is there to be sent.
 * - `stream_flow_control`, `connection_flow_control`: data is there, the peer's MAX_STREAM_DATA or MAX_DATA allows none of it.
 * - `stream_limit`: a stream waits to be opened for the peer's MAX_STREAMS, and nothing else is there to be sent.
 * - `congestion_window`: data and credit are there, the window is full.
 * - `pacing`: data, credit and window are there, the next packet is not due yet. A pacer that only spreads what flow control lets
 *   through, which is less than the window, is not what limits: that time counts as flow control.
 * - `kernel`: the socket takes no more.
 * - `event_loop`: the process itself: its own packets' work, other work on the thread, timers that fired late.
 * - `delivery`: everything is sent, FINs included; the last of it is on its way or waits to be acknowledged.
 */
export const SEND_LIMITS = [
  'handshake',
  'application',
  'stream_flow_control',
  'connection_flow_control',
  'stream_limit',
  'congestion_window',
  'pacing',
  'kernel',
  'event_loop',
  'delivery',
] as const;

/**
 * What a receiver waits for at one moment; exactly one holds.
 *
 * - `network`: all that arrived in order was read; the next bytes have not come.
 * - `reassembly`: bytes are there, but none in order: an earlier one is missing.
 * - `application`: bytes are there in order, and the application has not read them.
 * - `event_loop`: the process itself, as above.
 */
export const RECEIVE_LIMITS = ['network', 'reassembly', 'application', 'event_loop'] as const;

export type SendLimit = (typeof SEND_LIMITS)[number];
export type ReceiveLimit = (typeof RECEIVE_LIMITS)[number];

/** Milliseconds for each limit, in the order of SEND_LIMITS or RECEIVE_LIMITS. */
export type LimitTimes = readonly Millis[];

/** Indexes into SEND_LIMITS, for those that the transport sets. */
export const SendLimitIndex = {
  HANDSHAKE: 0,
  APPLICATION: 1,
  STREAM_FLOW_CONTROL: 2,
  CONNECTION_FLOW_CONTROL: 3,
  STREAM_LIMIT: 4,
  CONGESTION_WINDOW: 5,
  PACING: 6,
  KERNEL: 7,
  EVENT_LOOP: 8,
  DELIVERY: 9,
} as const satisfies Record<Uppercase<SendLimit>, number>;

/** Indexes into RECEIVE_LIMITS. */
export const ReceiveLimitIndex = {
  NETWORK: 0,
  REASSEMBLY: 1,
  APPLICATION: 2,
  EVENT_LOOP: 3,
} as const satisfies Record<Uppercase<ReceiveLimit>, number>;

/** The times of what never sends. */
export const NO_SEND_TIMES: LimitTimes = Object.freeze(SEND_LIMITS.map(() => 0));

/** What the time of one direction of a connection went to. It has no time of its own: TurnClock passes time on to it. */
export class LimitClock {
  /** Milliseconds by limit. */
  readonly times: Float64Array;
  /** The limit that holds, an index into `times`. */
  limit: number;
  /** Where `event_loop` is in `times`. */
  readonly #busy: number;

  constructor(count: number, limit: number, busy: number) {
    this.times = new Float64Array(count);
    this.limit = limit;
    this.#busy = busy;
  }

  /** Time passes: `idle` milliseconds in which the limit held, and `busy` ones in which the process did something. */
  pass(idle: Millis, busy: Millis): void {
    const { times } = this;
    times[this.limit]! += idle;
    times[this.#busy]! += busy;
  }
}
