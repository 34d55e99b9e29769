import { medianAbsoluteDeviation } from 'simple-statistics';
import { mean, median } from './location.ts';

/** Of fewer, the spread is not known well enough to call one of them odd. */
const FEWEST = 5;
/** Iglewicz & Hoaglin's bound for the modified z-score. */
const BOUND = 3.5;

/**
 * The indexes of the values that lie unusually far from the median: modified z-score above 3.5, which is 0.6745 times the distance over
 * the median absolute deviation. When more than half of the values are equal that deviation is 0, and 1.2533 times the mean absolute
 * deviation takes its place. B. Iglewicz, D. C. Hoaglin: How to Detect and Handle Outliers, ASQC 1993. None of fewer than 5 values.
 *
 * They are for looking at, not for leaving out: a stall is part of what the path does.
 */
export function outlierIndexes(values: readonly number[]): number[] {
  if (values.length < FEWEST) return [];
  const middle = median(values)!;
  const scale = medianAbsoluteDeviation(values) / 0.6745 || 1.253314 * mean(values.map((v) => Math.abs(v - middle)))!;
  if (scale === 0) return [];
  return [...values.keys()].filter((index) => Math.abs(values[index]! - middle) / scale > BOUND);
}
