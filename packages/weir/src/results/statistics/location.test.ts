import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jainIndex } from './fairness.ts';
import { mean, median, ratePerMs, sum } from './location.ts';

test('known values', () => {
  assert.equal(sum([1, 2, 3.5]), 6.5);
  assert.equal(mean([1, 2, 6]), 3);
  assert.equal(mean([]), undefined);
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([10, 9, 1, 2]), 5.5);
  assert.equal(median([]), undefined);
  assert.equal(jainIndex([5, 5, 5]), 1);
  assert.equal(jainIndex([9, 0, 0]), 1 / 3);
  assert.equal(jainIndex([0, 0]), undefined);
  assert.equal(jainIndex([]), undefined);
  assert.equal(ratePerMs(10, 4), 2.5);
  assert.equal(ratePerMs(10, 0), undefined);
});

test("Jain's index is between 1/n and 1 and does not depend on the unit", () => {
  const values = fc.array(fc.integer({ min: 0, max: 1e9 }), { minLength: 1, maxLength: 50 }).filter((v) => sum(v) > 0);
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 1000 }), (list, factor) => {
      const index = jainIndex(list)!;
      assert.ok(index >= 1 / list.length - 1e-9 && index <= 1 + 1e-9);
      assert.ok(Math.abs(jainIndex(list.map((v) => v * factor))! - index) < 1e-9);
    }),
    { seed: 8, numRuns: 200 },
  );
});

test('the median does not sort its argument', () => {
  const values = [3, 1, 2];
  median(values);
  assert.deepEqual(values, [3, 1, 2]);
});
