import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type StallLimit, StallWatch } from './stall-watch.ts';

/** A watch on a clock that goes on by hand. `pass` lets so many milliseconds pass at once and answers how often it has called back. */
function watching(limit: StallLimit) {
  let now = 0;
  let timer: { at: number; callback: () => void } | undefined;
  let stalls = 0;
  const clock = {
    now: () => now,
    setTimer(at: number, callback: () => void) {
      const mine = { at, callback };
      timer = mine;
      return {
        cancel() {
          if (timer === mine) timer = undefined;
        },
      };
    },
  };
  const watch = new StallWatch(clock, limit, () => stalls++);
  const pass = (milliseconds: number) => {
    now += milliseconds;
    const due = timer;
    if (due !== undefined && due.at <= now) {
      timer = undefined;
      due.callback();
    }
    return stalls;
  };
  return { watch, pass, hasTimer: () => timer !== undefined };
}

test('nothing for the whole limit is a stall, told once; whatever moves begins it anew', () => {
  let moved = 0;
  const { pass, hasTimer } = watching({ ms: 800, progress: () => moved });
  for (let i = 0; i < 7; i++) assert.equal(pass(100), 0);
  moved++;
  for (let i = 0; i < 8; i++) assert.equal(pass(100), 0);
  assert.equal(pass(100), 1);
  assert.equal(hasTimer(), false);
});

test('a process that was stopped for an hour has not waited', () => {
  const { pass } = watching({ ms: 800, progress: () => 0 });
  assert.equal(pass(3_600_000), 0);
  for (let i = 0; i < 6; i++) assert.equal(pass(100), 0);
  assert.equal(pass(100), 1);
});

test('a watch that is cancelled leaves no timer', () => {
  const { watch, hasTimer } = watching({ ms: 800 });
  watch.cancel();
  assert.equal(hasTimer(), false);
});
