import type { Millis } from '../base/time.ts';
import type { Recovery } from '../recovery/recovery.ts';
import type { LimitTimes } from '../stream/limit-clock.ts';
import type { TurnClock } from '../stream/turn-clock.ts';

/** Counts of one connection that no component owns. */
export class Counters {
  /** UDP payload bytes. */
  bytesSent = 0;
  bytesReceived = 0;
  datagramsSent = 0;
  datagramsReceived = 0;
  packetsReceived = 0;
  /** Packets that could not be opened or parsed, or came twice. */
  packetsDropped = 0;
  keyUpdates = 0;
}

/** When the connection reached its milestones; -1 for not yet. */
export interface ConnectionTimes {
  startedAt: Millis;
  completedAt: Millis;
  confirmedAt: Millis;
}

/** A snapshot of a connection. Times are milliseconds, sizes bytes. */
export interface ConnectionStats {
  readonly startedAt: Millis;
  /** -1 until it happens. */
  readonly handshakeCompletedAt: Millis;
  readonly handshakeConfirmedAt: Millis;
  readonly rttLatest: Millis;
  readonly rttSmoothed: Millis;
  readonly rttVariance: Millis;
  readonly rttMin: Millis;
  readonly congestionController: string;
  readonly congestionWindow: number;
  readonly slowStartThreshold: number;
  /** When the present congestion controller first left slow start; -1 until it does. */
  readonly slowStartEndedAt: Millis;
  readonly bytesInFlight: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly datagramsSent: number;
  readonly datagramsReceived: number;
  readonly packetsSent: number;
  readonly packetsReceived: number;
  readonly packetsDropped: number;
  readonly packetsAcked: number;
  readonly packetsLost: number;
  readonly bytesLost: number;
  readonly spuriousLosses: number;
  readonly ptoCount: number;
  readonly congestionEvents: number;
  readonly persistentCongestionEvents: number;
  readonly ecnCeEvents: number;
  readonly keyUpdates: number;
  /** Bytes of UDP payload of a full datagram on the path. */
  readonly maxDatagramSize: number;
  /**
   * What sending waited for, in the order of SEND_LIMITS; from `startedAt` to now, or to the connection's end, they add up to the time
   * that passed.
   */
  readonly sendLimitMs: LimitTimes;
  /** What receiving waited for, in the order of RECEIVE_LIMITS; they add up likewise. */
  readonly receiveLimitMs: LimitTimes;
}

/** Gathers the counters of a connection's components. */
export function snapshot(
  times: ConnectionTimes,
  recovery: Recovery,
  counters: Counters,
  turns: TurnClock,
  maxDatagramSize: number,
): ConnectionStats {
  const { rtt, congestion, bytesInFlight } = recovery;
  const { packetsSent, packetsAcked, packetsLost, bytesLost, spuriousLosses, ptoCount } = recovery.counters;
  const { congestionEvents, persistentCongestionEvents, ecnCeEvents } = recovery.counters;
  return {
    startedAt: times.startedAt,
    handshakeCompletedAt: times.completedAt,
    handshakeConfirmedAt: times.confirmedAt,
    rttLatest: rtt.latest,
    rttSmoothed: rtt.smoothed,
    rttVariance: rtt.variance,
    rttMin: rtt.min,
    congestionController: congestion.name,
    congestionWindow: congestion.window,
    slowStartThreshold: congestion.slowStartThreshold,
    slowStartEndedAt: recovery.slowStartEndedAt,
    bytesInFlight,
    ...counters,
    packetsSent,
    packetsAcked,
    packetsLost,
    bytesLost,
    spuriousLosses,
    ptoCount,
    congestionEvents,
    persistentCongestionEvents,
    ecnCeEvents,
    maxDatagramSize,
    sendLimitMs: Array.from(turns.send.times),
    receiveLimitMs: Array.from(turns.receive.times),
  };
}
