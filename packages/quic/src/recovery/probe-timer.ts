import { type Millis, NEVER } from '../base/time.ts';
import { Space } from '../wire/frame-type.ts';
import type { RttEstimator } from './rtt.ts';
import type { SentPackets } from './sent-packets.ts';

/** No probe timeout is backed off further than this: picoquic's bound, too. */
const MAX_INTERVAL: Millis = 2000;
/** How many probe timeouts fit an idle timeout at least, so that a path which comes back late in it is still noticed. */
const INTERVALS_IN_IDLE_TIMEOUT = 8;

/** When a probe is due and whether one may be: the state that RFC 9002 §6.2 keeps besides the sent packets. */
export class ProbeTimer {
  /** Probe timeouts in a row without an acknowledgment; each doubles the next. */
  count = 0;
  /** Whether the handshake is confirmed (RFC 9001 §4.1.2): only then are Application packets probed. */
  handshakeConfirmed = false;
  /** The peer's max_ack_delay. */
  maxAckDelay: Millis = 25;
  /** Whether Handshake packets can be sent: the client's probes then are Handshake packets. */
  hasHandshakeKeys = false;
  /** Whether the peer has surely validated our address; always so on a server (§6.2.2.1). */
  peerCompletedAddressValidation: boolean;
  /** Whether the anti-amplification limit forbids sending: probing makes no sense then. */
  amplificationLimited = false;
  /** When something was last sent, acknowledged or probed: what the client's timer without packets in flight runs from. */
  restartedAt: Millis = -1;
  /** What no backoff exceeds. */
  #maxInterval = MAX_INTERVAL;
  /** When the timer last expired; -1 if it never did. */
  #expiredAt: Millis = -1;

  constructor(isServer: boolean) {
    this.peerCompletedAddressValidation = isServer;
  }

  /** The idle timeout that both ends have agreed on; 0 for none. */
  setIdleTimeout(timeout: Millis): void {
    this.#maxInterval = timeout === 0 ? MAX_INTERVAL : Math.min(MAX_INTERVAL, timeout / INTERVALS_IN_IDLE_TIMEOUT);
  }

  /** The deadline passed: the next one is twice as far, within bounds. */
  onExpired(now: Millis): void {
    this.count++;
    this.restartedAt = now;
    this.#expiredAt = now;
  }

  /** Whether a client must keep probing although nothing is in flight, lest the server wait for credit forever. */
  mustUnblockPeer(spaces: readonly SentPackets[]): boolean {
    return (
      !this.peerCompletedAddressValidation &&
      !this.handshakeConfirmed &&
      this.restartedAt >= 0 &&
      spaces[Space.INITIAL]!.ackElicitingInFlight === 0 &&
      spaces[Space.HANDSHAKE]!.ackElicitingInFlight === 0
    );
  }

  /** When to probe next, or NEVER (RFC 9002 §A.8). */
  deadline(spaces: readonly SentPackets[], rtt: RttEstimator): Millis {
    if (this.amplificationLimited) return NEVER;
    // No longer than without a sample: what a handshake measures may be how long the peer waited, see RttEstimator.update.
    const interval = this.#backOff(Math.min(rtt.pto(0), rtt.initialPto));
    if (this.mustUnblockPeer(spaces)) return this.restartedAt + interval;
    let earliest = NEVER;
    for (let i = 0; i < spaces.length; i++) {
      const space = spaces[i]!;
      if (space.ackElicitingInFlight === 0) continue;
      const application = space.space === Space.APPLICATION;
      if (application && !this.handshakeConfirmed) continue;
      // The probes that were due may not have gone out yet: don't expire again before their time.
      const from = Math.max(space.lastAckElicitingSentAt, this.#expiredAt);
      const at = from + (application ? this.#backOff(rtt.pto(this.maxAckDelay)) : interval);
      if (at < earliest) earliest = at;
    }
    return earliest;
  }

  /**
   * `pto` doubled for each probe timeout in a row, RFC 9002 §6.2.1. Unlike there, not without end: two datagrams in two seconds burden no
   * path, and one that has come back would be noticed late, or not before the idle timeout. The bound is none to a path whose
   * plain probe timeout is longer.
   */
  #backOff(pto: Millis): Millis {
    return Math.max(pto, Math.min(pto * 2 ** this.count, this.#maxInterval));
  }
}
