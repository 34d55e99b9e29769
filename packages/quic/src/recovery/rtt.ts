import type { Millis } from '../base/time.ts';

/** The timer granularity that every timeout allows for, RFC 9002 §6.1.2. */
export const GRANULARITY: Millis = 1;

/** What a path is assumed to take before it has been measured, RFC 9002 §6.2.2. */
export const INITIAL_RTT: Millis = 333;

/** Estimates the round-trip time of a path, RFC 9002 §5. All fields are milliseconds. */
export class RttEstimator {
  /** The newest sample, acknowledgment delay included; 0 until there is one. */
  latest: Millis = 0;
  /** Moving average of the samples less the peer's delay; the initial guess until there is a sample. */
  smoothed: Millis;
  /** Mean deviation of the samples. */
  variance: Millis;
  /** The smallest sample since the path began or congestion was persistent; 0 until there is one. */
  min: Millis = 0;
  /** Whether anything has been measured. */
  hasSample = false;
  /** The probe timeout without a sample. */
  initialPto: Millis;
  /** Whether a sample was taken after the handshake was confirmed. */
  #isSettled = false;

  constructor(initialRtt: Millis = INITIAL_RTT) {
    this.initialPto = 3 * initialRtt;
    this.smoothed = initialRtt;
    this.variance = initialRtt / 2;
  }

  /**
   * Takes a sample: `latest` is the time between sending a packet and hearing that it arrived, `ackDelay` the part of it
   * that the peer reports to have waited. The delay is believed up to `maxAckDelay` once the handshake is confirmed, and
   * never so far that the sample falls below the minimum (§5.3). The samples of a handshake can have seconds in them in which the
   * peer waited: when its ACK is lost, it says it again with its next probe, and no delay is told. One less than half of all of
   * those gives them the lie, and starts over.
   */
  update(latest: Millis, ackDelay: Millis, handshakeConfirmed: boolean, maxAckDelay: Millis): void {
    this.latest = Math.max(0, latest);
    const startsOver = !this.#isSettled && this.latest < this.min / 2;
    this.#isSettled = handshakeConfirmed;
    if (!this.hasSample || startsOver) {
      this.hasSample = true;
      this.min = this.latest;
      this.smoothed = this.latest;
      this.variance = this.latest / 2;
      return;
    }
    this.min = Math.min(this.min, this.latest);
    const delay = handshakeConfirmed ? Math.min(ackDelay, maxAckDelay) : ackDelay;
    const adjusted = this.latest >= this.min + delay ? this.latest - delay : this.latest;
    this.variance = 0.75 * this.variance + 0.25 * Math.abs(this.smoothed - adjusted);
    this.smoothed = 0.875 * this.smoothed + 0.125 * adjusted;
  }

  /** The probe timeout without backoff, RFC 9002 §6.2.1. `maxAckDelay` is 0 for Initial and Handshake packets. */
  pto(maxAckDelay: Millis): Millis {
    return this.smoothed + Math.max(4 * this.variance, GRANULARITY) + maxAckDelay;
  }

  /** Forgets the minimum: persistent congestion suggests that the path changed (RFC 9002 §5.2). */
  forgetMin(): void {
    this.min = this.latest;
  }

  /** Starts over for a new path. */
  reset(initialRtt: Millis = INITIAL_RTT): void {
    this.latest = 0;
    this.initialPto = 3 * initialRtt;
    this.smoothed = initialRtt;
    this.variance = initialRtt / 2;
    this.min = 0;
    this.hasSample = false;
    this.#isSettled = false;
  }
}
