import { attainableConfidence, type Interval, medianInterval, type UniformRandom } from './bootstrap.ts';
import { mean, median, standardDeviation } from './location.ts';
import { outlierIndexes } from './outliers.ts';

/** What is said of one setting's repetitions. In the unit of the values. */
export interface Summary {
  readonly count: number;
  readonly median: number;
  readonly mean: number;
  /** Of the sample (n − 1); null of one value. */
  readonly standardDeviation: number | null;
  readonly minimum: number;
  readonly maximum: number;
  /** 95% percentile bootstrap interval of the median. Never wider than minimum to maximum. */
  readonly interval: Interval;
  /** What the interval can promise: 0.95, or less with fewer than 6 values. 0 of one value. */
  readonly confidence: number;
  /** Indexes into the values; they are part of all the numbers above. */
  readonly outliers: readonly number[];
}

/**
 * Summarizes repeated measurements.
 * @param random for the resampling: the same values and seed give the same summary.
 * @throws RangeError of no values, and when one is not finite.
 */
export function summarize(values: readonly number[], random: UniformRandom): Summary {
  if (values.length === 0) throw new RangeError('no values to summarize');
  if (!values.every(Number.isFinite)) throw new RangeError('a value to summarize is not finite');
  return {
    count: values.length,
    median: median(values)!,
    mean: mean(values)!,
    standardDeviation: standardDeviation(values) ?? null,
    minimum: Math.min(...values),
    maximum: Math.max(...values),
    interval: medianInterval(values, random),
    confidence: attainableConfidence(values.length),
    outliers: outlierIndexes(values),
  };
}

/**
 * Whether the interval's whole width is at most `relative` times the median: what `--until ci=5%` waits for. Never with fewer than
 * 6 values, of which no interval is a 95% one.
 */
export function isNarrow(summary: Summary, relative: number): boolean {
  const [low, high] = summary.interval;
  return summary.confidence >= 0.95 && high - low <= relative * Math.abs(summary.median);
}
