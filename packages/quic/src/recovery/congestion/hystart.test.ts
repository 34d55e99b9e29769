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

test('a rise within a round shows before the next begins, and each round starts with the benefit of the doubt', () => {
  const hystart = new HyStart();
  round(hystart, 0, 20, () => 100);
  const divisors = round(hystart, 100, 40, (i) => (i < 20 ? 100 : 113));
  // Eight samples, all of them higher.
  assert.deepEqual(divisors, [...Array(27).fill(1), ...Array(13).fill(4)]);
  const next = round(hystart, 200, 40, (i) => (i < 20 ? 100 : 113));
  assert.deepEqual(next, [...Array(7).fill(4), ...Array(20).fill(1), ...Array(13).fill(4)]);
  // However often that happens, slow start goes on: the queue was gone in between.
  for (let r = 3; r < 20; r++) round(hystart, r * 100, 40, (i) => (i < 20 ? 100 : 113));
  assert.notEqual(round(hystart, 2000, 1, () => 100)[0], 0);
});

test('an RTT that rises from round to round ends slow start after five, as one that stays where it has risen to does', () => {
  for (const rise of [17, 0]) {
    const hystart = new HyStart();
    round(hystart, 0, 20, () => 400);
    for (let r = 1; r <= 5; r++) {
      const divisors = round(hystart, r * 1000, 20, () => 417 + (r - 1) * rise);
      assert.deepEqual(divisors.slice(7), Array(13).fill(4), `round ${r}`);
    }
    assert.equal(round(hystart, 6000, 1, () => 417 + 5 * rise)[0], 0);
  }
});

test('one low sample among the latest eight is enough, whichever it is', () => {
  for (let low = 0; low < 8; low++) {
    const hystart = new HyStart();
    round(hystart, 0, 20, () => 100);
    const divisors = round(hystart, 200, 16, (i) => (i === 8 + low ? 100 : 150));
    assert.equal(divisors[7], 4);
    assert.deepEqual(divisors.slice(8 + low), Array(8 - low).fill(1), `sample ${low}`);
  }
});

test('the packet that is sent as a round begins ends it', () => {
  const hystart = new HyStart();
  round(hystart, 0, 20, () => 100);
  for (let r = 1; r <= 5; r++) round(hystart, 200 * r, 8, () => 130);
  // The fifth round began with the ACK at 1100.
  assert.equal(hystart.onAcked(1230, 1099.9, 130), 4);
  assert.equal(hystart.onAcked(1230, 1100, 130), 0);
});

test('an RTT that varies from the start does not end slow start, however often it slows it down', () => {
  const hystart = new HyStart();
  let slowed = 0;
  for (let r = 0; r < 30; r++) {
    for (const divisor of round(hystart, r * 200, 40, (i) => (i < 12 + (r % 5) ? 40 : 70))) {
      assert.notEqual(divisor, 0);
      if (divisor === 4) slowed++;
    }
  }
  assert.ok(slowed > 0 && slowed < 0.7 * 30 * 40, `${slowed} of 1200 ACKs`);
});
