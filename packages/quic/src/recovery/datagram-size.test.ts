import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Space } from '../wire/frame-type.ts';
import { bbr } from './congestion/bbr/bbr.ts';
import { cubic } from './congestion/cubic.ts';
import { newReno } from './congestion/new-reno.ts';
import { ackOf, makeConfirmed, RecordingSink, send } from './fixtures.test.ts';
import type { Recovery } from './recovery.ts';

// The path's maximum datagram size, which congestion control, pacer and window must all go by.

const LARGE = 9000;

/** Its round trip of 100 ms is measured, and its initial window is gone. */
function sending(congestion = cubic): Recovery {
  const recovery = makeConfirmed({ congestion });
  send(recovery, 0);
  recovery.onAck(Space.APPLICATION, 100, ackOf([0, 0]), 0, new RecordingSink());
  while (recovery.sendAllowance(100) > 0) send(recovery, 100);
  return recovery;
}

for (const [name, congestion, least] of [
  ['NewReno', newReno, 2],
  ['CUBIC', cubic, 2],
  ['BBR', bbr, 4],
] as const) {
  test(`${name} hears of it: its window is no less than ${least} datagrams`, () => {
    const recovery = sending(congestion);
    recovery.onMaxDatagramSize(100, LARGE);
    assert.equal(recovery.congestion.window, least * LARGE);
  });
}

test('the pacer hears of it: it lets whole datagrams go, an initial window of them together, and none before it has all of one', () => {
  const recovery = sending();
  const { pacer } = recovery;
  recovery.onMaxDatagramSize(100, LARGE);
  assert.equal(pacer.allowance(100), 0);
  const at = pacer.nextSendTime(100);
  const { rate } = pacer;
  assert.ok(Math.abs((at - 100) * rate - LARGE) < 2 * 1200, `after ${(at - 100) * rate} bytes' time`);
  for (let now = 100; now < at - 0.1; now += 0.1) assert.equal(pacer.allowance(now), 0);
  assert.equal(pacer.allowance(at), LARGE);
  assert.equal(pacer.allowance(at + 10_000), 2 * LARGE);
  for (let i = 0; i < 5; i++) pacer.onPacketSent(at + 10_000, LARGE);
  // In debt by two datagrams at most, and one to wait for.
  assert.ok(Math.abs((pacer.nextSendTime(at + 10_000) - at - 10_000) * rate - 3 * LARGE) < 1);
});

test('so does the room in the window: less than a datagram is none, but after a loss one more may go', () => {
  const recovery = makeConfirmed();
  for (let i = 0; i < 6; i++) send(recovery, 0);
  assert.equal(recovery.sendAllowance(0), 4800);
  recovery.onMaxDatagramSize(0, 4801);
  assert.equal(recovery.sendAllowance(0), 0);
  recovery.onMaxDatagramSize(0, 4800);
  assert.equal(recovery.sendAllowance(0), 4800);
});

test('a new path starts with its own', () => {
  const recovery = sending();
  recovery.resetPath(200, LARGE);
  assert.equal(recovery.congestion.window, 2 * LARGE);
  recovery.pacer.setRate(200, 100, 1e9);
  recovery.pacer.onPacketSent(200, LARGE);
  recovery.pacer.onPacketSent(200, LARGE);
  assert.equal(recovery.pacer.allowance(10_000), 2 * LARGE);
});
