import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from 'weir-quic/random';
import { standardDeviation } from './location.ts';
import { isNarrow, summarize } from './summary.ts';

test('known values', () => {
  const summary = summarize([10, 12, 11, 9, 13, 11, 30], new SeededRandom(1));
  assert.equal(summary.count, 7);
  assert.equal(summary.median, 11);
  assert.equal(summary.mean, 96 / 7);
  assert.equal(summary.standardDeviation!.toFixed(4), '7.2964');
  assert.deepEqual([summary.minimum, summary.maximum], [9, 30]);
  // Of seven values: from the second to the sixth, see bootstrap.test.ts.
  assert.deepEqual(summary.interval, [10, 13]);
  assert.equal(summary.confidence, 0.95);
  assert.deepEqual(summary.outliers, [6]);
});

test('the standard deviation is the one of a sample', () => {
  // Of 2, 4, 4, 4, 5, 5, 7, 9 around 5: 32 squared, over 7.
  assert.equal(standardDeviation([2, 4, 4, 4, 5, 5, 7, 9]), Math.sqrt(32 / 7));
  assert.equal(standardDeviation([3]), undefined);
});

test('one value has no spread and no interval to speak of', () => {
  const summary = summarize([5], new SeededRandom(1));
  assert.equal(summary.standardDeviation, null);
  assert.deepEqual(summary.interval, [5, 5]);
  assert.equal(summary.confidence, 0);
});

test('the same seed gives the same summary', () => {
  const values = [5.1, 4.9, 5.3, 5.0, 5.2, 4.8, 5.15, 5.05];
  assert.deepEqual(summarize(values, new SeededRandom(9)), summarize(values, new SeededRandom(9)));
});

test('nothing, and what is no number, is refused', () => {
  assert.throws(() => summarize([], new SeededRandom(1)), RangeError);
  assert.throws(() => summarize([1, Number.NaN], new SeededRandom(1)), RangeError);
  assert.throws(() => summarize([1, Number.POSITIVE_INFINITY], new SeededRandom(1)), RangeError);
});

test('narrow is the whole width by the median, and never of fewer than six values', () => {
  const of = (values: readonly number[]) => summarize(values, new SeededRandom(1));
  const seven = of([97, 98, 99, 100, 101, 102, 103]);
  assert.deepEqual(seven.interval, [98, 102]);
  assert.equal(isNarrow(seven, 0.04), true);
  assert.equal(isNarrow(seven, 0.039), false);
  assert.equal(isNarrow(of([100, 100, 100, 100, 100]), 0.5), false);
  assert.equal(isNarrow(of([100, 100, 100, 100, 100, 100]), 0), true);
});
