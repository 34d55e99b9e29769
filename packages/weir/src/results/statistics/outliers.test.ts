import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { outlierIndexes } from './outliers.ts';

test('known values', () => {
  // Median 3, MAD 1: 8.2 has the score 0.6745 · 5.2 = 3.507, 8.1 has 3.44.
  assert.deepEqual(outlierIndexes([1, 2, 3, 4, 8.2]), [4]);
  assert.deepEqual(outlierIndexes([1, 2, 3, 4, 8.1]), []);
  assert.deepEqual(outlierIndexes([100, 60, 101, 99, 100.5, 98, 140]), [1, 6]);
});

test('of equal values with one apart, the one; of all equal, none', () => {
  // Mean absolute deviation 1, its score 10 / 1.2533 = 7.98.
  assert.deepEqual(outlierIndexes([5, 5, 5, 5, 15, 5, 5, 5, 5, 5]), [4]);
  assert.deepEqual(outlierIndexes([5, 5, 5, 5, 5]), []);
});

test('of fewer than five nothing can be called odd', () => {
  assert.deepEqual(outlierIndexes([1, 1.1, 1000]), []);
  assert.deepEqual(outlierIndexes([1, 1.1, 1.2, 1000]), []);
  assert.deepEqual(outlierIndexes([]), []);
});

test('never half of the values, and the unit does not matter', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 5, maxLength: 40 }), (values) => {
      const found = outlierIndexes(values);
      assert.ok(found.length < values.length / 2, `${found}`);
      const scaled = outlierIndexes(values.map((value) => value * 4));
      assert.deepEqual(scaled, found);
    }),
    { seed: 3, numRuns: 300 },
  );
});
