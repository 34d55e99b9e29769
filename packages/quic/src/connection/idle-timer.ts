import { type Millis, NEVER } from '../base/time.ts';

/** For how long a peer may pause within what it sends before a client asks: at least, and three probe timeouts. */
const MIN_SILENCE: Millis = 1000;

/** The idle timeout and the keep-alive, RFC 9000 §10.1; and whether the peer has fallen silent. */
export class IdleTimer {
  /** The effective timeout: the smaller of both ends', 0 for none. */
  #timeout: Millis;
  readonly #keepAlive: Millis;
  /** When the last packet was received, or the first ack-eliciting one sent after that. */
  #restartedAt: Millis;
  /** Whether an ack-eliciting packet has been sent since the last one was received. */
  #sentSince = false;
  /** Whether stream data has come since the peer was last asked why it is silent. */
  #heardData = false;

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

  onStreamData(): void {
    this.#heardData = true;
  }

  /** The peer is asked, and not again before it has sent more: a pause costs one packet, and a connection may idle out. */
  onSilence(): void {
    this.#heardData = false;
  }

  onAckElicitingSent(now: Millis): void {
    if (this.#sentSince) return;
    this.#sentSince = true;
    this.#restartedAt = now;
  }

  /** When the connection is given up. Not before three PTOs are over, so that loss alone does not end it. */
  deadline(threePtos: Millis): Millis {
    return this.#timeout === 0 ? NEVER : this.#restartedAt + Math.max(this.#timeout, threePtos);
  }

  /**
   * When a PING is due to keep the connection alive: as asked for, but at the latest when half of the timeout is over, which
   * the peer may have made shorter. What arrives close to its end may find the peer gone, RFC 9000 §10.1.2.
   */
  keepAliveAt(): Millis {
    if (this.#keepAlive === 0 || this.#sentSince) return NEVER;
    return this.#restartedAt + (this.#timeout === 0 ? this.#keepAlive : Math.min(this.#keepAlive, this.#timeout / 2));
  }

  /**
   * When a client that only receives should ask with a PING whether its peer is still there, if more is to come; NEVER when it has
   * asked, or waits for an acknowledgement anyway. A NAT that has given its port to somebody else lets nothing in until the
   * client has sent something, and then the probe timer sees to it that it does.
   */
  silenceAt(threePtos: Millis): Millis {
    if (!this.#heardData || this.#sentSince) return NEVER;
    return this.#restartedAt + Math.max(MIN_SILENCE, threePtos);
  }
}
