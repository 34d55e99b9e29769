import type { Millis } from '../base/time.ts';

/** How many probe timeouts long a stretch of nothing but losses must be, RFC 9002 §7.6.1. */
export const PERSISTENT_CONGESTION_THRESHOLD = 3;

/**
 * Follows the stretch of packets of one space, none of them acknowledged, that ends in the newest loss (RFC 9002 §7.6.2).
 * Fed in the order of packet numbers.
 */
export class LossStretch {
  /** When the first ack-eliciting packet of the stretch was sent; -1 when there is no stretch. */
  #startedAt: Millis = -1;

  /**
   * An ack-eliciting packet was lost. Returns whether it and the stretch's first one were sent more than `duration`
   * apart; then the stretch is over.
   */
  onLost(sentAt: Millis, duration: Millis): boolean {
    if (this.#startedAt < 0) this.#startedAt = sentAt;
    if (sentAt - this.#startedAt <= duration) return false;
    this.#startedAt = -1;
    return true;
  }

  /** A packet in or behind the stretch was acknowledged. */
  end(): void {
    this.#startedAt = -1;
  }
}
