import type { Millis } from '../base/time.ts';

/**
 * Tells congestion events apart from their echoes: what was sent before the latest event started belongs to that event
 * (RFC 9002 §7.3.2). Also counts the event's losses, to notice when every one of them was a mistake.
 */
export class CongestionEpoch {
  /** When the latest event was noticed; -1 before the first. */
  #startedAt: Millis = -1;
  /** When the event before that was noticed. */
  #previousStartedAt: Millis = -1;
  /** Losses of the latest event that haven't been acknowledged after all; -1 when the event cannot be undone. */
  #losses = -1;

  /** `count` packets were lost, the newest sent at `largestSentAt`. Returns whether this is a new event. */
  onLost(now: Millis, largestSentAt: Millis, count: number): boolean {
    const isNew = this.#begin(now, largestSentAt);
    if (isNew) this.#losses = count;
    else if (this.#losses >= 0) this.#losses += count;
    return isNew;
  }

  /** CE marks were reported by the acknowledgment of a packet sent at `sentAt`. Returns whether this is a new event. */
  onCe(now: Millis, sentAt: Millis): boolean {
    const isNew = this.#begin(now, sentAt);
    if (isNew || sentAt > this.#previousStartedAt) this.#losses = -1;
    return isNew;
  }

  /** The path is known to be congested: the latest event stands. */
  onPersistent(): void {
    this.#losses = -1;
  }

  /**
   * `count` packets declared lost, the newest sent at `sentAt`, were acknowledged after all. Returns true when that
   * leaves no loss of the latest event; the event is then as if it had not been.
   */
  onSpurious(sentAt: Millis, count: number): boolean {
    if (this.#losses <= 0 || sentAt <= this.#previousStartedAt) return false;
    this.#losses = Math.max(0, this.#losses - count);
    if (this.#losses > 0) return false;
    this.#losses = -1;
    this.#startedAt = this.#previousStartedAt;
    return true;
  }

  #begin(now: Millis, sentAt: Millis): boolean {
    if (sentAt <= this.#startedAt) return false;
    this.#previousStartedAt = this.#startedAt;
    this.#startedAt = now;
    return true;
  }
}
