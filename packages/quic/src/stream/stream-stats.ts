import type { Millis } from '../base/time.ts';
import { type LimitTimes, NO_SEND_TIMES } from './limit-clock.ts';

/**
 * What one stream did, both ways. Times are points on the connection's clock, -1 for what never happened; durations are in
 * milliseconds. A packet counts once a stream, however many of the stream's frames it carried.
 */
export interface StreamStats {
  /** Bytes of stream data sent for the first time. */
  bytesSent: number;
  /** Bytes sent again because a packet was declared lost. */
  bytesRetransmitted: number;
  packetsSent: number;
  /** Bytes acknowledged, each byte once. */
  bytesAcked: number;
  packetsAcked: number;
  firstSentAt: Millis;
  lastSentAt: Millis;
  firstAckedAt: Millis;
  lastAckedAt: Millis;
  /** Bytes received, each byte once. */
  bytesReceived: number;
  /** Bytes received that were there already. */
  bytesDuplicate: number;
  packetsReceived: number;
  firstReceivedAt: Millis;
  lastReceivedAt: Millis;
  /** Time with data to send that the stream's flow-control limit held back. */
  blockedByStreamMs: Millis;
  /** Time with data to send that the connection's flow-control limit held back. */
  blockedByConnectionMs: Millis;
  /** Time with received data held back behind a gap. */
  reassemblyMs: Millis;
  /**
   * What sending waited for, in the order of SEND_LIMITS: from the stream's opening to the last acknowledgement, or until now, they
   * add up to the time that passed. Zeros where this side does not send. Replaced, not changed, when statistics are read.
   */
  sendLimitMs: LimitTimes;
}

/** The statistics of a stream on which nothing has happened. */
export function createStreamStats(): StreamStats {
  return {
    bytesSent: 0,
    bytesRetransmitted: 0,
    packetsSent: 0,
    bytesAcked: 0,
    packetsAcked: 0,
    firstSentAt: -1,
    lastSentAt: -1,
    firstAckedAt: -1,
    lastAckedAt: -1,
    bytesReceived: 0,
    bytesDuplicate: 0,
    packetsReceived: 0,
    firstReceivedAt: -1,
    lastReceivedAt: -1,
    blockedByStreamMs: 0,
    blockedByConnectionMs: 0,
    reassemblyMs: 0,
    sendLimitMs: NO_SEND_TIMES,
  };
}
