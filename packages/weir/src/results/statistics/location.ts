import { mean as meanOf, medianSorted, sampleStandardDeviation } from 'simple-statistics';

/** The arithmetic mean; undefined of nothing. */
export function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : meanOf(values);
}

/** The middle value, or the mean of the two in the middle; undefined of nothing. */
export function median(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : medianSorted(ascending(values));
}

/** The sample standard deviation (n − 1 below the line); undefined of fewer than two. */
export function standardDeviation(values: readonly number[]): number | undefined {
  return values.length < 2 ? undefined : sampleStandardDeviation(values);
}

/** The plain sum: exact for counts, as long as it is below 2^53. */
export function sum(values: readonly number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** `amount` per millisecond; undefined when no time passed: a rate of one instant means nothing. */
export function ratePerMs(amount: number, milliseconds: number): number | undefined {
  return milliseconds > 0 ? amount / milliseconds : undefined;
}

/** A sorted copy. */
export function ascending(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}
