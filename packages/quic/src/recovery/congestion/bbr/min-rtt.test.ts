import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MinRtt } from './min-rtt.ts';

test('the smallest sample counts for ten seconds; after five without a smaller one it is time to look', () => {
  const filter = new MinRtt();
  assert.equal(filter.value, Number.POSITIVE_INFINITY);
  filter.update(1000, 50);
  filter.update(1100, 40);
  filter.update(6100, 60);
  assert.deepEqual([filter.value, filter.isProbeDue], [40, false]);
  filter.update(6101, 60);
  assert.deepEqual([filter.value, filter.isProbeDue], [40, true]);
  // Looked, and saw 45 at best.
  filter.update(6200, 45);
  filter.onProbed(6300);
  assert.deepEqual([filter.value, filter.isProbeDue], [40, false]);
  filter.update(11_100, 70);
  assert.equal(filter.value, 40);
  filter.update(11_101, 70);
  assert.equal(filter.value, 45, 'the old one is ten seconds old');
});

test('a clock that starts anywhere does not make the first sample an old one', () => {
  const filter = new MinRtt();
  filter.update(1e9, 30);
  assert.deepEqual([filter.value, filter.isProbeDue], [30, false]);
});

test('nothing is due before there is a sample', () => {
  assert.equal(new MinRtt().isProbeDue, false);
});

test('once looked for, it need not be looked for again for five seconds, whatever the samples', () => {
  const filter = new MinRtt();
  filter.update(1000, 40);
  filter.onProbed(4000);
  filter.update(9000, 50);
  assert.equal(filter.isProbeDue, false);
  filter.update(9001, 50);
  assert.equal(filter.isProbeDue, true);
});
