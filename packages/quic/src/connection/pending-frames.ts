import { newTokenSize, writeHandshakeDone, writeNewToken, writePing } from '../wire/frames.ts';
import { type SentFrames, SentKind } from '../wire/sent-frames.ts';

/** Single frames that no other component owns and that wait to be sent in 1-RTT packets. */
export class PendingFrames {
  /** HANDSHAKE_DONE, server only. RFC 9000 §19.20. */
  handshakeDone = false;
  /** Whether the client has acknowledged one. */
  isHandshakeDoneAcked = false;
  /** A token for the client's next connection, server only. RFC 9000 §19.7. */
  newToken: Uint8Array | undefined;
  /** The token last sent, in case its packet is lost. */
  #sentToken: Uint8Array | undefined;
  /** A PING was asked for: keep-alive, or the application's. */
  ping = false;

  get wantsSend(): boolean {
    return this.handshakeDone || this.newToken !== undefined || this.ping;
  }

  /** Writes what fits into [at, end). */
  writeFrames(bytes: Uint8Array, at: number, end: number, sent: SentFrames): number {
    let next = at;
    if (this.handshakeDone && next < end) {
      next = writeHandshakeDone(bytes, next);
      sent.add(SentKind.HANDSHAKE_DONE, 0, 0, 0);
      this.handshakeDone = false;
    }
    if (this.newToken !== undefined && next + newTokenSize(this.newToken.length) <= end) {
      next = writeNewToken(bytes, next, this.newToken);
      sent.add(SentKind.NEW_TOKEN, 0, 0, 0);
      this.#sentToken = this.newToken;
      this.newToken = undefined;
    }
    if (this.ping && next < end) {
      next = writePing(bytes, next);
      this.ping = false;
    }
    return next;
  }

  onHandshakeDoneAcked(): void {
    this.isHandshakeDoneAcked = true;
    this.handshakeDone = false;
  }

  onHandshakeDoneLost(): void {
    this.handshakeDone = !this.isHandshakeDoneAcked;
  }

  onNewTokenLost(): void {
    this.newToken ??= this.#sentToken;
  }
}
