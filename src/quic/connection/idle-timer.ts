import { type Millis, NEVER } from '../base/time.ts';

/** The idle timeout and the keep-alive, RFC 9000 §10.1. */
export class IdleTimer {
  /** The effective timeout: the smaller of both ends', 0 for none. */
  #timeout: Millis;
  readonly #keepAlive: Millis;
  /** When the last packet was received, or the first ack-eliciting one sent after that. */
  #restartedAt: Millis;
  /** Whether an ack-eliciting packet has been sent since the last one was received. */
  #sentSince = false;

  constructor(now: Millis, timeout: Millis, keepAlive: Millis) {
    this.#restartedAt = now;
    this.#timeout = timeout;
    this.#keepAlive = keepAlive;
  }

  /** The peer's max_idle_timeout is known; 0 means that it has none. Returns the timeout in force, 0 for none. */
  setPeerTimeout(timeout: Millis): Millis {
    if (timeout > 0) this.#timeout = this.#timeout === 0 ? timeout : Math.min(this.#timeout, timeout);
    return this.#timeout;
  }

  onReceived(now: Millis): void {
    this.#restartedAt = now;
    this.#sentSince = false;
  }

  onAckElicitingSent(now: Millis): void {
    if (this.#sentSince) return;
    this.#sentSince = true;
    this.#restartedAt = now;
  }

  /** When the connection is given up. At least three PTOs, so that loss alone does not end it. */
  deadline(pto: Millis): Millis {
    return this.#timeout === 0 ? NEVER : this.#restartedAt + Math.max(this.#timeout, 3 * pto);
  }

  /**
   * When a PING is due to keep the connection alive: as asked for, but at the latest when half of the timeout is over, which
   * the peer may have made shorter. What arrives close to its end may find the peer gone, RFC 9000 §10.1.2.
   */
  keepAliveAt(): Millis {
    if (this.#keepAlive === 0 || this.#sentSince) return NEVER;
    return this.#restartedAt + (this.#timeout === 0 ? this.#keepAlive : Math.min(this.#keepAlive, this.#timeout / 2));
  }
}
