import { sum } from './location.ts';

/**
 * Jain's fairness index: 1 when all values are equal, 1/n when one has everything. Undefined of nothing and of all zeros.
 * R. Jain, D. Chiu, W. Hawe: A quantitative measure of fairness and discrimination, DEC-TR-301, 1984.
 */
export function jainIndex(values: readonly number[]): number | undefined {
  const squares = sum(values.map((value) => value * value));
  return squares === 0 ? undefined : sum(values) ** 2 / (values.length * squares);
}
