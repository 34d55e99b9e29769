import type { Millis } from '../base/time.ts';
import { SEND_LIMITS, SendLimitIndex } from './limit-clock.ts';
import type { TurnClock } from './turn-clock.ts';

/** The stream has something that it may send: it waits for whatever the connection waits for. */
export const CONNECTION = SEND_LIMITS.length;
/** Everything, or the reset, is acknowledged: its time is over. */
export const ENDED = CONNECTION + 1;

/** How many streams of a connection wait for each of SEND_LIMITS, for the connection, or no more. */
export type StreamCounts = Int32Array;

/** The counts of a connection without streams. */
export function createStreamCounts(): StreamCounts {
  return new Int32Array(ENDED + 1);
}

/**
 * What the sending part of a stream waited for since it was opened, in milliseconds by limit. Nothing runs while it waits: a
 * sum is reduced by the connection's clock when a wait begins and increased by it when the wait ends.
 */
export class StreamClock {
  /** One of SEND_LIMITS by index, CONNECTION or ENDED. */
  limit: number = SendLimitIndex.APPLICATION;
  readonly #turns: TurnClock;
  readonly #counts: StreamCounts;
  readonly #sums: Millis[] = new Array(SEND_LIMITS.length).fill(0);

  /** Starts at the time that `turns` has. */
  constructor(turns: TurnClock, counts: StreamCounts) {
    this.#turns = turns;
    this.#counts = counts;
    counts[this.limit]!++;
    this.#charge(-1);
  }

  /** From now on the stream waits for `limit`. */
  enter(now: Millis, limit: number): void {
    if (limit === this.limit || this.limit === ENDED) return;
    this.#turns.advance(now);
    this.#charge(1);
    this.#counts[this.limit]!--;
    this.#counts[limit]!++;
    this.limit = limit;
    this.#charge(-1);
  }

  /** The times until `now`, in the order of SEND_LIMITS; an array of their own. */
  read(now: Millis): Millis[] {
    this.#turns.advance(now);
    this.#charge(1);
    // What rounding leaves below zero is nothing.
    const times = this.#sums.map((sum) => Math.max(0, sum));
    this.#charge(-1);
    return times;
  }

  /** Takes the connection's clock to what the stream waits for, or from it. Work of the process counts as such in any case. */
  #charge(sign: 1 | -1): void {
    if (this.limit === ENDED) return;
    const { send, now } = this.#turns;
    const sums = this.#sums;
    if (this.limit === CONNECTION) {
      for (let i = 0; i < sums.length; i++) sums[i]! += sign * send.times[i]!;
      return;
    }
    const busy = send.times[SendLimitIndex.EVENT_LOOP]!;
    sums[this.limit]! += sign * (now - busy);
    sums[SendLimitIndex.EVENT_LOOP]! += sign * busy;
  }
}
