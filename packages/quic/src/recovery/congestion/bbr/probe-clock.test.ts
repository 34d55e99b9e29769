import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../../base/random.ts';
import { ProbeClock } from './probe-clock.ts';

/** How long the clock makes us wait for a window that Reno would take long to grow, in milliseconds. */
function waitOf(clock: ProbeClock): number {
  clock.restart(10_000);
  let wait = 0;
  while (!clock.isDue(10_000 + wait, 1000)) wait++;
  return wait;
}

/** How many rounds. */
function roundsOf(clock: ProbeClock, datagrams: number): number {
  clock.restart(0);
  let rounds = 0;
  for (; !clock.isDue(0, datagrams); rounds++) clock.onRound();
  return rounds;
}

test('two to three seconds, by chance that a seed repeats', () => {
  const clock = new ProbeClock(new SeededRandom(1));
  const waits = Array.from({ length: 50 }, () => waitOf(clock));
  assert.ok(waits.every((wait) => wait >= 2000 && wait <= 3001));
  assert.ok(Math.min(...waits) < 2200 && Math.max(...waits) > 2800, 'the whole range');
  const again = new ProbeClock(new SeededRandom(1));
  assert.deepEqual(
    waits.map(() => waitOf(again)),
    waits,
  );
});

test('or as many rounds as datagrams in flight, 63 at most, one less by chance', () => {
  const clock = new ProbeClock(new SeededRandom(2));
  const few = new Set(Array.from({ length: 30 }, () => roundsOf(clock, 10)));
  const many = new Set(Array.from({ length: 30 }, () => roundsOf(clock, 500)));
  assert.deepEqual([...few].sort(), [10, 9].sort());
  assert.deepEqual([...many].sort(), [62, 63]);
});

test('without chance, the mean', () => {
  assert.equal(waitOf(new ProbeClock(undefined)), 2501);
});
