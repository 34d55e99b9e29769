import type { Millis } from '../../base/time.ts';
import type { RttEstimator } from '../rtt.ts';

/**
 * The seam for congestion control: five hooks, a window and a pacing rate. Bytes are UDP payload bytes (RFC 9002 §7).
 * The controller owns bytes-in-flight no more than it must: the caller passes it where it matters.
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
   * Every loss of the latest congestion event proved to be a packet that was merely late. A controller may take the
   * reduction back (RFC 9438 §4.9.2).
   */
  onSpuriousCongestionEvent?(now: Millis): void;
  /** The path's maximum datagram size changed; windows are floored at multiples of it. */
  onMaxDatagramSize(bytes: number): void;
}

/** Makes a controller for a path. `maxDatagramSize` in bytes. */
export type CongestionControllerFactory = (maxDatagramSize: number) => CongestionController;
