import type { Series } from '../gauge/series.ts';
import {
  type CellSettings,
  type ExperimentHeader,
  type IterationRecord,
  ratePerMs,
  type SideResult,
} from '../results/index.ts';
import { messageOf } from '../text/index.ts';
import { ExperimentError } from './errors.ts';
import type { Attempt } from './order.ts';
import { Schedule, type ScheduleProgress } from './schedule.ts';

/** As many iterations may fail one after the other before the run is given up. */
const MAX_FAILURES = 3;

/** What one iteration gave. */
export interface Measurement {
  readonly bytes: number;
  /** As IterationRecord's. */
  readonly wallMs: number | null;
  readonly cpuMs: number | null;
  readonly sender: SideResult | null;
  readonly receiver: SideResult | null;
  readonly senderSeries: Series | null;
  readonly receiverSeries: Series | null;
}

/** What measures one iteration of a cell, over a connection of its own. */
export interface Bench<Live = unknown> {
  /** @param seed for what chance there is in the iteration: the emulated path's losses. */
  measure(
    cell: CellSettings,
    options: { readonly seed: number; readonly signal: AbortSignal; readonly onLive?: (live: Live) => void },
  ): Promise<Measurement>;
}

/** Where iterations are kept. */
export interface RecordSink {
  readonly header: ExperimentHeader;
  readonly earlier: readonly IterationRecord[];
  append(record: IterationRecord): Promise<void>;
}

/** Hears how a run goes. */
export interface RunEvents<Live = unknown> {
  /** Before an iteration. `unrecorded` when it only warms up a process that resumes. */
  readonly onStart?: (attempt: Attempt, cell: CellSettings, unrecorded: boolean) => void;
  readonly onLive?: (live: Live) => void;
  /** After an iteration, when its line is in the file. */
  readonly onRecord?: (record: IterationRecord, cell: CellSettings, progress: ScheduleProgress) => void;
}

/** Options of `runExperiment`. */
export interface RunOptions<Live = unknown> {
  readonly sink: RecordSink;
  readonly bench: Bench<Live>;
  readonly signal: AbortSignal;
  readonly events?: RunEvents<Live>;
  /** An error as one line for people. Default: its message. */
  readonly describe?: (error: unknown) => string;
  /** Whether an error will come again however often one tries. */
  readonly isHopeless?: (error: unknown) => boolean;
  /** Default: the process's clocks. */
  readonly clock?: { readonly now: () => number; readonly date: () => Date };
}

/** How a run ended that was not stopped. */
export interface RunOutcome {
  /** Iterations that this run added, and how many of them failed. */
  readonly added: number;
  readonly failed: number;
  /** Whether every cell has all its iterations. */
  readonly isComplete: boolean;
  /** The last failure's error. */
  readonly lastError: unknown;
}

const PROCESS_CLOCK = { now: () => performance.now(), date: () => new Date() };

/**
 * Runs what an experiment still lacks, in the order of its plan, each iteration in the file before the next begins. An iteration
 * that fails is recorded so, and the run goes on.
 * @throws ExperimentError `stopped` when the signal aborts (the iteration under way leaves nothing in the file), `failing` after
 * several failures in a row, `file` when an iteration cannot be written.
 */
export async function runExperiment<Live>(options: RunOptions<Live>): Promise<RunOutcome> {
  const { sink, signal, events } = options;
  const clock = options.clock ?? PROCESS_CLOCK;
  const schedule = new Schedule(sink.header, sink.earlier);
  let added = 0;
  let failed = 0;
  let failuresInRow = 0;
  let lastError: unknown;
  for (let attempt = schedule.next(); attempt !== undefined; attempt = schedule.next()) {
    if (added === 0) await warmUpAgain(options, attempt);
    const cell = sink.header.cells[attempt.cell]!;
    events?.onStart?.(attempt, cell, false);
    const startedAt = clock.now();
    const { record, error } = await attemptOnce(options, attempt, clock.date());
    await sink.append(record);
    added++;
    schedule.add(record, clock.now() - startedAt);
    events?.onRecord?.(record, cell, schedule.progress);
    failuresInRow = record.status === 'failed' ? failuresInRow + 1 : 0;
    if (record.status === 'failed') {
      failed++;
      lastError = error;
      if (failuresInRow >= MAX_FAILURES || options.isHopeless?.(error)) throw giveUp(failuresInRow, record, error);
    }
    if (signal.aborted) break;
  }
  if (signal.aborted) throw new ExperimentError('stopped', 'stopped');
  return { added, failed, isComplete: schedule.isComplete, lastError };
}

/** A process that resumes is as cold as one that begins, but its warm-ups are in the file already. */
async function warmUpAgain<Live>(options: RunOptions<Live>, first: Attempt): Promise<void> {
  const { sink, bench, signal, events } = options;
  if (first.warmup || sink.header.warmup === 0) return;
  const cell = sink.header.cells[first.cell]!;
  events?.onStart?.(first, cell, true);
  // A failure comes again in the iteration itself, and is recorded there.
  await bench.measure(cell, { seed: attemptSeed(sink.header.seed, 0), signal }).catch(() => undefined);
  if (signal.aborted) throw new ExperimentError('stopped', 'stopped');
}

async function attemptOnce<Live>(
  { sink, bench, signal, events, describe = messageOf }: RunOptions<Live>,
  attempt: Attempt,
  date: Date,
): Promise<{ record: IterationRecord; error: unknown }> {
  const { header } = sink;
  const cell = header.cells[attempt.cell]!;
  const place = { type: 'iteration', ...attempt, startedAt: date.toISOString() } as const;
  try {
    const measured = await bench.measure(cell, {
      seed: attemptSeed(header.seed, attempt.order),
      signal,
      ...(events?.onLive !== undefined && { onLive: events.onLive }),
    });
    const rate = measured.wallMs === null ? undefined : ratePerMs(measured.bytes, measured.wallMs);
    const bytesPerMs = rate === undefined ? null : Number(rate.toPrecision(9));
    return { record: { ...place, status: 'complete', message: null, ...measured, bytesPerMs }, error: undefined };
  } catch (error) {
    if (signal.aborted) throw new ExperimentError('stopped', 'stopped');
    return { record: { ...place, ...NOTHING, message: describe(error) }, error };
  }
}

const NOTHING = {
  status: 'failed',
  bytes: 0,
  wallMs: null,
  bytesPerMs: null,
  cpuMs: null,
  sender: null,
  receiver: null,
  senderSeries: null,
  receiverSeries: null,
} as const;

/** Each iteration has losses of its own, the same when it is done again. The plan's length is far below the factor. */
export function attemptSeed(seed: number, order: number): number {
  return (seed * 1_000_003 + order) % 4_294_967_296;
}

function giveUp(failures: number, record: IterationRecord, error: unknown): ExperimentError {
  const times = failures > 1 ? `${failures} iterations failed one after the other, the last with: ` : '';
  return new ExperimentError('failing', `${times}${record.message}`, error);
}
