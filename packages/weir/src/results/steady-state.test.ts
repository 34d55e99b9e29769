import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { series, sideResult } from '../../test/support/measure-fixture.ts';
import { phases, phasesOf, valueAt } from './steady-state.ts';

// Two streams: 10 bytes/ms until 100 ms, 50 from then on, together.
const course = series(
  [0, 50, 100, 200],
  [
    [0, 250, 500, 3000],
    [0, 250, 500, 3000],
  ],
);

test('goodput before and after slow start, and the time of each', () => {
  assert.deepEqual(phases(course, 100), {
    slowStart: { durationMs: 100, bytes: 1000, bytesPerMs: 10 },
    steady: { durationMs: 100, bytes: 5000, bytesPerMs: 50 },
  });
  // Between two samples bytes come evenly.
  assert.deepEqual(phases(course, 150)!.slowStart, { durationMs: 150, bytes: 3500, bytesPerMs: 3500 / 150 });
});

test('times are from the first sample on, where that is late, too', () => {
  const late = series([20, 60, 120], [[100, 500, 1700]]);
  assert.deepEqual(phases(late, 60), {
    slowStart: { durationMs: 40, bytes: 400, bytesPerMs: 10 },
    steady: { durationMs: 60, bytes: 1200, bytesPerMs: 20 },
  });
});

test('slow start that lasts takes everything, one that was over before takes nothing', () => {
  const all = { durationMs: 200, bytes: 6000, bytesPerMs: 30 };
  const nothing = { durationMs: 0, bytes: 0, bytesPerMs: null };
  assert.deepEqual(phases(course, null), { slowStart: all, steady: nothing });
  assert.deepEqual(phases(course, 0), { slowStart: nothing, steady: all });
  assert.deepEqual(phases(course, 1e9), { slowStart: all, steady: nothing });
});

test('no phases of one sample, nor of a side that did not tell', () => {
  assert.equal(phases(series([], []), 5), null);
  assert.equal(phases(series([0], [[0]]), 5), null);
  assert.equal(phasesOf(sideResult(), course), null);
  assert.equal(phasesOf(null, course), null);
  assert.equal(phasesOf(sideResult({ connection: { limitsMs: {}, slowStartMs: 100 } }), course)!.steady.bytesPerMs, 50);
});

test('the two add up to the whole, wherever the cut is', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 100 }), fc.nat(1000)), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(steps, fc.integer({ min: -10, max: 3000 }), (list, cut) => {
      const atMs = [0];
      const bytes = [0];
      for (const [time, amount] of list) {
        atMs.push(atMs.at(-1)! + time);
        bytes.push(bytes.at(-1)! + amount);
      }
      const { slowStart, steady } = phases(series(atMs, [bytes]), cut)!;
      assert.ok(Math.abs(slowStart.bytes + steady.bytes - bytes.at(-1)!) < 1e-6);
      assert.ok(Math.abs(slowStart.durationMs + steady.durationMs - atMs.at(-1)!) < 1e-9);
      assert.ok(slowStart.bytes >= 0 && steady.bytes >= -1e-9);
    }),
    { seed: 6, numRuns: 200 },
  );
});

test('a count stays what it was outside of its samples', () => {
  assert.equal(valueAt([10, 20], [5, 9], 0), 5);
  assert.equal(valueAt([10, 20], [5, 9], 15), 7);
  assert.equal(valueAt([10, 20], [5, 9], 99), 9);
});
