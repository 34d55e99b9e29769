import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HyStart } from './hystart.ts';

/** One round trip of `acks` ACKs from `start` on, each with the RTT that `rtt` gives; returns the divisors. */
function round(hystart: HyStart, start: number, acks: number, rtt: (i: number) => number): number[] {
  const divisors: number[] = [];
  for (let i = 0; i < acks; i++) {
    const now = start + 100 + i * 0.01;
    // What is acknowledged was sent a round trip ago, so the first ACK of each call begins a round.
    divisors.push(hystart.onAcked(now, start + i * 0.01 + (i === 0 ? 0.5 : -0.4), rtt(i)));
  }
  return divisors;
}

test('a steady RTT keeps slow start going', () => {
  const hystart = new HyStart();
  for (let r = 0; r < 20; r++) assert.deepEqual(new Set(round(hystart, r * 100, 20, () => 100)), new Set([1]));
});

test('a rising RTT makes slow start conservative after eight samples, and ends it five rounds later', () => {
  const hystart = new HyStart();
  round(hystart, 0, 20, () => 100);
  const divisors = round(hystart, 100, 20, () => 113);
  assert.deepEqual(divisors.slice(0, 7), [1, 1, 1, 1, 1, 1, 1]);
  assert.deepEqual(new Set(divisors.slice(7)), new Set([4]));
  assert.equal(hystart.conservative, true);
  for (let r = 2; r < 6; r++) assert.deepEqual(new Set(round(hystart, r * 100, 20, () => 120)), new Set([4]));
  assert.equal(round(hystart, 600, 1, () => 120)[0], 0);
});

test('a rise within the threshold does not count: an eighth of the RTT, 4 to 16 ms', () => {
  for (const [base, risen, conservative] of [
    [100, 112, false],
    [100, 112.5, true],
    [10, 13.9, false],
    [10, 14, true],
    [400, 415.9, false],
    [400, 416, true],
  ] as const) {
    const hystart = new HyStart();
    round(hystart, 0, 20, () => base);
    round(hystart, 100, 20, () => risen);
    assert.equal(hystart.conservative, conservative, `${base} to ${risen}`);
  }
});

test('when the rise was a fluke, slow start resumes', () => {
  const hystart = new HyStart();
  round(hystart, 0, 20, () => 100);
  round(hystart, 100, 20, () => 120);
  assert.equal(hystart.conservative, true);
  round(hystart, 200, 20, () => 101);
  assert.equal(hystart.conservative, false);
});

test('a single slow sample does not matter', () => {
  const hystart = new HyStart();
  round(hystart, 0, 20, () => 100);
  round(hystart, 100, 20, (i) => (i === 9 ? 500 : 100));
  assert.equal(hystart.conservative, false);
});
