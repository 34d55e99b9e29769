import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Link, UrgencyQueue } from './scheduler.ts';

test('the queue agrees with a list sorted by urgency and arrival', () => {
  const operation = fc.record({
    type: fc.constantFrom('add' as const, 'remove' as const, 'rotate' as const),
    item: fc.integer({ min: 0, max: 9 }),
    urgency: fc.integer({ min: 0, max: 7 }),
  });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 100 }), (operations) => {
      const queue = new UrgencyQueue<number>();
      const links = Array.from({ length: 10 }, (_, i) => new Link(i));
      const urgencies: number[] = [];
      let model: number[] = [];
      for (const { type, item, urgency } of operations) {
        const link = links[item]!;
        if (type === 'add') {
          queue.add(link, urgency);
          if (!model.includes(item)) {
            urgencies[item] = urgency;
            model.push(item);
          }
        } else if (type === 'remove') {
          queue.remove(link, urgencies[item] ?? 0);
          model = model.filter((other) => other !== item);
        } else {
          queue.rotate(link);
          if (model.includes(item)) model = [...model.filter((other) => other !== item), item];
        }
        const best = Math.min(8, ...model.map((other) => urgencies[other]!));
        assert.equal(queue.urgency, best);
        assert.equal(
          queue.first,
          model.find((other) => urgencies[other] === best),
        );
        assert.equal(queue.isEmpty, model.length === 0);
        assert.equal(link.isQueued, model.includes(item));
      }
    }),
    { seed: 13, numRuns: 300 },
  );
});
