import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { recordOf, smallHeader } from '../../test/support/experiment-records.ts';
import type { IterationRecord } from '../results/index.ts';
import type { Attempt } from './order.ts';
import { attemptKey } from './read-experiment.ts';
import { Schedule } from './schedule.ts';

/** Runs a schedule to its end; each attempt's record is made by `measure`. */
function runAll(
  header: ReturnType<typeof smallHeader>,
  measure: (attempt: Attempt) => IterationRecord,
  earlier: readonly IterationRecord[] = [],
  most = Number.POSITIVE_INFINITY,
): IterationRecord[] {
  const schedule = new Schedule(header, earlier);
  const made: IterationRecord[] = [];
  for (let next = schedule.next(); next !== undefined && made.length < most; next = schedule.next()) {
    const record = measure(next);
    made.push(record);
    schedule.add(record, 12);
  }
  return made;
}

test('a schedule that is broken off anywhere and resumed runs what it would have run', () => {
  const header = smallHeader({ iterations: 6, maxIterations: 12, untilInterval: 0.05 });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 99 }), (brokenAt, noise) => {
      // The first cell's rates agree, the second's never do.
      const measure = (attempt: Attempt) =>
        recordOf(attempt, { bytesPerMs: attempt.cell === 0 ? 100 : 100 + ((attempt.iteration * 37 + noise) % 50) });
      const whole = runAll(header, measure);
      const first = runAll(header, measure, [], brokenAt);
      const rest = runAll(header, measure, first);
      assert.deepEqual([...first, ...rest], whole);
    }),
    { seed: 11 },
  );
});

test('--until: a cell whose interval is narrow stops, one whose is not goes on to the most', () => {
  const header = smallHeader({ iterations: 5, maxIterations: 15, untilInterval: 0.05 });
  const rates = [100, 101, 99.5, 100.2, 100.4, 99.8, 100.1];
  const records = runAll(header, (attempt) =>
    recordOf(attempt, {
      bytesPerMs: attempt.cell === 0 ? rates[attempt.iteration % rates.length]! : attempt.iteration * 50,
    }),
  );
  const counted = (cell: number) => records.filter((record) => record.cell === cell && !record.warmup).length;
  assert.equal(counted(0), 6, 'five values have no 95% interval, six have');
  assert.equal(counted(1), 15);
  assert.ok(new Schedule(header, records).isComplete);
});

test('--until: a warm-up that failed is done again, however narrow the interval is', () => {
  const header = smallHeader({ warmup: 9, iterations: 5, maxIterations: 15, untilInterval: 0.05 });
  const isLost = (attempt: Attempt) => attempt.warmup && attempt.iteration === 8;
  const first = runAll(header, (attempt) =>
    recordOf(attempt, isLost(attempt) ? { status: 'failed', message: 'x', bytesPerMs: null } : { bytesPerMs: 100 }),
  );
  assert.ok(!new Schedule(header, first).isComplete);
  const again = runAll(header, (attempt) => recordOf(attempt), first);
  assert.deepEqual(
    again.map(({ iteration, warmup }) => [iteration, warmup]),
    [
      [8, true],
      [8, true],
    ],
  );
});

test('failures are passed over, and done again when the experiment is resumed', () => {
  const header = smallHeader();
  const first = runAll(header, (attempt) =>
    recordOf(attempt, attempt.iteration === 2 ? { status: 'failed', message: 'x', bytesPerMs: null } : {}),
  );
  assert.equal(first.length, 8);
  assert.ok(!new Schedule(header, first).isComplete);
  const again = runAll(header, (attempt) => recordOf(attempt), first);
  assert.deepEqual(
    again.map(({ iteration }) => iteration),
    [2, 2],
  );
  const all = new Map([...first, ...again].map((record) => [attemptKey(record), record]));
  assert.ok(new Schedule(header, [...all.values()]).isComplete);
});

test('progress: what is done, and how long the rest may take by what the others took', () => {
  const header = smallHeader();
  const schedule = new Schedule(header, []);
  assert.deepEqual(schedule.progress, { total: 8, complete: 0, leftMs: null });
  const first = schedule.next()!;
  schedule.add(recordOf(first), 100);
  assert.deepEqual(schedule.progress, { total: 8, complete: 1, leftMs: 700 }, 'cells of the same size');
  const second = schedule.next()!;
  assert.notEqual(second.cell, first.cell);
  schedule.add(recordOf(second), 20);
  assert.deepEqual(schedule.progress, { total: 8, complete: 2, leftMs: 3 * 100 + 3 * 20 });
});
