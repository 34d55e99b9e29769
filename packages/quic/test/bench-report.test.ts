import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median, medians, table } from '../bench/report.ts';

test('the median of an odd and an even number of values, in any order', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.ok(Number.isNaN(median([])));
});

test('samples of one case become one row: medians of numbers, failures counted, the round forgotten', () => {
  const samples = [
    { round: 1, subject: 'a', streams: 8, 'Gbit/s': 1, 'packets/s': '' },
    { round: 1, subject: 'b', streams: 8, 'Gbit/s': 10, 'packets/s': 5 },
    { round: 2, subject: 'a', streams: 8, 'Gbit/s': 3, 'packets/s': '' },
    { round: 2, subject: 'b', streams: 8, failed: 'late' },
    { round: 3, subject: 'a', streams: 8, 'Gbit/s': 7, 'packets/s': '' },
  ];
  assert.deepEqual(medians(samples, ['streams', 'subject']), [
    { streams: 8, subject: 'a', 'Gbit/s': 3 },
    { streams: 8, subject: 'b', 'Gbit/s': 10, 'packets/s': 5, failed: 1 },
  ]);
});

test('a case that always failed still has its row', () => {
  assert.deepEqual(medians([{ round: 1, subject: 'a', failed: 'never came' }], ['subject']), [
    { subject: 'a', failed: 1 },
  ]);
});

test('a table has the columns of all rows, text to the left, numbers to the right', () => {
  const rows = [
    { name: 'one', n: 1 },
    { name: 'three', n: 100, failed: 2 },
  ];
  assert.equal(table(rows), ['name     n  failed', 'one      1', 'three  100       2'].join('\n'));
});
