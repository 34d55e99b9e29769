import type { UniformRandom } from './bootstrap.ts';
import { sum } from './location.ts';

/** How probable it is that chance alone gives at least this much. */
export interface PermutationTest {
  /** Two-sided. */
  readonly pValue: number;
  /** The smallest that so few values could give, were they as different as can be. */
  readonly smallest: number;
  /** All permutations were counted; otherwise a sample of them was. */
  readonly exact: boolean;
}

/** Up to here, counting all permutations takes some ten milliseconds. */
const EXACT_PAIRS = 150;
const EXACT_VALUES = 80;
const SAMPLED = 9999;

/** Sums that are equal on paper may differ in their last bits. */
const SLACK = 1e-9;

/**
 * Whether the values of `b` lean to one side of those of `a`: the permutation distribution of the rank sum of `b`, the values dealt
 * anew to both. F. Wilcoxon: Individual comparisons by ranking methods, Biometrics Bulletin 1 (1945); H. B. Mann, D. R. Whitney,
 * Annals of Mathematical Statistics 18 (1947); ties share their mean rank.
 */
export function rankSumTest(a: readonly number[], b: readonly number[], random: UniformRandom): PermutationTest {
  const ranks = sharedRanks([...a, ...b]);
  const observed = sum(ranks.slice(a.length));
  const expected = (b.length * (ranks.length + 1)) / 2;
  const distance = Math.abs(observed - expected);
  if (ranks.length <= EXACT_VALUES) {
    const smallest = Math.min(1, 2 / choose(ranks.length, b.length));
    return { pValue: tail(dealtSums(ranks, b.length), expected, distance), smallest, exact: true };
  }
  const permuted = (): number => sumOfDraw(ranks, b.length, random);
  return { pValue: sampledTail(permuted, expected, distance), smallest: 1 / (SAMPLED + 1), exact: false };
}

/**
 * Whether the values of `b` lean to one side of those of `a` that they are paired with: the rank sum of `b` among all values, as in
 * rankSumTest, but values change places only within their pair (the randomization test of matched pairs: R. A. Fisher, The Design of
 * Experiments, 1935, chapter III). What drifts or jumps for both of a pair at once then weighs little, and a stall in one of them
 * weighs no more than its rank: Wilcoxon's signed ranks, which give the largest difference the largest weight, lose sight of a
 * difference among stalls.
 */
export function pairSwapTest(a: readonly number[], b: readonly number[], random: UniformRandom): PermutationTest {
  const ranks = sharedRanks([...a, ...b]);
  const gains = a.map((_, index) => ranks[a.length + index]! - ranks[index]!);
  const distances = gains.map(Math.abs);
  // The rank sum is a constant plus half of what is gained in the pairs: to swap a pair is to turn its sign.
  const expected = sum(distances) / 2;
  const distance = Math.abs(sum(gains.filter((gain) => gain > 0)) - expected);
  if (a.length <= EXACT_PAIRS) {
    return { pValue: tail(takenSums(distances), expected, distance), smallest: 2 ** (1 - a.length), exact: true };
  }
  const permuted = (): number => sum(distances.filter(() => random.unit() < 0.5));
  return { pValue: sampledTail(permuted, expected, distance), smallest: 1 / (SAMPLED + 1), exact: false };
}

/** The rank of each value, from 1; equal values have the mean of theirs. Multiples of a half. */
export function sharedRanks(values: readonly number[]): number[] {
  const order = [...values.keys()].sort((i, j) => values[i]! - values[j]!);
  const ranks = new Array<number>(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && values[order[to]!] === values[order[from]!]) to++;
    for (let i = from; i < to; i++) ranks[order[i]!] = (from + 1 + to) / 2;
    from = to;
  }
  return ranks;
}

/** Entry s: the probability that numbers (multiples of a half), each taken or not with probability 1/2, add up to s / 2. */
function takenSums(numbers: readonly number[]): Float64Array {
  const doubled = numbers.map((number) => 2 * number);
  const sums = new Float64Array(sum(doubled) + 1);
  sums[0] = 1;
  let highest = 0;
  for (const number of doubled) {
    highest += number;
    for (let s = highest; s >= 0; s--) sums[s] = (sums[s]! + (s >= number ? sums[s - number]! : 0)) / 2;
  }
  return sums;
}

/** Entry s: the probability that `count` of the ranks, drawn without replacement, add up to s / 2. */
function dealtSums(ranks: readonly number[], count: number): Float64Array {
  const doubled = ranks.map((rank) => 2 * rank);
  const width = sum(doubled) + 1;
  // Row k: of the ways to take k of the ranks seen so far, how many add up to s.
  const ways = Array.from({ length: count + 1 }, () => new Float64Array(width));
  ways[0]![0] = 1;
  let highest = 0;
  for (const rank of doubled) {
    highest += rank;
    for (let k = count; k >= 1; k--) {
      const more = ways[k]!;
      const fewer = ways[k - 1]!;
      for (let s = highest; s >= rank; s--) more[s]! += fewer[s - rank]!;
    }
  }
  const all = choose(ranks.length, count);
  return ways[count]!.map((number) => number / all);
}

/** How probable it is to be at least `distance` from `expected`. */
function tail(probabilities: Float64Array, expected: number, distance: number): number {
  let total = 0;
  for (const [doubled, probability] of probabilities.entries()) {
    if (Math.abs(doubled / 2 - expected) >= distance - SLACK) total += probability;
  }
  return Math.min(1, total);
}

/**
 * The share of permutations at least as far out, the one observed counted in: never 0. B. Phipson, G. K. Smyth: Permutation
 * P-values should never be zero, Statistical Applications in Genetics and Molecular Biology 9 (2010).
 */
function sampledTail(permuted: () => number, expected: number, distance: number): number {
  let extreme = 1;
  for (let i = 0; i < SAMPLED; i++) if (Math.abs(permuted() - expected) >= distance - SLACK) extreme++;
  return extreme / (SAMPLED + 1);
}

/** The sum of `count` of the ranks, drawn without replacement (the first steps of Fisher and Yates' shuffle). */
function sumOfDraw(ranks: number[], count: number, random: UniformRandom): number {
  let total = 0;
  for (let i = 0; i < count; i++) {
    const j = i + Math.floor(random.unit() * (ranks.length - i));
    const rank = ranks[j]!;
    ranks[j] = ranks[i]!;
    ranks[i] = rank;
    total += rank;
  }
  return total;
}

/** The binomial coefficient. */
function choose(n: number, k: number): number {
  let ways = 1;
  for (let i = 1; i <= k; i++) ways = (ways * (n - k + i)) / i;
  return Math.round(ways);
}
