import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DeliveryQueue } from './delivery-queue.ts';

test('items come out when they are due, those of the same time in the order in which they came', () => {
  const times = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 200 });
  fc.assert(
    fc.property(times, fc.integer({ min: 0, max: 30 }), (ats, now) => {
      const queue = new DeliveryQueue<number>();
      for (const [i, at] of ats.entries()) queue.push(at, i);
      const expected = ats
        .map((at, i) => ({ at, i }))
        .filter(({ at }) => at <= now)
        .sort((a, b) => a.at - b.at || a.i - b.i)
        .map(({ i }) => i);
      const taken: number[] = [];
      for (let item = queue.takeDue(now); item !== undefined; item = queue.takeDue(now)) taken.push(item);
      assert.deepEqual(taken, expected);
      assert.equal(queue.length, ats.length - taken.length);
      assert.equal(queue.earliest, Math.min(Number.POSITIVE_INFINITY, ...ats.filter((at) => at > now)));
    }),
    { seed: 503, numRuns: 300 },
  );
});
