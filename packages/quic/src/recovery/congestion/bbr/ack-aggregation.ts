import type { Millis } from '../../../base/time.ts';
import { WindowedMax } from './windowed-max.ts';

/** BBR.ExtraAckedFilterLen, in rounds; in Startup one. */
const FILTER_ROUNDS = 10;

/**
 * How far ACKs run ahead of the bandwidth when they come in bursts, which the window must make up for while none come:
 * BBR.extra_acked of draft-ietf-ccwg-bbr §5.5.9.
 */
export class AckAggregation {
  /** BBR.extra_acked_interval_start; -1 before the first ACK. */
  #startedAt: Millis = -1;
  /** Bytes delivered since. */
  #delivered = 0;
  readonly #filter = new WindowedMax();

  /** BBR.extra_acked: bytes. */
  get extra(): number {
    return this.#filter.max;
  }

  /** UpdateACKAggregation: an ACK of `newlyAcked` bytes arrived in `round`. `bw` in bytes a millisecond. */
  update(now: Millis, bw: number, newlyAcked: number, window: number, round: number, isStartup: boolean): void {
    let expected = this.#startedAt < 0 ? 0 : bw * (now - this.#startedAt);
    if (this.#startedAt < 0 || this.#delivered <= expected) {
      this.restart(now);
      expected = 0;
    }
    this.#delivered += newlyAcked;
    const extra = Math.min(this.#delivered - expected, window);
    this.#filter.update(extra, round, isStartup ? 1 : FILTER_ROUNDS);
  }

  /** Begins to count anew. */
  restart(now: Millis): void {
    this.#startedAt = now;
    this.#delivered = 0;
  }
}
