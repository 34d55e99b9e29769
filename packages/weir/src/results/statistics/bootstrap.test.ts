import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SeededRandom } from 'weir-quic/random';
import { normal } from '../../../test/support/noise.ts';
import { attainableConfidence, MedianResampler, medianInterval } from './bootstrap.ts';

/** P(at least k of n), each with probability p. */
function binomialTail(n: number, k: number, p: number): number {
  let total = 0;
  let ways = 1;
  for (let i = 0; i <= n; i++) {
    if (i >= k) total += ways * p ** i * (1 - p) ** (n - i);
    ways = (ways * (n - i)) / (i + 1);
  }
  return total;
}

test('for odd numbers the interval has the ends that the binomial distribution gives', () => {
  // The median of a resample is at most the k-th smallest value when more than half of the draws are among the k smallest
  // (B. Efron, Bootstrap methods, Annals of Statistics 7, 1979).
  let compared = 0;
  for (let n = 3; n <= 31; n += 2) {
    const values = Array.from({ length: n }, (_, i) => i + 1);
    const below = values.map((k) => binomialTail(n, (n + 1) / 2, k / n));
    const low = below.findIndex((p) => p > 0.025) + 1;
    // Where the distribution steps right beside 2.5%, resampling may come out on either side.
    if (below.some((p) => Math.abs(p - 0.025) < 0.008)) continue;
    assert.deepEqual(medianInterval(values, new SeededRandom(n)), [low, n + 1 - low], `of ${n}`);
    compared++;
  }
  assert.ok(compared >= 8, `${compared} compared`);
});

/** Medians of every sample of so many of the values, drawn with replacement. Ascending. */
function everyMedian(values: readonly number[]): number[] {
  const n = values.length;
  const medians = Array.from({ length: n ** n }, (_, code) => {
    const drawn: number[] = [];
    for (let i = 0, left = code; i < n; i++, left = Math.floor(left / n)) drawn.push(values[left % n]!);
    drawn.sort((a, b) => a - b);
    return (drawn[(n - 1) >> 1]! + drawn[n >> 1]!) / 2;
  });
  return medians.sort((a, b) => a - b);
}

test('for few values, even numbers included, it has the ends that listing all resamples gives', () => {
  for (const values of [[8], [1, 9], [4, 1, 16], [1, 4, 9, 25], [1, 4, 9, 25, 49], [1, 4, 9, 25, 49, 90]]) {
    const medians = everyMedian(values);
    // A sample of 2,000 of them may come out on either side of a step that is as near as this.
    const from = [0.018, 0.032].map((share) => medians[Math.floor(share * medians.length)]!);
    const to = [0.968, 0.982].map((share) => medians[Math.floor(share * medians.length)]!);
    const [low, high] = medianInterval(values, new SeededRandom(values.length));
    assert.ok(from[0]! <= low && low <= from[1]!, `${values}: ${low}, ${from}`);
    assert.ok(to[0]! <= high && high <= to[1]!, `${values}: ${high}, ${to}`);
  }
});

for (const [count, least, most] of [
  // Of seven it is from the second to the sixth value, which hold it with probability 1 - 2 * 8 / 128: few have few choices.
  [6, 0.87, 0.97],
  [7, 0.83, 0.92],
  [10, 0.91, 0.99],
  [15, 0.91, 0.985],
  [40, 0.91, 0.985],
] as const)
  test(`the interval of ${count} values holds the true median about as often as it should`, () => {
    const random = new SeededRandom(count);
    let held = 0;
    const runs = 300;
    for (let run = 0; run < runs; run++) {
      const values = Array.from({ length: count }, () => 100 + 5 * normal(random));
      const [low, high] = medianInterval(values, random);
      if (low <= 100 && 100 <= high) held++;
    }
    assert.ok(held / runs >= least && held / runs <= most, `${held} of ${runs}`);
  });

test('the interval shrinks with the root of the number of values', () => {
  const random = new SeededRandom(9);
  const width = (count: number) => {
    const widths = Array.from({ length: 40 }, () => {
      const [low, high] = medianInterval(
        Array.from({ length: count }, () => normal(random)),
        random,
      );
      return high - low;
    });
    return widths.reduce((sum, each) => sum + each, 0) / widths.length;
  };
  const [few, many] = [width(25), width(100)];
  // The standard error of a normal sample's median is 1.2533 / √n, and 1.96 of it is on either side.
  assert.ok(Math.abs(many / ((2 * 1.96 * 1.2533) / 10) - 1) < 0.1, `${many}`);
  assert.ok(Math.abs(few / many - 2) < 0.25, `${few}, ${many}`);
});

test('of three values it is their range, and nobody can promise more than 75%', () => {
  assert.deepEqual(medianInterval([5, 9, 7], new SeededRandom(1)), [5, 9]);
  assert.equal(attainableConfidence(3), 0.75);
  assert.equal(attainableConfidence(5), 0.9375);
  assert.equal(attainableConfidence(6), 0.95);
  assert.equal(attainableConfidence(1), 0);
  assert.equal(attainableConfidence(0), 0);
  assert.throws(() => medianInterval([], new SeededRandom(1)), RangeError);
});

test('it lies within the values, holds their median, moves with the unit, and is the same for the same seed', () => {
  const values = fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(values, fc.nat(), (list, seed) => {
      const [low, high] = medianInterval(list, new SeededRandom(seed));
      const sorted = [...list].sort((a, b) => a - b);
      const median = (sorted[(list.length - 1) >> 1]! + sorted[list.length >> 1]!) / 2;
      assert.ok(sorted[0]! <= low && low <= median && median <= high && high <= sorted.at(-1)!);
      const doubled = medianInterval(
        list.map((value) => 2 * value),
        new SeededRandom(seed),
      );
      assert.deepEqual(doubled, [2 * low, 2 * high]);
    }),
    { seed: 5, numRuns: 60 },
  );
});

test('a resample is drawn with replacement, and its median is the middle of what was drawn', () => {
  // 0.1, 0.9, 0.9 of four values in order: the first once, the last three times.
  const draws = [0.1, 0.9, 0.9, 0.9];
  const random = { unit: () => draws.shift()! };
  assert.equal(new MedianResampler([40, 10, 30, 20]).draw(random), 40);
  assert.equal(draws.length, 0);
});
