import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SeededRandom } from 'weir-quic/random';
import { pairSwapTest, rankSumTest, sharedRanks } from './rank-tests.ts';

const random = () => new SeededRandom(1);

test('ranks, shared by equals', () => {
  assert.deepEqual(sharedRanks([10, 30, 20]), [1, 3, 2]);
  assert.deepEqual(sharedRanks([5, 5, 1, 5]), [3, 3, 1, 3]);
  assert.deepEqual(sharedRanks([]), []);
});

test('known values of the rank sum', () => {
  // Five against five, apart: 2 of the 252 ways to deal.
  const apart = rankSumTest([1, 2, 3, 4, 5], [6, 7, 8, 9, 10], random());
  assert.ok(Math.abs(apart.pValue - 2 / 252) < 1e-12);
  assert.equal(apart.smallest, 2 / 252);
  assert.equal(apart.exact, true);
  // Mann and Whitney's table: n = m = 8, U = 13 is the 5% point; P(U ≤ 13) = 0.0249.
  const a = [1, 2, 3, 4, 5, 6, 13, 15];
  const b = [7, 8, 9, 10, 11, 12, 14, 16];
  const u = a.flatMap((x) => b.filter((y) => y < x)).length;
  assert.equal(u, 13);
  assert.equal(rankSumTest(a, b, random()).pValue.toFixed(4), '0.0499');
});

test('known values of pairs', () => {
  // All eight pairs one way: 2 of 2^8 swaps.
  const a = [1, 2, 3, 4, 5, 6, 7, 8];
  const test8 = pairSwapTest(
    a,
    a.map((value) => value + 0.5),
    random(),
  );
  assert.equal(test8.pValue, 2 / 256);
  assert.equal(test8.smallest, 2 / 256);
  assert.equal(pairSwapTest([1, 2, 3], [1, 2, 3], random()).pValue, 1);
});

const few = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 5 });

/** Every way to take some of the indexes. */
function subsets(count: number): number[][] {
  return Array.from({ length: 2 ** count }, (_, bits) =>
    Array.from({ length: count }, (_, i) => i).filter((i) => (bits >> i) & 1),
  );
}

test('the rank sum counts what listing all ways to deal counts, ties and all', () => {
  fc.assert(
    fc.property(few, few, (a, b) => {
      const ranks = sharedRanks([...a, ...b]);
      const expected = (b.length * (ranks.length + 1)) / 2;
      const distance = (chosen: readonly number[]) =>
        Math.abs(chosen.reduce((total, index) => total + ranks[index]!, 0) - expected);
      const ways = subsets(ranks.length).filter((chosen) => chosen.length === b.length);
      const own = distance(b.map((_, index) => a.length + index));
      const p = ways.filter((chosen) => distance(chosen) >= own - 1e-9).length / ways.length;
      assert.ok(Math.abs(rankSumTest(a, b, random()).pValue - p) < 1e-9);
    }),
    { seed: 21, numRuns: 150 },
  );
});

test('the pairs count what swapping them in all ways counts', () => {
  const pairs = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })), {
    minLength: 1,
    maxLength: 7,
  });
  fc.assert(
    fc.property(pairs, (list) => {
      const ranks = sharedRanks([...list.map(([x]) => x), ...list.map(([, y]) => y)]);
      const n = list.length;
      const middle = (n * (2 * n + 1)) / 2;
      const distance = (swapped: readonly number[]) => {
        const isSwapped = new Set(swapped);
        return Math.abs(list.reduce((total, _, i) => total + ranks[isSwapped.has(i) ? i : n + i]!, 0) - middle);
      };
      const own = distance([]);
      const p = subsets(n).filter((swapped) => distance(swapped) >= own - 1e-9).length / 2 ** n;
      const [a, b] = [list.map(([x]) => x), list.map(([, y]) => y)];
      assert.ok(Math.abs(pairSwapTest(a, b, random()).pValue - p) < 1e-9);
    }),
    { seed: 22, numRuns: 150 },
  );
});

