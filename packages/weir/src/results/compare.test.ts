import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SeededRandom } from 'weir-quic/random';
import { drifting, type Noise, skewed, stalling, symmetric } from '../../test/support/noise.ts';
import { compare } from './compare.ts';

const NONE = 'no difference found';

/** How many of the repetitions, of `count` values each, end with this verdict when `b` has `factor` times the rate. */
function verdicts(options: {
  readonly noise: Noise;
  readonly factor: number;
  readonly count: number;
  readonly paired: boolean;
  readonly seed: number;
  readonly repetitions: number;
  readonly verdict: string;
}): number {
  const { noise, factor, count, paired, seed, repetitions } = options;
  const random = new SeededRandom(seed);
  let found = 0;
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const a: number[] = [];
    const b: number[] = [];
    for (let index = 0; index < count; index++) {
      a.push(10_000 * noise(random, index, count));
      b.push(10_000 * factor * noise(random, index, count));
    }
    if (compare(a, b, { paired, seed: seed + repetition }).verdict === options.verdict) found++;
  }
  return found;
}

// What the issue asks for: twenty seeded repetitions, nineteen right.
for (const [paired, count] of [
  [true, 12],
  [false, 10],
] as const) {
  const how = `${paired ? 'paired' : 'unpaired'}, ${count} iterations each, 3% variation`;
  for (const seed of [1, 100, 2026]) {
    test(`the same against itself: no difference found in 19 of 20 (${how}, seed ${seed})`, () => {
      const options = { noise: symmetric(0.03), count, paired, seed, repetitions: 20 };
      assert.ok(verdicts({ ...options, factor: 1, verdict: NONE }) >= 19);
    });
    test(`10% slower: found in 19 of 20 (${how}, seed ${seed})`, () => {
      const options = { noise: symmetric(0.03), count, paired, seed, repetitions: 20 };
      assert.ok(verdicts({ ...options, factor: 0.9, verdict: 'slower' }) >= 19);
    });
  }
}

// The shapes that real rates have, each with the number of iterations that docs/measuring.md says it takes.
const SHAPES: readonly [name: string, noise: Noise, count: number, paired: boolean][] = [
  ['5% variation', symmetric(0.05), 20, true],
  ['5% variation', symmetric(0.05), 15, false],
  ['skewed', skewed(0.03), 12, true],
  ['skewed', skewed(0.03), 10, false],
  ['one of ten stalls', stalling(0.02), 20, true],
  ['one of ten stalls', stalling(0.02), 20, false],
  ['drifting by 20%', drifting(0.03), 12, true],
];
for (const [name, noise, count, paired] of SHAPES) {
  test(`${name}, ${count} ${paired ? 'pairs' : 'values each'}: equals are told apart in at most 3 of 100, 10% in 95`, () => {
    const options = { noise, count, paired, seed: 31, repetitions: 100 };
    const falsely = 100 - verdicts({ ...options, factor: 1, verdict: NONE });
    const rightly = verdicts({ ...options, factor: 0.9, verdict: 'slower' });
    assert.ok(falsely <= 3, `${falsely} false alarms`);
    assert.ok(rightly >= 95, `found ${rightly} times`);
  });
}

test('pairing sees through a drift that hides the difference from two groups', () => {
  const options = { noise: drifting(0.03), factor: 0.9, count: 10, seed: 8, repetitions: 40, verdict: 'slower' };
  const [pairs, groups] = [verdicts({ ...options, paired: true }), verdicts({ ...options, paired: false })];
  assert.ok(pairs >= 38 && groups <= 30, `${pairs} and ${groups} of 40`);
});

test('known numbers', () => {
  const a = [100, 104, 98, 102, 101, 99, 103, 97];
  const slower = compare(
    a,
    a.map((rate) => rate * 0.9),
    { paired: true, seed: 1 },
  );
  assert.equal(slower.verdict, 'slower');
  assert.equal(slower.ratio.toFixed(9), '0.900000000');
  assert.deepEqual(
    slower.interval.map((end) => end.toFixed(9)),
    ['0.900000000', '0.900000000'],
  );
  assert.equal(slower.pValue, 2 / 256);
  assert.equal(slower.effectSize, -1);
  assert.equal(slower.exact, true);
  assert.ok(Math.abs(slower.difference + 10.05) < 1e-9);
  assert.equal(slower.sentence, '10% slower (95% interval −10% to −10%, p = 0.0078)');
  const groups = compare([10, 11, 12, 13, 14], [20, 21, 22, 23, 24], { paired: false, seed: 1 });
  assert.equal(groups.verdict, 'faster');
  assert.equal(groups.ratio, 22 / 12);
  assert.equal(groups.difference, 10);
  assert.equal(groups.effectSize, 1);
  assert.match(groups.sentence, /^83% faster \(95% interval \+\d+% to \+\d+%, p = 0\.0079\)$/u);
});

