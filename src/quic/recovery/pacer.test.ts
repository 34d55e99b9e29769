import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NEVER } from '../base/time.ts';
import { Pacer } from './pacer.ts';

const DATAGRAM = 1200;

/** Sends as much as the pacer allows until `end`, waking only when it says so, `lateness` late; returns bytes sent. */
function run(pacer: Pacer, start: number, end: number, lateness: number): number {
  let now = start;
  let bytes = 0;
  let wakes = 0;
  while (now < end) {
    assert.ok(++wakes < 100_000, 'the pacer spins');
    for (let left = pacer.allowance(now); left >= DATAGRAM; left = pacer.allowance(now)) {
      pacer.onPacketSent(now, DATAGRAM);
      bytes += DATAGRAM;
    }
    const next = pacer.nextSendTime(now);
    assert.ok(next > now, `next send time ${next} isn't after ${now}`);
    now = next + lateness;
  }
  return bytes;
}

test('without a rate nothing is held back', () => {
  const pacer = new Pacer(DATAGRAM);
  for (let i = 0; i < 1000; i++) pacer.onPacketSent(0, DATAGRAM);
  assert.equal(pacer.allowance(0), Number.POSITIVE_INFINITY);
  assert.equal(pacer.nextSendTime(0), NEVER);
});

test('a burst of large datagrams is no larger than an initial window of them', () => {
  const pacer = new Pacer(65_507);
  pacer.setRate(0, 1000, 10_000_000);
  assert.equal(pacer.allowance(0), 2 * 65_507);
});

test('a burst of ten datagrams may leave at once, then the rate rules', () => {
  const pacer = new Pacer(DATAGRAM);
  pacer.setRate(0, 12, 120_000);
  assert.equal(pacer.allowance(0), 12_000);
  for (let i = 0; i < 10; i++) pacer.onPacketSent(0, DATAGRAM);
  assert.equal(pacer.allowance(0), 0);
  assert.equal(pacer.nextSendTime(0), 100);
  assert.equal(pacer.allowance(99), 0);
  assert.equal(pacer.allowance(100), DATAGRAM);
});

for (const rate of [0.7, 12, 125, 1250, 12_500]) {
  for (const lateness of [0, 0.3, 1]) {
    test(`${rate} bytes/ms are reached and not exceeded with timers ${lateness} ms late`, () => {
      const pacer = new Pacer(DATAGRAM);
      pacer.setRate(0, rate, rate * 50 + 12_000);
      run(pacer, 0, 10, lateness);
      const duration = Math.max(200, 20 * (DATAGRAM / rate));
      const bytes = run(pacer, 1000, 1000 + duration, lateness);
      const burst = Math.max(10 * DATAGRAM, 2 * rate);
      const slowest = (rate * duration * DATAGRAM) / (DATAGRAM + rate * lateness * 0.1);
      assert.ok(bytes <= rate * (duration + lateness) + burst + DATAGRAM, `${bytes} bytes are too many`);
      assert.ok(bytes >= Math.min(slowest, rate * duration * 0.97) - DATAGRAM, `${bytes} bytes are too few`);
    });
  }
}

test('a path whose window leaves within a timer tick is not paced', () => {
  const pacer = new Pacer(DATAGRAM);
  const window = 200_000;
  pacer.setRate(0, (1.25 * window) / 0.3, window);
  for (let i = 0; i < 1000; i++) pacer.onPacketSent(0, DATAGRAM);
  assert.equal(pacer.allowance(0), Number.POSITIVE_INFINITY);
});

test('idle time accrues no more than a burst', () => {
  const pacer = new Pacer(DATAGRAM);
  pacer.setRate(0, 100, 1_000_000);
  for (let i = 0; i < 10; i++) pacer.onPacketSent(0, DATAGRAM);
  assert.equal(pacer.allowance(1e6), 12_000);
});

test('probes overdraw by a bounded amount', () => {
  const pacer = new Pacer(DATAGRAM);
  pacer.setRate(0, 100, 1_000_000);
  for (let i = 0; i < 100; i++) pacer.onPacketSent(0, DATAGRAM);
  assert.equal(pacer.nextSendTime(0), (3 * DATAGRAM) / 100);
});

test('a rate change counts from now on', () => {
  const pacer = new Pacer(DATAGRAM);
  pacer.setRate(0, 12, 120_000);
  for (let i = 0; i < 10; i++) pacer.onPacketSent(0, DATAGRAM);
  pacer.setRate(50, 1200, 120_000_000);
  assert.equal(pacer.allowance(50), 0);
  assert.equal(pacer.allowance(50.5), DATAGRAM);
});

test('a larger datagram size counts for what may leave at once and for debts from the next rate on', () => {
  const pacer = new Pacer(DATAGRAM);
  pacer.onMaxDatagramSize(9000);
  pacer.setRate(0, 100, 1_000_000);
  assert.equal(pacer.allowance(10_000), 18_000);
  for (let i = 0; i < 10; i++) pacer.onPacketSent(10_000, 9000);
  assert.equal(pacer.nextSendTime(10_000), 10_000 + (3 * 9000) / 100);
});
