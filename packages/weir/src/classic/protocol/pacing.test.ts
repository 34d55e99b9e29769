import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pacer } from './pacing.ts';

/** Sends all that is due at each of these times, and returns how many datagrams of 1,000 bytes went at each. */
function sentAt(pacer: Pacer, times: readonly number[]): number[] {
  return times.map((now) => {
    let sent = 0;
    for (; pacer.next <= now; sent++) pacer.onSent(now, 1000);
    return sent;
  });
}

test('timers that are late by a millisecond or two keep the rate', () => {
  const pacer = new Pacer(1000);
  pacer.restart(0);
  const times = Array.from({ length: 500 }, (_, i) => i * 2 + (i % 3) * 0.5);
  const total = sentAt(pacer, times).reduce((sum, sent) => sum + sent, 0);
  assert.ok(Math.abs(total - 1000) <= 2, `${total}`);
});

test('after a pause there is no burst of all that was missed', () => {
  const pacer = new Pacer(1000);
  pacer.restart(0);
  assert.deepEqual(sentAt(pacer, [0, 1, 100, 101]), [1, 1, 6, 1]);
});

test('a new schedule starts at once, without credit', () => {
  const pacer = new Pacer(1000);
  pacer.restart(50);
  assert.deepEqual(sentAt(pacer, [50, 51, 52]), [1, 1, 1]);
  pacer.restart(80);
  assert.deepEqual(sentAt(pacer, [80, 80.5, 81]), [1, 0, 1]);
});