test("Cliff's delta of values that overlap", () => {
  // 2 < 3, 2 > 1, 4 > 3, 4 > 1: of the four, b is larger once and smaller three times.
  assert.equal(compare([2, 4], [3, 1], { paired: false, seed: 1 }).effectSize, -0.5);
  assert.equal(compare([2, 4], [3, 1], { paired: true, seed: 1 }).effectSize, 0);
});

test('too few to find anything say so', () => {
  const pairs = compare([10, 10, 10, 10, 10], [20, 20, 20, 20, 20], { paired: true, seed: 1 });
  assert.equal(pairs.verdict, NONE);
  assert.equal(pairs.sentence, 'no difference found: 5 pairs are too few to find any (8 pairs can)');
  const groups = compare([10, 11, 12], [20, 21, 22], { paired: false, seed: 1 });
  assert.match(groups.sentence, /3 and 3 values are too few to find any \(5 and 5 values can\)/u);
});

test('a difference that is sure but too small to matter is none', () => {
  const a = Array.from({ length: 20 }, (_, i) => 1000 + i);
  const b = a.map((rate) => rate * 1.005);
  const comparison = compare(a, b, { paired: true, seed: 1 });
  assert.ok(comparison.pValue < 0.001);
  assert.equal(comparison.verdict, NONE);
  assert.equal(comparison.sentence, 'no difference found: +0.5% (95% interval +0.5% to +0.5%, p < 0.001)');
  assert.equal(compare(a, b, { paired: true, seed: 1, relevant: 0 }).verdict, 'faster');
});

test('what cannot be compared is refused', () => {
  const options = { paired: false, seed: 1 };
  assert.throws(() => compare([], [1], options), RangeError);
  assert.throws(() => compare([1], [], options), RangeError);
  assert.throws(() => compare([1], [0], options), RangeError);
  assert.throws(() => compare([1], [Number.NaN], options), RangeError);
  assert.throws(() => compare([1, 2], [1], { paired: true, seed: 1 }), RangeError);
});

test('seen from the other side it is the other way round, in whatever unit', () => {
  const rates = fc.array(fc.integer({ min: 1000, max: 2000 }), { minLength: 9, maxLength: 12 });
  const opposite = { faster: 'slower', slower: 'faster', [NONE]: NONE };
  fc.assert(
    fc.property(rates, rates, fc.boolean(), fc.nat(), (left, right, paired, seed) => {
      const count = Math.min(left.length, right.length);
      const [a, b] = [left.slice(0, count), right.slice(0, count)];
      const there = compare(a, b, { paired, seed });
      const back = compare(b, a, { paired, seed });
      assert.ok(Math.abs(there.pValue - back.pValue) < 1e-12);
      assert.equal(back.effectSize, -there.effectSize || 0);
      assert.ok(there.interval[0] <= there.ratio * (1 + 1e-9) && there.ratio <= there.interval[1] * (1 + 1e-9));
      if (!paired) return;
      assert.ok(Math.abs(there.ratio * back.ratio - 1) < 1e-12);
      assert.equal(back.verdict, opposite[there.verdict]);
      const scaled = compare(
        a.map((rate) => rate * 8),
        b.map((rate) => rate * 8),
        { paired, seed },
      );
      assert.deepEqual([scaled.verdict, scaled.pValue], [there.verdict, there.pValue]);
    }),
    { seed: 77, numRuns: 60 },
  );
});

test('one value against one is a comparison that finds nothing', () => {
  const { verdict, ratio, counts, sentence } = compare([10], [20], { paired: false, seed: 1 });
  assert.deepEqual([verdict, ratio, counts], ['no difference found', 2, [1, 1]]);
  assert.match(sentence, /too few to find any/);
});
