import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, formatDuration, formatNumber, formatRate } from './format.ts';

test('bytes', () => {
  const cases = {
    0: '0 B',
    999: '999 B',
    1023: '1023 B',
    1024: '1.00 KiB',
    10240: '10.0 KiB',
    67108864: '64.0 MiB',
    5368709120: '5.00 GiB',
  };
  for (const [bytes, text] of Object.entries(cases)) assert.equal(formatBytes(Number(bytes)), text);
});

test('rates, from bytes per millisecond', () => {
  assert.equal(formatRate(null), '–');
  assert.equal(formatRate(0), '0.00 bit/s');
  assert.equal(formatRate(125), '1.00 Mbit/s');
  assert.equal(formatRate(102_400), '819 Mbit/s');
  assert.equal(formatRate(156_250), '1.25 Gbit/s');
});

test('durations', () => {
  assert.equal(formatDuration(0.5), '0.50 ms');
  assert.equal(formatDuration(12.34), '12.3 ms');
  assert.equal(formatDuration(4560), '4.56 s');
  assert.equal(formatDuration(125_000), '2 min 05 s');
  assert.equal(formatDuration(3_725_000), '1 h 02 min');
});

test('numbers that are not there are a dash', () => {
  assert.equal(formatNumber(null), '–');
  assert.equal(formatNumber(1.25, 2), '1.25');
});
