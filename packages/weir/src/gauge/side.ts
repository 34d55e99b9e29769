import type { SideReading, StreamsReading } from '../transfer/index.ts';
import { readConnection, round, snapshotOf } from '../transfer/index.ts';
import type { GaugeSession, GaugeSessionStats } from './carrier.ts';
import type { LiveGauge } from './live.ts';
import type { Payload } from './payload.ts';
import type { Series } from './series.ts';
import type { IterationSettings } from './settings.ts';

/** What one side needs to know of an iteration. */
export interface SidePlan extends IterationSettings {
  /** On this connection, from 1. */
  readonly iteration: number;
  /** Whether a series is wanted. */
  readonly sampling: boolean;
  /** This side's first byte of iteration 1, on the session's clock; undefined in iteration 1. */
  readonly origin: number | undefined;
  /** What to send, on the side that does. */
  readonly payload?: Payload | undefined;
  /** Data begins to flow here. */
  readonly onLive?: ((live: LiveGauge) => void) | undefined;
}

/** What one side measured in one iteration. */
export interface Measured {
  readonly reading: SideReading;
  readonly series: Series | null;
  /** The side's first byte, on its session's clock. */
  readonly startedAt: number;
}

/** Reads the meters of one side; `before` is how they stood when the iteration began. */
export function readSide(
  session: GaugeSession,
  before: GaugeSessionStats,
  { iteration, origin }: SidePlan,
  streams: StreamsReading,
): SideReading {
  const { start, end, readings } = streams;
  return {
    iteration,
    wallMs: round(end - start),
    startedAtMs: round(start - (origin ?? start)),
    storedAfterMs: -1,
    streams: readings,
    connection: readConnection(before, snapshotOf(session.stats), streams),
  };
}