/** Four standard errors of a share of 9,999 draws, and what the normal approximation may be off. */
const near = (p: number) => 4 * Math.sqrt((p * (1 - p)) / 9999) + 0.004;

test('of many values a sample of the permutations comes near the whole, whether that is much or little', () => {
  const draw = new SeededRandom(4);
  const found: number[] = [];
  for (const shift of [0, 0.02, 0.05, 0.1, 0.15]) {
    const a = Array.from({ length: 60 }, () => draw.unit());
    const b = Array.from({ length: 50 }, () => draw.unit() + shift);
    const { pValue, smallest, exact } = rankSumTest(a, b, new SeededRandom(2));
    assert.equal(exact, false);
    assert.equal(smallest, 1e-4);
    // The normal approximation, with the continuity correction (Mann and Whitney 1947).
    const ranks = sharedRanks([...a, ...b]).slice(60);
    const w = ranks.reduce((total, rank) => total + rank, 0);
    const z = (Math.abs(w - (50 * 111) / 2) - 0.5) / Math.sqrt((60 * 50 * 111) / 12);
    const p = 2 * upperTail(z);
    assert.ok(Math.abs(pValue - p) < near(p), `shift ${shift}: ${pValue}, ${p}`);
    found.push(pValue);
  }
  assert.ok(Math.max(...found) > 0.3 && Math.min(...found) < 0.05, `${found}`);
});

test('of many pairs, too', () => {
  const draw = new SeededRandom(7);
  const found: number[] = [];
  for (const shift of [-0.01, 0, 0.01, 0.02]) {
    const a = Array.from({ length: 160 }, () => draw.unit());
    const b = a.map((value) => value + 0.3 * (draw.unit() - 0.5) + shift);
    const { pValue, smallest, exact } = pairSwapTest(a, b, new SeededRandom(3));
    assert.equal(exact, false);
    assert.equal(smallest, 1e-4);
    // A sum of signs of known sizes: its variance is the sum of their squares.
    const ranks = sharedRanks([...a, ...b]);
    const gains = a.map((_, i) => ranks[160 + i]! - ranks[i]!);
    const total = gains.reduce((sum, gain) => sum + gain, 0);
    const p = 2 * upperTail(Math.abs(total) / Math.sqrt(gains.reduce((sum, gain) => sum + gain * gain, 0)));
    assert.ok(Math.abs(pValue - p) < near(p) + 0.01, `shift ${shift}: ${pValue}, ${p}`);
    found.push(pValue);
  }
  assert.ok(Math.max(...found) > 0.2 && Math.min(...found) < 0.05, `${found}`);
});

test('what no permutation reaches has the smallest p-value there is, never 0', () => {
  const draw = new SeededRandom(4);
  const many = Array.from({ length: 200 }, () => draw.unit());
  const better = many.map((value) => value + 1);
  const rare = { pValue: 1e-4, smallest: 1e-4, exact: false };
  assert.deepEqual(pairSwapTest(many, better, draw), rare);
  assert.deepEqual(rankSumTest(many, better, draw), rare);
});

test('up to 150 pairs and 80 values all permutations are counted, beyond a sample', () => {
  const numbers = (count: number) => Array.from({ length: count }, (_, i) => i % 7);
  assert.equal(pairSwapTest(numbers(150), numbers(150), random()).exact, true);
  assert.equal(pairSwapTest(numbers(151), numbers(151), random()).exact, false);
  assert.equal(rankSumTest(numbers(40), numbers(40), random()).exact, true);
  assert.equal(rankSumTest(numbers(41), numbers(40), random()).exact, false);
});

/** P(Z > z), by Simpson's rule. */
function upperTail(z: number): number {
  const steps = 2000;
  const width = 10 / steps;
  let total = 0;
  for (let i = 0; i <= steps; i++) {
    const weight = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2;
    total += weight * Math.exp(-((z + i * width) ** 2) / 2);
  }
  return (total * width) / 3 / Math.sqrt(2 * Math.PI);
}
