import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { planOf } from './order.ts';
import { attemptKey } from './read-experiment.ts';

const settings = fc.record({
  cells: fc.integer({ min: 1, max: 20 }),
  warmup: fc.integer({ min: 0, max: 3 }),
  rounds: fc.integer({ min: 1, max: 8 }),
  seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
});

test('every iteration of every cell comes once, in rounds that hold each cell once, warm-ups first', () => {
  fc.assert(
    fc.property(settings, (order) => {
      const { cells, warmup, rounds } = order;
      const plan = planOf(order);
      assert.equal(plan.length, cells * (warmup + rounds));
      assert.equal(new Set(plan.map(attemptKey)).size, plan.length);
      assert.deepEqual(
        plan.map((attempt) => attempt.order),
        Array.from(plan, (_, i) => i + 1),
      );
      for (let round = 0; round < warmup + rounds; round++) {
        const held = plan.slice(round * cells, (round + 1) * cells);
        assert.equal(new Set(held.map(({ cell }) => cell)).size, cells);
        const isWarmup = round < warmup;
        const iteration = isWarmup ? round + 1 : round - warmup + 1;
        assert.ok(held.every((attempt) => attempt.iteration === iteration && attempt.warmup === isWarmup));
      }
    }),
    { seed: 20_260_312 },
  );
});

test('the order follows from the seed, and more rounds leave the earlier ones as they are', () => {
  fc.assert(
    fc.property(settings, (order) => {
      const plan = planOf(order);
      assert.deepEqual(planOf(order), plan);
      assert.deepEqual(planOf({ ...order, rounds: order.rounds + 2 }).slice(0, plan.length), plan);
    }),
    { seed: 20_260_312 },
  );
});

test('rounds differ from each other and between seeds, and every place of a round is any cell’s', () => {
  const rounds = 400;
  const firsts = Array<number>(5).fill(0);
  const plan = planOf({ cells: 5, warmup: 0, rounds, seed: 7 });
  for (let round = 0; round < rounds; round++) firsts[plan[round * 5]!.cell]!++;
  // 80 each are expected; the chance of one outside of 45 to 115 is below 1 in 10,000.
  assert.ok(
    firsts.every((count) => count > 45 && count < 115),
    `${firsts}`,
  );
  const cellsOf = (seed: number) =>
    planOf({ cells: 20, warmup: 0, rounds: 1, seed })
      .map(({ cell }) => cell)
      .join();
  assert.notEqual(cellsOf(1), cellsOf(2));
});
