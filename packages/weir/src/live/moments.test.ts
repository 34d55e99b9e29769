import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_RATES } from './moment.ts';
import { LiveMoments, type LiveSample } from './moments.ts';

const OUTLINE = { label: 'x', iteration: 1, iterations: 2, totalBytes: 1e9 };

function sampleOf(bytes: number, more: Partial<LiveSample> = {}): LiveSample {
  return {
    streamBytes: [bytes],
    rttMs: 10,
    congestionWindowBytes: 1,
    bytesInFlight: 1,
    packetsLost: null,
    limitMs: null,
    ...more,
  };
}

test('the rate now is of the last two seconds', () => {
  const moments = new LiveMoments(OUTLINE, 1000);
  assert.equal(moments.sample(1000, sampleOf(0)).bytesPerMs, null);
  assert.equal(moments.sample(1500, sampleOf(5000)).bytesPerMs, 10);
  for (let at = 1600; at <= 3500; at += 100) moments.sample(at, sampleOf(5000));
  assert.equal(moments.sample(3600, sampleOf(5000)).bytesPerMs, 0);
  assert.equal(moments.sample(3600, sampleOf(5000)).elapsedMs, 2600);
});

test('the course of the rate stays bounded and keeps its shape and its mean', () => {
  const moments = new LiveMoments(OUTLINE, 0);
  let bytes = 0;
  let last = moments.sample(0, sampleOf(0));
  for (let at = 100; at <= 3_600_000; at += 100) {
    bytes += at <= 1_800_000 ? 1000 : 3000;
    last = moments.sample(at, sampleOf(bytes));
    assert.ok(last.rates.length <= MAX_RATES);
  }
  const { rates } = last;
  assert.ok(rates.length > MAX_RATES / 4, `${rates.length} rates`);
  assert.equal(rates[1], 10);
  assert.equal(rates.at(-2), 30);
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  assert.ok(Math.abs(mean - 20) < 1, `${mean}`);
});

test('a pause without samples counts as an even rate, however long it was', () => {
  const moments = new LiveMoments(OUTLINE, 0);
  moments.sample(100, sampleOf(100));
  const { rates } = moments.sample(1e9, sampleOf(1e9));
  assert.ok(rates.length <= MAX_RATES);
  assert.ok(rates.every((rate) => Math.abs(rate - 1) < 0.01));
});

test('losses are of the iteration, and the limit is what grew most of late', () => {
  const moments = new LiveMoments(OUTLINE, 0);
  assert.equal(moments.sample(0, sampleOf(0, { packetsLost: 7, limitMs: { pacing: 500, kernel: 0 } })).limit, null);
  const next = moments.sample(100, sampleOf(0, { packetsLost: 9, limitMs: { pacing: 510, kernel: 90 } }));
  assert.equal(next.packetsLost, 2);
  assert.equal(next.limit, 'kernel');
  for (let at = 200; at <= 2200; at += 100)
    moments.sample(at, sampleOf(0, { limitMs: { pacing: 510 + at, kernel: 90 } }));
  assert.equal(moments.sample(2300, sampleOf(0, { limitMs: { pacing: 2810, kernel: 90 } })).limit, 'pacing');
});
