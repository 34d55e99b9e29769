import type { Millis } from '../../base/time.ts';

// RFC 9406 §4.3.
const MIN_RTT_THRESHOLD: Millis = 4;
const MAX_RTT_THRESHOLD: Millis = 16;
const MIN_RTT_DIVISOR = 8;
const RTT_SAMPLES = 8;
const CSS_GROWTH_DIVISOR = 4;
const CSS_ROUNDS = 5;

/**
 * HyStart++ (RFC 9406): leaves the first slow start when the round-trip time begins to rise, through a few rounds of
 * conservative slow start that check whether the rise was real. The burst limit L is infinite because sending is paced.
 */
export class HyStart {
  /** A round ends when a packet sent at or after this is acknowledged. */
  #roundStartedAt: Millis = -1;
  /** Smallest RTT of the round before this one; Infinity when unknown. */
  #lastRoundMin = Number.POSITIVE_INFINITY;
  /** Smallest RTT of this round. */
  #roundMin = Number.POSITIVE_INFINITY;
  /** Samples taken in this round. */
  #samples = 0;
  /** Rounds begun in conservative slow start; -1 outside of it. */
  #cssRounds = -1;
  /** The RTT that made slow start conservative; when RTTs fall below it, that was a mistake. */
  #cssBaseline = Number.POSITIVE_INFINITY;

  /** Whether slow start is conservative at the moment. */
  get conservative(): boolean {
    return this.#cssRounds >= 0;
  }

  /**
   * An ACK arrived whose newest packet was sent at `largestSentAt`, with the RTT sample `rtt`. Returns what to divide the
   * acknowledged bytes by before adding them to the window: 1, or more in conservative slow start, or 0 when slow start
   * is over.
   */
  onAcked(now: Millis, largestSentAt: Millis, rtt: Millis): number {
    if (largestSentAt >= this.#roundStartedAt && this.#beginRound(now)) return 0;
    this.#roundMin = Math.min(this.#roundMin, rtt);
    this.#samples++;
    if (this.#samples >= RTT_SAMPLES) this.#compare();
    return this.#cssRounds >= 0 ? CSS_GROWTH_DIVISOR : 1;
  }

  /** Returns whether conservative slow start has lasted long enough. */
  #beginRound(now: Millis): boolean {
    this.#roundStartedAt = now;
    this.#lastRoundMin = this.#roundMin;
    this.#roundMin = Number.POSITIVE_INFINITY;
    this.#samples = 0;
    if (this.#cssRounds < 0) return false;
    this.#cssRounds++;
    return this.#cssRounds >= CSS_ROUNDS;
  }

  #compare(): void {
    if (this.#cssRounds >= 0) {
      if (this.#roundMin < this.#cssBaseline) this.#cssRounds = -1;
      return;
    }
    if (this.#lastRoundMin === Number.POSITIVE_INFINITY) return;
    const threshold = Math.max(MIN_RTT_THRESHOLD, Math.min(this.#lastRoundMin / MIN_RTT_DIVISOR, MAX_RTT_THRESHOLD));
    if (this.#roundMin < this.#lastRoundMin + threshold) return;
    this.#cssBaseline = this.#roundMin;
    this.#cssRounds = 0;
  }
}
