import type { Series } from '../gauge/series.ts';
import type { Environment } from './environment.ts';
import type { SideResult } from './readings.ts';

/** The format of an experiment's file, docs/experiment.md: one JSON object a line, a header and then iterations. */
export const EXPERIMENT_SCHEMA = 'weir-experiment/1';

/** What one cell of the grid sets. Two iterations are of the same cell exactly when all of it is equal. */
export interface CellSettings {
  readonly transport: 'quic' | 'tls-tcp';
  /** `up`: this side sends. */
  readonly direction: 'up' | 'down';
  /** Streams of the one connection; for tls-tcp, connections. */
  readonly streams: number;
  /** Payload over all streams. */
  readonly bytes: number;
  /** The sender's congestion controller; null for tls-tcp, where the kernel has its own. */
  readonly cc: string | null;
  /** UDP payload of a full datagram; null: what the path is found to carry. */
  readonly datagramBytes: number | null;
  /** The emulated path as the user wrote it; null: none, the network as it is. */
  readonly path: string | null;
  /** Receive windows in bytes of connection and stream; null: grown automatically. */
  readonly windowBytes: number | null;
}

/** The first line of an experiment's file. */
export interface ExperimentHeader {
  readonly type: 'experiment';
  readonly schema: typeof EXPERIMENT_SCHEMA;
  readonly tool: { readonly name: string; readonly version: string };
  readonly id: string;
  /** ISO 8601 in UTC. */
  readonly createdAt: string;
  /** The command as typed, secrets (tickets' tokens) taken out. */
  readonly command: readonly string[];
  readonly seed: number;
  readonly environment: Environment;
  /** Every cell of the grid, in the order of the grid. */
  readonly cells: readonly CellSettings[];
  readonly iterations: number;
  readonly warmup: number;
  /** Repeat until the 95% interval of the median is this narrow, relative to the median; null: `iterations` only. */
  readonly untilInterval: number | null;
  readonly maxIterations: number;
  /** `local`, or host and port of the other side. */
  readonly target: string;
}

/** One iteration of one cell: every further line. */
export interface IterationRecord {
  readonly type: 'iteration';
  /** Index into the header's `cells`. */
  readonly cell: number;
  /** Within the cell, from 1; warm-ups count for themselves, from 1. */
  readonly iteration: number;
  readonly warmup: boolean;
  /** Position in the whole run, from 1: the shuffled order. */
  readonly order: number;
  readonly startedAt: string;
  readonly status: 'complete' | 'failed';
  /** What was wrong, in one line; null when complete. */
  readonly message: string | null;
  readonly bytes: number;
  /** Receiver's first to last byte where it told, otherwise the sender's first byte to last acknowledgement. */
  readonly wallMs: number | null;
  /** `bytes` over `wallMs`: goodput. */
  readonly bytesPerMs: number | null;
  /** CPU of this process (and of the other when `--local`) during the iteration, user and system. */
  readonly cpuMs: number | null;
  /** Null for tls-tcp, and where a side's numbers never came. */
  readonly sender: SideResult | null;
  readonly receiver: SideResult | null;
  readonly senderSeries: Series | null;
  readonly receiverSeries: Series | null;
}

/** A whole experiment as read from its file. */
export interface Experiment {
  readonly header: ExperimentHeader;
  readonly iterations: readonly IterationRecord[];
}
