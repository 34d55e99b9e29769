import { TransportErrorCode } from '../base/errors.ts';
import { type Millis, NEVER } from '../base/time.ts';
import type { Recovery } from '../recovery/recovery.ts';
import type { Streams } from '../stream/streams.ts';
import type { ConnectionTimes } from './counters.ts';
import type { Dispatch } from './dispatch.ts';
import { ended } from './events.ts';
import type { IdleTimer } from './idle-timer.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Paths } from './paths.ts';
import type { PendingFrames } from './pending-frames.ts';
import type { RemoteConnectionIds } from './remote-connection-ids.ts';
import type { Spaces } from './spaces.ts';
import type { Transmit } from './transmit.ts';

/** The TLS alert user_canceled (RFC 9846 §6.1) as a code of QUIC's, RFC 9001 §4.8. */
const USER_CANCELED = TransportErrorCode.CRYPTO_ERROR + 90;

/** The components that time changes. */
export interface DeadlineParts {
  readonly isServer: boolean;
  readonly spaces: Spaces;
  readonly streams: Streams;
  readonly recovery: Recovery;
  readonly paths: Paths;
  readonly remoteIds: RemoteConnectionIds;
  readonly pending: PendingFrames;
  readonly lifecycle: Lifecycle;
  readonly idle: IdleTimer;
  readonly dispatch: Dispatch;
  readonly transmit: Transmit;
  readonly times: ConnectionTimes;
  /** Milliseconds until a handshake that makes no end is given up. */
  readonly handshakeTimeout: Millis;
}

/** When a connection must be looked after next, and what is due then. */
export class Deadlines {
  readonly #parts: DeadlineParts;

  constructor(parts: DeadlineParts) {
    this.#parts = parts;
  }

  /** The next deadline, or NEVER. */
  next(): Millis {
    const { spaces, recovery, paths, lifecycle, idle, transmit, times, handshakeTimeout } = this.#parts;
    if (!lifecycle.isOpen) return lifecycle.endAt;
    const { initial, handshake, application, oneRtt } = spaces;
    let at = Math.min(recovery.timeout(), idle.deadline(recovery.threePtos), transmit.pacedUntil, paths.timeout());
    at = Math.min(at, oneRtt?.timeout() ?? NEVER);
    // At the amplification limit not even acknowledgements go out: only the peer's next datagram changes anything.
    if (!recovery.probeTimer.amplificationLimited) {
      at = Math.min(at, application.acks.timeout());
      if (initial.read !== undefined) at = Math.min(at, initial.acks.timeout());
      if (handshake.read !== undefined) at = Math.min(at, handshake.acks.timeout());
    }
    if (lifecycle.state === 'handshaking') return Math.min(at, times.startedAt + handshakeTimeout);
    return Math.min(at, idle.keepAliveAt(), this.#silenceAt());
  }

  /** Does what is due by `now`. */
  onTimeout(now: Millis): void {
    const { spaces, recovery, paths, remoteIds, pending, lifecycle, idle, dispatch, times, handshakeTimeout } =
      this.#parts;
    if (!lifecycle.isOpen) {
      if (now >= lifecycle.endAt) lifecycle.end(lifecycle.info!);
      return;
    }
    const silent = now >= idle.deadline(recovery.threePtos);
    const waited = now - times.startedAt;
    if (lifecycle.state === 'handshaking' && (silent || waited >= handshakeTimeout)) return this.#giveUp(now, waited);
    if (silent) return lifecycle.end(ended('idle_timeout', 'no packet arrived within the idle timeout'));
    if (now >= recovery.timeout()) {
      dispatch.now = now;
      recovery.onTimeout(now, dispatch);
    }
    if (now >= idle.keepAliveAt() && lifecycle.state === 'established') pending.ping = true;
    if (now >= this.#silenceAt()) {
      idle.onSilence();
      pending.ping = true;
    }
    if (paths.hasFailed(now)) {
      if (!paths.revert()) {
        return lifecycle.end(
          ended('internal', 'the peer is not reachable at its new address', TransportErrorCode.NO_VIABLE_PATH),
        );
      }
      remoteIds.rotate(paths.active.remote);
    }
    spaces.oneRtt?.onTimeout(now);
  }

  /**
   * Ends a handshake that makes no end. A peer that took part in it is told, for it may take the handshake for complete: a server's
   * judgement on a client's certificate may be what is missing. user_canceled says that nobody broke the protocol (RFC 9846 §6.1). There is no use in telling anybody else.
   */
  #giveUp(now: Millis, waited: Millis): void {
    const { lifecycle, spaces, recovery } = this.#parts;
    const reason = `no handshake within ${Math.round(waited)} ms`;
    if (spaces.handshake.acks.largest < 0) lifecycle.end(ended('handshake_timeout', reason));
    else lifecycle.close(now, ended('handshake_timeout', reason, USER_CANCELED), recovery.threePtos);
  }

  /** When a client asks a peer that has paused in the middle of a stream. A server need not: only clients are behind NATs. */
  #silenceAt(): Millis {
    const { isServer, streams, idle, recovery } = this.#parts;
    return isServer || streams.receiveWaits.arriving === 0 ? NEVER : idle.silenceAt(recovery.threePtos);
  }
}
