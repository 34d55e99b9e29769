import type { CongestionName, LimitTimes } from 'weir-quic';
import type { CarrierSession, CarrierSessionStats } from '../peer/index.ts';

/** Counters of a session that are sampled, see ConnectionStats of the QUIC API. */
export interface GaugeSessionStats extends CarrierSessionStats {
  readonly bytesInFlight: number;
  readonly sendLimitMs?: LimitTimes;
  readonly receiveLimitMs?: LimitTimes;
}

/** What this layer asks of a connection: a QuicSession has it. */
export interface GaugeSession extends CarrierSession {
  readonly stats: GaugeSessionStats;
  setCongestionController(cc: CongestionName): void;
}
