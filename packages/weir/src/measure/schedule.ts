import {
  type ExperimentHeader,
  type IterationRecord,
  isNarrow,
  median,
  SeededRandom,
  summarize,
} from '../results/index.ts';
import { type Attempt, planOf } from './order.ts';
import { attemptKey } from './read-experiment.ts';

/** How far an experiment is. */
export interface ScheduleProgress {
  /** Iterations of the plan, at most: with `--until` cells may need fewer. */
  readonly total: number;
  readonly complete: number;
  /** Milliseconds that the rest may take, at most; null before anything has been measured. */
  readonly leftMs: number | null;
}

/**
 * What is to be run next: goes through the plan once, leaving out what is complete and the cells whose interval is narrow enough.
 * Follows from the header and the iterations in the file alone, so that a resumed experiment goes on as it would have.
 */
export class Schedule {
  readonly #header: ExperimentHeader;
  readonly #plan: readonly Attempt[];
  readonly #records = new Map<string, IterationRecord>();
  readonly #cells: readonly CellState[];
  #complete = 0;
  #at = 0;

  /** @param earlier iterations that the file has. */
  constructor(header: ExperimentHeader, earlier: readonly IterationRecord[]) {
    const { cells, warmup, seed } = header;
    this.#header = header;
    this.#plan = planOf({ cells: cells.length, warmup, seed, rounds: roundsOf(header) });
    this.#cells = cells.map(() => ({ left: 0, durations: [], highest: 0, isNarrowBefore: new Map() }));
    for (const record of earlier) this.add(record, record.wallMs);
    for (const attempt of this.#plan) {
      if (!this.#isComplete(attempt)) this.#cells[attempt.cell]!.left++;
    }
  }

  /** The next iteration, or undefined when there is none. What failed is not done again before the experiment is resumed. */
  next(): Attempt | undefined {
    while (this.#at < this.#plan.length) {
      const attempt = this.#plan[this.#at++]!;
      if (this.#isComplete(attempt)) continue;
      this.#cells[attempt.cell]!.left--;
      if (!this.#isSettled(attempt)) return attempt;
    }
    return undefined;
  }

  /** Takes note of an iteration. @param tookMs from its beginning to its record; null when unknown. */
  add(record: IterationRecord, tookMs: number | null): void {
    const cell = this.#cells[record.cell]!;
    this.#records.set(attemptKey(record), record);
    if (record.status === 'failed') return;
    this.#complete++;
    if (tookMs !== null) cell.durations.push(tookMs);
    if (record.warmup) return;
    cell.highest = Math.max(cell.highest, record.iteration);
    for (const iteration of [...cell.isNarrowBefore.keys()]) {
      if (iteration > record.iteration) cell.isNarrowBefore.delete(iteration);
    }
  }

  get progress(): ScheduleProgress {
    return { total: this.#plan.length, complete: this.#complete, leftMs: this.#estimate() };
  }

  /** Whether every cell has what it needs: nothing is missing and nothing failed. */
  get isComplete(): boolean {
    return this.#plan.every((attempt) => this.#isComplete(attempt) || this.#isSettled(attempt));
  }

  #isComplete(attempt: Attempt): boolean {
    return this.#records.get(attemptKey(attempt))?.status === 'complete';
  }

  /** Whether the cell needed no more before this iteration: later ones, there after a failure, change nothing about that. */
  #isSettled({ cell, iteration, warmup }: Attempt): boolean {
    const { untilInterval, iterations } = this.#header;
    if (untilInterval === null || warmup) return false;
    const last = Math.min(iteration, this.#cells[cell]!.highest + 1);
    for (let before = iterations + 1; before <= last; before++) {
      if (this.#isNarrowBefore(cell, before, untilInterval)) return true;
    }
    return false;
  }

  /** Whether the iterations before this one make the interval narrow. */
  #isNarrowBefore(cell: number, iteration: number, width: number): boolean {
    const { isNarrowBefore } = this.#cells[cell]!;
    const known = isNarrowBefore.get(iteration);
    if (known !== undefined) return known;
    const rates: number[] = [];
    for (let before = 1; before < iteration; before++) {
      const record = this.#records.get(attemptKey({ cell, iteration: before, warmup: false }));
      if (record?.status === 'complete' && record.bytesPerMs !== null) rates.push(record.bytesPerMs);
    }
    const verdict = rates.length > 0 && isNarrow(summarize(rates, new SeededRandom(this.#header.seed)), width);
    isNarrowBefore.set(iteration, verdict);
    return verdict;
  }

  /** Each as long as its cell's others took; cells without any, as long by the byte as all others. */
  #estimate(): number | null {
    const { cells } = this.#header;
    const bytesOf = (cell: number) => Math.max(1, cells[cell]!.bytes);
    const usual = this.#cells.map(({ durations }) => median(durations));
    const perByte = median(usual.flatMap((ms, cell) => (ms === undefined ? [] : [ms / bytesOf(cell)])));
    let total = 0;
    for (const [cell, { left }] of this.#cells.entries()) {
      const next = { cell, iteration: roundsOf(this.#header), warmup: false, order: 0 };
      if (left === 0 || this.#isSettled(next)) continue;
      if (perByte === undefined) return null;
      total += left * (usual[cell] ?? perByte * bytesOf(cell));
    }
    return total;
  }
}

/** What a schedule knows of a cell. */
interface CellState {
  /** Iterations of the plan that are not complete and were not passed over. */
  left: number;
  /** Milliseconds of its iterations. */
  readonly durations: number[];
  /** The highest number of a counted iteration that is complete. */
  highest: number;
  /** By number of an iteration: whether those before it are enough. Holds until one of them changes. */
  readonly isNarrowBefore: Map<number, boolean>;
}

/** Counted iterations that a cell has at most. */
export function roundsOf({ untilInterval, iterations, maxIterations }: ExperimentHeader): number {
  return untilInterval === null ? iterations : Math.max(iterations, maxIterations);
}
