import { type Millis, NEVER } from '../base/time.ts';
import type { CloseInfo } from './events.ts';

/** RFC 9000 §10.2: closing answers stray packets with CONNECTION_CLOSE, draining is silent. */
export type ConnectionState = 'handshaking' | 'established' | 'closing' | 'draining' | 'closed';

/** How a connection ends: which state it is in, why, and until when it lingers. */
export class Lifecycle {
  state: ConnectionState = 'handshaking';
  /** Why it ended; undefined while it lives. */
  info: CloseInfo | undefined;
  /** When the closing or draining period is over. */
  endAt: Millis = NEVER;
  /** Whether a CONNECTION_CLOSE waits to be sent. */
  closePending = false;
  /** Packets that arrived while closing since the last CONNECTION_CLOSE. */
  #strays = 0;
  /** How many strays provoke the next CONNECTION_CLOSE; doubles, so that two closing ends fall silent. RFC 9000 §10.2.1. */
  #straysPerAnswer = 1;

  /** Whether frames other than CONNECTION_CLOSE may still be exchanged. */
  get isOpen(): boolean {
    return this.state === 'handshaking' || this.state === 'established';
  }

  /** Starts the closing period: this endpoint ends the connection. `period` is three times the PTO. */
  close(now: Millis, info: CloseInfo, period: Millis): void {
    if (!this.isOpen) return;
    this.state = 'closing';
    this.info = info;
    this.closePending = true;
    this.endAt = now + period;
  }

  /** Starts the draining period: the peer closed, or a stateless reset came. */
  drain(now: Millis, info: CloseInfo, period: Millis): void {
    if (this.state === 'draining' || this.state === 'closed') return;
    this.info ??= info;
    this.state = 'draining';
    this.closePending = false;
    this.endAt = now + period;
  }

  /** Ends without a word to the peer: idle timeout, or nothing to answer with. */
  end(info: CloseInfo): void {
    this.info ??= info;
    this.state = 'closed';
    this.closePending = false;
    this.endAt = NEVER;
  }

  /** A packet arrived while closing. */
  onStray(): void {
    if (this.state !== 'closing') return;
    this.#strays++;
    if (this.#strays < this.#straysPerAnswer) return;
    this.#strays = 0;
    this.#straysPerAnswer *= 2;
    this.closePending = true;
  }
}
