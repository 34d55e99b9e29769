/** The arithmetic mean; undefined of nothing. */
export function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : sum(values) / values.length;
}

/** The middle value, or the mean of the two in the middle; undefined of nothing. */
export function median(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function sum(values: readonly number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/**
 * Jain's fairness index: 1 when all values are equal, 1/n when one has everything. Undefined of nothing and of all zeros.
 * R. Jain, D. Chiu, W. Hawe: A quantitative measure of fairness and discrimination, DEC-TR-301, 1984.
 */
export function jainIndex(values: readonly number[]): number | undefined {
  const squares = sum(values.map((value) => value * value));
  return squares === 0 ? undefined : sum(values) ** 2 / (values.length * squares);
}

/** `amount` per millisecond; undefined when no time passed: a rate of one instant means nothing. */
export function ratePerMs(amount: number, milliseconds: number): number | undefined {
  return milliseconds > 0 ? amount / milliseconds : undefined;
}
