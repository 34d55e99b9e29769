import type { Millis } from '../../../base/time.ts';

/** A recovery period: from a loss until a packet is acknowledged that was sent after the loss was noticed (RFC 9002 §7.3.2). */
export class LossEpisode {
  /** Whether one is under way. */
  isActive = false;
  /** When the latest began; -1 before the first. */
  startedAt: Millis = -1;

  /** A packet was lost, or arrived with a CE mark. Returns whether that begins an episode. */
  onLost(now: Millis, sentAt: Millis): boolean {
    if (sentAt <= this.startedAt) return false;
    this.startedAt = now;
    this.isActive = true;
    return true;
  }

  /** A packet sent at `sentAt` was acknowledged. Returns whether that ends the episode. */
  onAcked(sentAt: Millis): boolean {
    if (!this.isActive || sentAt <= this.startedAt) return false;
    this.isActive = false;
    return true;
  }

  /** The latest episode is as if it had not been; the one before it had begun at `previousAt`. */
  takeBack(previousAt: Millis): void {
    this.startedAt = previousAt;
    this.isActive = false;
  }
}
