import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PreciseAlarm } from './alarm.ts';

/** When it rings. */
function rung(alarm: PreciseAlarm): Promise<number> {
  return new Promise((resolve) => {
    alarm.ring = () => resolve(alarm.now());
  });
}

test('it rings at its time or after, near or far', async () => {
  const alarm = new PreciseAlarm();
  for (const ahead of [-1, 0, 0.3, 1.7, 6]) {
    const at = alarm.now() + ahead;
    const ringing = rung(alarm);
    alarm.set(at);
    assert.ok((await ringing) >= at, `${ahead} ms ahead`);
  }
});

test('the last word counts', async () => {
  const alarm = new PreciseAlarm();
  const start = alarm.now();
  const ringing = rung(alarm);
  alarm.set(start + 3_600_000);
  alarm.set(start + 1);
  alarm.set(start + 4);
  assert.ok((await ringing) >= start + 4);
});

test('what is turned off does not ring', async () => {
  const alarm = new PreciseAlarm();
  let rings = 0;
  alarm.ring = () => rings++;
  for (const ahead of [0, 1, 5]) {
    alarm.set(alarm.now() + ahead);
    alarm.set(Number.POSITIVE_INFINITY);
  }
  const other = new PreciseAlarm();
  const ringing = rung(other);
  other.set(other.now() + 8);
  await ringing;
  assert.equal(rings, 0);
});
