import { type Millis, NEVER } from '../base/time.ts';
import { initialWindow } from './congestion/initial-window.ts';

/** A burst may also last this long at the pacing rate: timers of the platform are no finer than 1 to 2 ms. */
const BURST_DURATION: Millis = 2;
/** Once empty, wait until this much time's worth of data may leave: one timer and one system call for many datagrams. */
const REFILL_DURATION: Millis = 1;
/** How far probes, which don't wait for the pacer, may overdraw it. */
const MAX_DEBT_DATAGRAMS = 2;

/** A token bucket that spreads datagrams over the round trip, RFC 9002 §7.7. */
export class Pacer {
  #maxDatagramSize: number;
  /** Bytes a millisecond; Infinity while there is nothing to pace by. */
  #rate = Number.POSITIVE_INFINITY;
  /** Bytes that may leave at once: whatever the rate, an initial window (RFC 9002 §7.7). */
  #burst: number;
  /** Bytes that may leave at #filledAt. <= #burst; below 0 after probes, which are not paced. */
  #tokens: number;
  #filledAt: Millis = 0;

  constructor(maxDatagramSize: number) {
    this.#maxDatagramSize = maxDatagramSize;
    this.#burst = initialWindow(maxDatagramSize);
    this.#tokens = this.#burst;
  }

  /** Bytes a millisecond. */
  get rate(): number {
    return this.#rate;
  }

  /**
   * Sets the rate in bytes a millisecond (0 or Infinity: don't pace). What had accrued until `now` accrued at the old
   * rate. No burst exceeds `window`, beyond an initial one. A path whose whole window leaves faster than timers tick isn't
   * paced at all: there the acknowledgments are the better clock.
   */
  setRate(now: Millis, rate: number, window: number): void {
    this.#fill(now);
    this.#rate = rate > 0 && rate * REFILL_DURATION < window ? rate : Number.POSITIVE_INFINITY;
    this.#burst = Math.max(initialWindow(this.#maxDatagramSize), Math.min(this.#rate * BURST_DURATION, window));
    if (this.#tokens > this.#burst) this.#tokens = this.#burst;
  }

  onMaxDatagramSize(bytes: number): void {
    this.#maxDatagramSize = bytes;
  }

  onPacketSent(now: Millis, bytes: number): void {
    this.#fill(now);
    this.#tokens = Math.max(this.#tokens - bytes, -MAX_DEBT_DATAGRAMS * this.#maxDatagramSize);
  }

  /** Bytes that may leave now: 0, or at least a datagram. */
  allowance(now: Millis): number {
    if (this.#rate === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
    this.#fill(now);
    // One byte of slack, or rounding could leave a timer forever a hair too early.
    if (this.#tokens < this.#maxDatagramSize - 1) return 0;
    return Math.max(this.#maxDatagramSize, Math.floor(this.#tokens));
  }

  /** When the next datagram may leave; NEVER when one may leave now. */
  nextSendTime(now: Millis): Millis {
    if (this.allowance(now) > 0) return NEVER;
    const wanted = Math.min(this.#burst, Math.max(this.#maxDatagramSize, this.#rate * REFILL_DURATION));
    return this.#filledAt + (wanted - this.#tokens) / this.#rate;
  }

  #fill(now: Millis): void {
    if (now <= this.#filledAt) return;
    const gained = (now - this.#filledAt) * this.#rate;
    this.#filledAt = now;
    this.#tokens = Math.min(this.#burst, this.#tokens + gained);
  }
}
