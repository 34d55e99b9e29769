import type { Millis } from '../base/time.ts';
import type { Recovery } from '../recovery/recovery.ts';
import { Space } from '../wire/frame-type.ts';
import type { PendingFrames } from './pending-frames.ts';
import type { Spaces } from './spaces.ts';

/** How often a connection does it: two ends that answered each other's repetitions for ever would never fall silent. */
const MAX_EARLY = 6;

/** Milliseconds between two while no round trip has been measured: what comes in one burst is answered once. */
const UNMEASURED_INTERVAL: Millis = 10;

/** What goes again when the peer shows that it has not got it. */
export interface EarlyParts {
  readonly isServer: boolean;
  readonly spaces: Spaces;
  readonly recovery: Recovery;
  readonly pending: PendingFrames;
}

/**
 * Handshake data that is sent again before the probe timer says so, because of what the peer sends: RFC 9002 §6.2.3. Before there is a
 * round-trip time that timer is a second long, and doubles. At most once a round trip, and a few times in all.
 */
export class EarlyRetransmission {
  readonly #parts: EarlyParts;
  #times = 0;
  /** When the next one may be. */
  #nextAt: Millis = 0;

  constructor(parts: EarlyParts) {
    this.#parts = parts;
  }

  /**
   * The peer repeats what it sent in `space` as if it had no answer. A client that repeats itself in Initial packets lacks the
   * ServerHello, and then all of the flight may be lost; a server that repeats its flight lacks the client's Finished.
   */
  onRepetition(now: Millis, space: Space): void {
    const { isServer, spaces } = this.#parts;
    if (space !== (isServer ? Space.INITIAL : Space.HANDSHAKE)) return;
    if (!spaces.all[space]!.crypto.isUnacked || !this.#mayNow(now)) return;
    if (isServer) spaces.initial.crypto.resend();
    spaces.handshake.crypto.resend();
  }

  /** Handshake packets came that cannot be opened yet: on a client, because the ServerHello is lost or late. */
  onEarlyHandshake(now: Millis): void {
    const { isServer, spaces } = this.#parts;
    if (isServer || spaces.initial.discarded || !this.#mayNow(now)) return;
    spaces.initial.crypto.resend();
  }

  /** A Handshake packet came that cannot be opened any more: a server's client has not heard that the handshake is confirmed. */
  onLateHandshake(now: Millis): void {
    const { isServer, pending } = this.#parts;
    if (!isServer || pending.isHandshakeDoneAcked || !this.#mayNow(now)) return;
    pending.handshakeDone = true;
  }

  #mayNow(now: Millis): boolean {
    if (now < this.#nextAt || this.#times >= MAX_EARLY) return false;
    this.#times++;
    const { rtt } = this.#parts.recovery;
    this.#nextAt = now + (rtt.hasSample ? rtt.smoothed : UNMEASURED_INTERVAL);
    return true;
  }
}
