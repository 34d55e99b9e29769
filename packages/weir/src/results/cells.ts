import { SeededRandom } from 'weir-quic/random';
import { type Comparison, compare } from './compare.ts';
import { type Explanation, explainIterations } from './explain.ts';
import type { CellSettings, Experiment, IterationRecord } from './record.ts';
import { median, type Summary, sum, summarize } from './statistics/index.ts';
import { phasesOf } from './steady-state.ts';

/** All iterations of one cell of an experiment, without warm-ups. Rates in bytes per millisecond. */
export interface CellSummary {
  /** Index into the header's cells. */
  readonly cell: number;
  readonly settings: CellSettings;
  /** The complete iterations that have a rate, by number. */
  readonly records: readonly IterationRecord[];
  readonly failed: number;
  /** Null when no iteration was complete. `outliers` are indexes into `records`. */
  readonly goodput: Summary | null;
  /** Packets that the sender declared lost, of those it sent, over all iterations; null where nobody counted. */
  readonly lossShare: number | null;
  /** Medians over the iterations. */
  readonly rttMs: number | null;
  readonly fairness: number | null;
  /** CPU time by wall time: 1 is one processor, busy all along. */
  readonly cpuShare: number | null;
  /** The median of the rates after slow start, over the iterations that came that far. */
  readonly steadyBytesPerMs: number | null;
  readonly explanation: Explanation;
  /** Against which cell it is compared, and how; null for one that others are compared with, and where values are missing. */
  readonly against: { readonly cell: number; readonly comparison: Comparison } | null;
}

/** From so many pairs on, pairing can find a difference at p < 0.01 at all. */
const FEWEST_PAIRS = 8;

/** Summarizes every cell of the grid, in its order. Deterministic: the header's seed is the seed of the resampling. */
export function cellSummaries({ header, iterations }: Experiment): CellSummary[] {
  const complete = header.cells.map((_, cell) => completeOf(iterations, cell));
  return header.cells.map((settings, cell) => {
    const records = complete[cell]!;
    const reference = referenceOf(header.cells, cell);
    const others = reference === null ? [] : complete[reference]!;
    const comparison = compareRecords(others, records, header.seed + cell);
    return {
      cell,
      settings,
      records,
      failed: failuresOf(iterations, cell),
      ...numbersOf(records, header.seed + cell),
      against: reference === null || comparison === null ? null : { cell: reference, comparison },
    };
  });
}

/**
 * Compares the rates of two cells' iterations, `b` as seen from `a`: paired by number where at least 8 numbers are complete in
 * both (rounds of an experiment hold every cell once, so one number was measured at about one time), otherwise as two groups.
 * Null when one has none.
 */
export function compareRecords(
  a: readonly IterationRecord[],
  b: readonly IterationRecord[],
  seed: number,
): Comparison | null {
  const [ratesA, ratesB] = [ratesOf(a), ratesOf(b)];
  const shared = [...ratesA.keys()].filter((iteration) => ratesB.has(iteration));
  if (shared.length >= FEWEST_PAIRS) {
    const of = (rates: ReadonlyMap<number, number>): number[] => shared.map((iteration) => rates.get(iteration)!);
    return compare(of(ratesA), of(ratesB), { paired: true, seed });
  }
  if (ratesA.size === 0 || ratesB.size === 0) return null;
  return compare([...ratesA.values()], [...ratesB.values()], { paired: false, seed });
}

/** What two cells that are compared should have in common, as much of it as leaves something to compare. */
const IN_COMMON: readonly (readonly (keyof CellSettings)[])[] = [
  ['bytes', 'direction', 'path'],
  ['bytes', 'direction'],
  [],
];

/**
 * Which cell a cell is compared with: the first with the same size, direction and path (where there are none such in the whole grid,
 * with the same size and direction, or else the first of all). For QUIC where TLS over TCP was measured beside it, on the same path:
 * that, with as many streams, or the first. Null for the first itself.
 */
export function referenceOf(cells: readonly CellSettings[], cell: number): number | null {
  const own = cells[cell]!;
  const keys = IN_COMMON.find((some) => new Set(cells.map((each) => keyOf(each, some))).size < cells.length) ?? [];
  const group = [...cells.keys()].filter((other) => keyOf(cells[other]!, keys) === keyOf(own, keys));
  const baselines = group.filter((other) => isBaseline(cells[other]!) && cells[other]!.path === own.path);
  const twin = isBaseline(own) ? undefined : baselines.find((other) => cells[other]!.streams === own.streams);
  const reference = twin ?? baselines[0] ?? group.find((other) => !isBaseline(cells[other]!))!;
  return reference === cell ? null : reference;
}

function isBaseline({ transport }: CellSettings): boolean {
  return transport === 'tls-tcp';
}

function keyOf(cell: CellSettings, keys: readonly (keyof CellSettings)[]): string {
  return JSON.stringify(keys.map((key) => cell[key]));
}

type Numbers = Omit<CellSummary, 'cell' | 'settings' | 'records' | 'failed' | 'against'>;

function numbersOf(records: readonly IterationRecord[], seed: number): Numbers {
  const connections = records.map(({ sender }) => sender?.connection).filter((connection) => connection !== undefined);
  const sent = sum(connections.map(({ packetsSent }) => packetsSent));
  const rates = [...ratesOf(records).values()];
  return {
    goodput: rates.length === 0 ? null : summarize(rates, new SeededRandom(seed)),
    lossShare: sent === 0 ? null : sum(connections.map(({ packetsLost }) => packetsLost)) / sent,
    rttMs: medianOf(connections.map(({ rttSmoothedMs }) => rttSmoothedMs)),
    fairness: medianOf(records.map(({ receiver, sender }) => (receiver ?? sender)?.fairness ?? null)),
    cpuShare: medianOf(records.map(({ cpuMs, wallMs }) => (cpuMs === null || !wallMs ? null : cpuMs / wallMs))),
    steadyBytesPerMs: medianOf(records.map((r) => phasesOf(r.sender, r.senderSeries)?.steady.bytesPerMs ?? null)),
    explanation: explainIterations(records),
  };
}

/** One record for each number, in order: a failed iteration may have been repeated by a resumed run. */
function completeOf(iterations: readonly IterationRecord[], cell: number): IterationRecord[] {
  const found = iterations.filter((record) => record.cell === cell && !record.warmup && hasRate(record));
  const byNumber = new Map(found.map((record) => [record.iteration, record]));
  return [...byNumber.values()].sort((a, b) => a.iteration - b.iteration);
}

/** How many numbers failed and were not made up for. */
function failuresOf(iterations: readonly IterationRecord[], cell: number): number {
  const own = iterations.filter((record) => record.cell === cell && !record.warmup);
  const complete = new Set(own.filter(({ status }) => status === 'complete').map(({ iteration }) => iteration));
  const failed = own.filter(({ iteration }) => !complete.has(iteration)).map(({ iteration }) => iteration);
  return new Set(failed).size;
}

function hasRate(record: IterationRecord): boolean {
  return record.status === 'complete' && record.bytesPerMs !== null && record.bytesPerMs > 0;
}

function ratesOf(records: readonly IterationRecord[]): Map<number, number> {
  return new Map(records.filter(hasRate).map(({ iteration, bytesPerMs }) => [iteration, bytesPerMs!]));
}

function medianOf(values: readonly (number | null)[]): number | null {
  return median(values.filter((value) => value !== null)) ?? null;
}
