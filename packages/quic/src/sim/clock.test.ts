import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NEVER } from '../base/time.ts';
import { VirtualClock } from './clock.ts';

test('appointments run in order of time, then of booking', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 }),
      fc.array(fc.nat(59), { maxLength: 20 }),
      (times, cancelled) => {
        const clock = new VirtualClock();
        const ran: number[] = [];
        const timers = times.map((at, i) => clock.book(at, () => ran.push(i)));
        for (const i of cancelled) timers[i]?.cancel();
        while (clock.step());
        const expected = times
          .map((at, i) => ({ at, i }))
          .filter(({ i }) => !cancelled.includes(i))
          .sort((a, b) => a.at - b.at || a.i - b.i)
          .map(({ i }) => i);
        assert.deepEqual(ran, expected);
        assert.equal(clock.next, NEVER);
      },
    ),
    { seed: 1 },
  );
});

test('time never goes back: an appointment in the past is for now', () => {
  const clock = new VirtualClock(10);
  let at = -1;
  clock.book(3, () => {
    at = clock.now;
  });
  clock.step();
  assert.equal(at, 10);
});
