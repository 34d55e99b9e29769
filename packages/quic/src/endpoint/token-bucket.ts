import type { Millis } from '../base/time.ts';

/** Lets things through at a rate, and a burst at once. Starts full. */
export class TokenBucket {
  readonly #perMilli: number;
  readonly #burst: number;
  #tokens: number;
  /** When `#tokens` was counted. */
  #at: Millis | undefined;

  /**
   * @param rate how many a second; 0 lets only the burst through
   * @param burst how many at once, and so the most that is saved up
   */
  constructor(rate: number, burst: number) {
    this.#perMilli = rate / 1000;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** Whether `take` would succeed. */
  has(now: Millis): boolean {
    this.#refill(now);
    return this.#tokens >= 1;
  }

  /** Uses one token up; false when there is none. */
  take(now: Millis): boolean {
    if (!this.has(now)) return false;
    this.#tokens--;
    return true;
  }

  #refill(now: Millis): void {
    if (this.#at !== undefined) this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMilli);
    this.#at = now;
  }
}
