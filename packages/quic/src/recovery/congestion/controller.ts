import type { Random } from '../../base/random.ts';
import type { Millis } from '../../base/time.ts';
import type { DeliveryRate, LostPacket, RateSample } from '../delivery-rate.ts';
import type { RttEstimator } from '../rtt.ts';

/**
 * The seam for congestion control: five hooks, a window and a pacing rate. Bytes are UDP payload bytes (RFC 9002 §7).
 * The controller owns bytes-in-flight no more than it must: the caller passes it where it matters. One that goes by the rate
 * at which the path delivers has a `delivery`, and hears of every sample and every loss; for all others nothing is measured.
 */
export interface CongestionController {
  readonly name: string;
  /** The congestion window in bytes. */
  readonly window: number;
  /** Bytes a millisecond to pace at, or 0 to let the pacer derive it from window and RTT. */
  readonly pacingRate: number;
  /** Slow start threshold in bytes; Infinity until the first congestion event. */
  readonly slowStartThreshold: number;
  /** Whether it is in slow start, congestion avoidance or recovery, for qlog and reports. */
  readonly phase: 'slow_start' | 'congestion_avoidance' | 'recovery';
  onPacketSent(now: Millis, bytes: number, bytesInFlight: number, packetNumber: number): void;
  /**
   * In-flight bytes were acknowledged by one ACK frame: once an ACK, not once a packet. `largestSentAt` is when the newest
   * of them was sent; `appLimited` says that the window was not the limit.
   */
  onAcked(
    now: Millis,
    bytes: number,
    largestSentAt: Millis,
    largestAcked: number,
    rtt: RttEstimator,
    bytesInFlight: number,
    appLimited: boolean,
  ): void;
  /** Packets were declared lost, or ECN-CE was reported: one congestion event at most per round trip (RFC 9002 §7.3.1). */
  onCongestionEvent(now: Millis, largestSentAt: Millis, lostBytes: number, ecn: boolean): void;
  /** Persistent congestion, RFC 9002 §7.6. */
  onPersistentCongestion(now: Millis): void;
  /**
   * Every loss of a congestion event proved to be a packet that was merely late. `later` events have begun since and stand so far; 0
   * says that it was the latest. A controller may take the reduction back (RFC 9438 §4.9.2).
   */
  onSpuriousCongestionEvent?(now: Millis, later: number): void;
  /** The path's maximum datagram size changed; windows are floored at multiples of it. */
  onMaxDatagramSize(bytes: number): void;
  /** Makes Recovery measure: the same object as long as the controller lives. */
  readonly delivery?: DeliveryRate;
  /** One ACK's sample, after `onAcked` and after its losses. `bytesInFlight` is what is left. */
  onSample?(now: Millis, sample: RateSample, rtt: RttEstimator, bytesInFlight: number): void;
  /** One packet that is a sign of congestion was declared lost, before `onCongestionEvent` sums them up. */
  onPacketLost?(now: Millis, lost: LostPacket): void;
}

/** Makes a controller for a path. `maxDatagramSize` in bytes; `random` is there for decisions that are left to chance. */
export type CongestionControllerFactory = (maxDatagramSize: number, random?: Random) => CongestionController;
