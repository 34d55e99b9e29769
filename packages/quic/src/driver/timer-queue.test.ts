import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NEVER } from '../base/time.ts';
import { type Timed, TimerQueue } from './timer-queue.ts';

test('against a plain list: the earliest is known, and what is due comes out in order', () => {
  const action = fc.record({
    item: fc.integer({ min: 0, max: 15 }),
    deadline: fc.option(fc.integer({ min: 0, max: 100 }), { nil: NEVER }),
    due: fc.option(fc.integer({ min: 0, max: 100 }), { nil: -1, freq: 3 }),
  });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
      const queue = new TimerQueue<Timed>();
      const items: Timed[] = Array.from({ length: 16 }, () => ({ deadline: NEVER, place: -1 }));
      const model = new Map<Timed, number>();
      for (const { item, deadline, due } of actions) {
        const timed = items[item]!;
        queue.set(timed, deadline);
        if (deadline === NEVER) model.delete(timed);
        else model.set(timed, deadline);
        assert.equal(queue.earliest, Math.min(NEVER, ...model.values()));
        let last = 0;
        for (let taken = queue.takeDue(due); taken !== undefined; taken = queue.takeDue(due)) {
          assert.ok(taken.deadline >= last && taken.deadline <= due);
          last = taken.deadline;
          assert.equal(model.delete(taken), true);
          assert.equal(taken.place, -1);
        }
        for (const left of model.values()) assert.ok(left > due);
      }
    }),
    { seed: 3, numRuns: 300 },
  );
});

test('what is not in it can be removed', () => {
  const queue = new TimerQueue<Timed>();
  queue.remove({ deadline: 1, place: -1 });
  assert.equal(queue.earliest, NEVER);
});
