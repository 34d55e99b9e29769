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

test('a fast path is released in bursts of two milliseconds, and waited for by the millisecond', () => {
  const pacer = new Pacer(DATAGRAM);
  pacer.setRate(0, 20_000, 1e9);
  assert.equal(pacer.allowance(1000), 40_000);
  pacer.onPacketSent(1000, 40_000);
  assert.equal(pacer.nextSendTime(1000), 1001);
  // No more than a window either.
  pacer.setRate(1000, 20_000, 30_000);
  assert.equal(pacer.allowance(2000), 30_000);
});

test('a rate that leaves the window within a millisecond, exactly, is not paced; nor is none', () => {
  const pacer = new Pacer(DATAGRAM);
  pacer.setRate(0, 20_000, 20_001);
  assert.equal(pacer.rate, 20_000);
  pacer.setRate(0, 20_000, 20_000);
  assert.equal(pacer.rate, Number.POSITIVE_INFINITY);
  pacer.setRate(0, 20_000, 20_001);
  pacer.setRate(0, 0, 20_001);
  assert.equal(pacer.rate, Number.POSITIVE_INFINITY);
});

test('what had accrued for a faster rate is lost with it', () => {
  const pacer = new Pacer(DATAGRAM);
  pacer.setRate(0, 20_000, 1e9);
  assert.equal(pacer.allowance(1000), 40_000);
  pacer.setRate(1000, 100, 1e9);
  assert.equal(pacer.allowance(1000), 12_000);
});

test('a probe that is sent without asking takes of what has accrued by then', () => {
  const pacer = new Pacer(DATAGRAM);
  pacer.setRate(0, 100, 1e9);
  for (let i = 0; i < 20; i++) pacer.onPacketSent(0, DATAGRAM);
  // In debt by 2400 bytes.
  pacer.onPacketSent(100, DATAGRAM);
  assert.equal(pacer.allowance(100), 10_000 - 2400 - DATAGRAM);
});
