import { type Millis, NEVER } from 'weir-quic/sim';

/** Time as the relay needs it: a clock, and one alarm. Tests have their own. */
export interface Alarm {
  /** Milliseconds, fractions included, never falling. */
  now(): Millis;
  /** Calls `ring` at `at` or soon after; a second call takes the first one's place; NEVER turns it off. */
  set(at: Millis): void;
  ring: () => void;
}

/** Further away than this, a timer will do: its grain is a millisecond, and it may be late by another. */
const TIMER_FROM: Millis = 2.5;
const TIMER_EARLY: Millis = 1.5;

/** How long a nap lasts. The least is what a delivery may be late for it; shorter ones cost more than they are worth. */
const LEAST_NAP: Millis = 0.15;
const MOST_NAP: Millis = 0.25;

/** Nobody ever wakes who waits for this. */
const NEVER_WOKEN = new Int32Array(new SharedArrayBuffer(4));

/**
 * The process's clock. `setTimeout` is good to a millisecond or two, too coarse for a link that sends a datagram each 0.06 ms, and
 * polling burns a core. So for the last two milliseconds the event loop turns, looks for datagrams, and naps for 0.15 to 0.25 ms
 * a turn: the figures are in docs/relay.md.
 */
export class PreciseAlarm implements Alarm {
  ring: () => void = () => {};
  #at: Millis = NEVER;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;

  now(): Millis {
    return performance.now();
  }

  set(at: Millis): void {
    if (at === this.#at) return;
    this.#at = at;
    // A turn is coming: it will see.
    if (this.#immediate !== undefined) return;
    clearTimeout(this.#timer);
    if (at !== NEVER) this.#wait();
  }

  #wait(): void {
    const left = this.#at - this.now();
    if (left > TIMER_FROM) this.#timer = setTimeout(() => this.#wait(), left - TIMER_EARLY);
    else this.#immediate = setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#immediate = undefined;
    if (this.#at === NEVER) return;
    const left = this.#at - this.now();
    if (left > TIMER_FROM) return this.#wait();
    // The one way in Node to sleep for less than a millisecond.
    if (left > 0) Atomics.wait(NEVER_WOKEN, 0, 0, Math.min(MOST_NAP, Math.max(LEAST_NAP, left)));
    if (this.#at > this.now()) return this.#wait();
    this.#at = NEVER;
    this.ring();
  }
}
