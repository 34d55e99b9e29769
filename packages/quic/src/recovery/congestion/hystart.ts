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
 *
 * One deviation: the RTT that must have risen is the smallest of the latest samples rather than of the round so far. Paced at twice
 * the window a round trip, a round fills half of the time, so that the queue shows at its end first, when the window is half of what
 * the path holds; seen at the start of a round it is too late.
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
  /** The latest samples of this round, a ring. */
  readonly #latest = new Float64Array(RTT_SAMPLES);
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
    this.#latest[this.#samples++ % RTT_SAMPLES] = rtt;
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
    if (this.#roundMin < this.#cssBaseline) this.#cssRounds = -1;
    if (this.#cssRounds >= 0) return;
    const threshold = Math.max(MIN_RTT_THRESHOLD, Math.min(this.#lastRoundMin / MIN_RTT_DIVISOR, MAX_RTT_THRESHOLD));
    const risen = this.#recentMin();
    if (risen < this.#lastRoundMin + threshold) return;
    this.#cssBaseline = risen;
    this.#cssRounds = 0;
  }

  #recentMin(): Millis {
    let least = this.#latest[0]!;
    for (let i = 1; i < RTT_SAMPLES; i++) least = Math.min(least, this.#latest[i]!);
    return least;
  }
}
