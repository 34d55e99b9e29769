import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lateness } from './lateness.ts';

test('the mean, the 99th percentile and the most', () => {
  const lateness = new Lateness();
  assert.deepEqual(lateness.summary(), { mean: 0, p99: 0, maximum: 0 });
  for (let i = 0; i < 990; i++) lateness.add(0.1);
  for (let i = 0; i < 10; i++) lateness.add(3);
  const { mean, p99, maximum } = lateness.summary();
  assert.ok(Math.abs(mean - 0.129) < 1e-9);
  assert.ok(p99 >= 0.1 && p99 <= 0.15 + 1e-9, `${p99}`);
  assert.equal(maximum, 3);
  lateness.add(3);
  assert.equal(lateness.summary().p99, 3, 'a percentile is never beyond the maximum');
});

test('what is later than the steps reach counts as the most', () => {
  const lateness = new Lateness();
  lateness.add(700);
  assert.deepEqual(lateness.summary(), { mean: 700, p99: 700, maximum: 700 });
});
