import { SeededRandom } from 'weir-quic/random';
import { type Interval, MedianResampler, percentileInterval, type UniformRandom } from './statistics/bootstrap.ts';
import { median, sum } from './statistics/location.ts';
import { type PermutationTest, pairSwapTest, rankSumTest } from './statistics/rank-tests.ts';

export interface CompareOptions {
  /** Value i of both belongs together: measured one right after the other, so that what drifts, drifts for both. */
  readonly paired: boolean;
  /** Of resampling and permuting: the same seed, the same answer. */
  readonly seed: number;
  /** A difference smaller than this share is none, however sure. Default 0.01. */
  readonly relevant?: number;
}

/** The answer is about `b`, seen from `a`. */
export type Verdict = 'faster' | 'slower' | 'no difference found';

/** Two settings' rates compared. */
export interface Comparison {
  readonly verdict: Verdict;
  /** The verdict with its numbers, for people: `9.8% slower (95% interval 8.7% to 11%, p = 0.002)`. */
  readonly sentence: string;
  readonly paired: boolean;
  readonly counts: readonly [a: number, b: number];
  /** Of the medians, or the median of the pairs' differences: b − a. */
  readonly difference: number;
  /** Of the medians, or the median of the pairs' ratios: b / a. */
  readonly ratio: number;
  /** 95% percentile bootstrap interval of the ratio. */
  readonly interval: Interval;
  readonly pValue: number;
  /** The smallest p-value that so few could give. At 0.01 or more, no difference can be found at all. */
  readonly smallestPValue: number;
  /** All permutations were counted; otherwise 9999 of them were drawn. */
  readonly exact: boolean;
  /** Cliff's delta: how many more of the pairs (all of a × b, or the given ones) have the larger value in b than in a, −1 to 1. */
  readonly effectSize: number;
}

/** A false alarm in one of a hundred: of twenty comparisons of equals, two have one with probability 0.017. */
const ALPHA = 0.01;
const RELEVANT = 0.01;

/**
 * Compares the rates of two settings; higher is faster. A difference counts as found when the permutation test's p-value is below
 * 0.01, the 95% interval of the ratio excludes 1, and the ratio is at least 1% from 1.
 * N. Cliff: Dominance statistics, Psychological Bulletin 114 (1993). The tests: rank-tests.ts; the interval: bootstrap.ts.
 * @throws RangeError when one has no values, one of them is not positive and finite, or pairs are of different numbers.
 */
export function compare(a: readonly number[], b: readonly number[], options: CompareOptions): Comparison {
  if (a.length === 0 || b.length === 0) throw new RangeError('nothing to compare with');
  if (![...a, ...b].every((value) => value > 0 && Number.isFinite(value))) {
    throw new RangeError('only positive rates can be compared');
  }
  if (options.paired && a.length !== b.length) throw new RangeError('pairs need as many values on both sides');
  const random = new SeededRandom(options.seed);
  const found = options.paired ? compareWithinPairs(a, b, random) : compareGroups(a, b, random);
  const { pValue, smallest, exact } = found.test;
  const verdict = judge(found, options.relevant ?? RELEVANT);
  const counts = [a.length, b.length] as const;
  const comparison = {
    verdict,
    paired: options.paired,
    counts,
    difference: found.difference,
    ratio: found.ratio,
    interval: found.interval,
    pValue,
    smallestPValue: smallest,
    exact,
    effectSize: found.effectSize,
  };
  return { ...comparison, sentence: describe(comparison) };
}

interface Findings {
  readonly difference: number;
  readonly ratio: number;
  readonly interval: Interval;
  readonly effectSize: number;
  readonly test: PermutationTest;
}

function compareWithinPairs(a: readonly number[], b: readonly number[], random: UniformRandom): Findings {
  // Logarithms: half as fast and twice as fast are equally far from equal.
  const logRatios = a.map((value, index) => Math.log(b[index]! / value));
  const resampled = new MedianResampler(logRatios);
  const [low, high] = percentileInterval(() => resampled.draw(random));
  return {
    difference: median(a.map((value, index) => b[index]! - value))!,
    ratio: Math.exp(median(logRatios)!),
    interval: [Math.exp(low), Math.exp(high)],
    effectSize: sum(logRatios.map(Math.sign)) / a.length,
    test: pairSwapTest(a, b, random),
  };
}

function compareGroups(a: readonly number[], b: readonly number[], random: UniformRandom): Findings {
  const resampledA = new MedianResampler(a);
  const resampledB = new MedianResampler(b);
  return {
    difference: median(b)! - median(a)!,
    ratio: median(b)! / median(a)!,
    interval: percentileInterval(() => resampledB.draw(random) / resampledA.draw(random)),
    effectSize: sum(a.map((x) => sum(b.map((y) => Math.sign(y - x))))) / (a.length * b.length),
    test: rankSumTest(a, b, random),
  };
}

function judge({ ratio, interval: [low, high], test }: Findings, relevant: number): Verdict {
  const isFound = test.pValue < ALPHA && (low > 1 || high < 1) && Math.abs(ratio - 1) >= relevant;
  if (!isFound) return 'no difference found';
  return ratio > 1 ? 'faster' : 'slower';
}

function describe(comparison: Omit<Comparison, 'sentence'>): string {
  const { verdict, ratio, interval, pValue, smallestPValue, paired, counts } = comparison;
  if (smallestPValue >= ALPHA) {
    const have = paired ? `${counts[0]} pairs` : `${counts[0]} and ${counts[1]} values`;
    return `${verdict}: ${have} are too few to find any (${paired ? '8 pairs' : '5 and 5 values'} can)`;
  }
  const p = pValue < 0.001 ? 'p < 0.001' : `p = ${pValue.toPrecision(2)}`;
  const range = `95% interval ${percentChange(interval[0])} to ${percentChange(interval[1])}, ${p}`;
  if (verdict === 'no difference found') return `${verdict}: ${percentChange(ratio)} (${range})`;
  return `${percent(Math.abs(ratio - 1))} ${verdict} (${range})`;
}

/** `+1.2%`, `−0.30%`: how far a ratio is from 1. */
export function percentChange(ratio: number): string {
  return `${ratio < 1 ? '−' : '+'}${percent(Math.abs(ratio - 1))}`;
}

function percent(share: number): string {
  const value = share * 100;
  return `${value.toFixed(value >= 9.95 ? 0 : value >= 0.095 ? 1 : 2)}%`;
}
