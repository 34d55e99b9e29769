import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WindowedMax } from './windowed-max.ts';

test('the maximum of two cycles: it outlives one of them', () => {
  const filter = new WindowedMax();
  assert.equal(filter.max, 0);
  const seen = [
    [5, 0],
    [9, 0],
    [7, 1],
    [6, 1],
    [4, 2],
    [3, 3],
  ] as const;
  const maxima = seen.map(([value, cycle]) => {
    filter.update(value, cycle, 2);
    return filter.max;
  });
  assert.deepEqual(maxima, [5, 9, 9, 9, 7, 4]);
});

test('nothing is forgotten while nothing is measured', () => {
  const filter = new WindowedMax();
  filter.update(9, 0, 2);
  assert.equal(filter.max, 9);
  filter.update(2, 100, 2);
  assert.equal(filter.max, 2);
});

test('property: the maximum of the values of the last ticks, whatever the window, also when it changes', () => {
  const step = fc.record({ value: fc.nat(20), wait: fc.nat(3), length: fc.constantFrom(1, 2, 10, 15) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const filter = new WindowedMax();
      let kept: { value: number; tick: number }[] = [];
      let tick = 0;
      for (const { value, wait, length } of steps) {
        tick += wait;
        filter.update(value, tick, length);
        kept.push({ value, tick });
        kept = kept.filter((k) => k.tick > tick - length);
        assert.equal(filter.max, Math.max(...kept.map((k) => k.value)));
      }
    }),
    { seed: 11, numRuns: 200 },
  );
});
