import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rounds } from './rounds.ts';

test('a round ends with the first packet that was sent after the last had ended; they are counted', () => {
  const rounds = new Rounds();
  assert.deepEqual([rounds.count, rounds.isStart], [0, false]);
  const seen: [number, boolean][] = [];
  // Prior delivered, delivered: ten packets in flight, then twenty.
  for (const [prior, delivered] of [
    [0, 1],
    [0, 10],
    [1, 11],
    [2, 12],
    [10, 20],
    [11, 21],
    [19, 29],
    [20, 30],
  ] as const) {
    rounds.update(prior, delivered);
    seen.push([rounds.count, rounds.isStart]);
  }
  assert.deepEqual(seen, [
    [1, true],
    [1, false],
    [2, true],
    [2, false],
    [2, false],
    [3, true],
    [3, false],
    [3, false],
  ]);
});

test('a round begun anew lasts until what is sent from now on arrives', () => {
  const rounds = new Rounds();
  rounds.update(0, 10);
  rounds.restart(15);
  rounds.update(14, 20);
  assert.deepEqual([rounds.count, rounds.isStart], [1, false]);
  rounds.update(15, 21);
  assert.deepEqual([rounds.count, rounds.isStart], [2, true]);
});
