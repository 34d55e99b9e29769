import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Strangers } from './strangers.ts';

/** Strangers that come one after the other. */
function crowd(options: { most: number; mostEach: number }) {
  const strangers = new Strangers(options);
  const closed: string[] = [];
  const come = (name: string) => strangers.add(name[0]!, () => closed.push(name));
  return { strangers, closed, come };
}

test('who comes is let in; the one of its address that has been silent longest goes', () => {
  const { strangers, closed, come } = crowd({ most: 10, mostEach: 2 });
  for (const name of ['a1', 'b1', 'a2', 'a3', 'b2', 'a4']) come(name);
  assert.deepEqual(closed, ['a1', 'a2']);
  assert.equal(strangers.count, 4);
  assert.equal(strangers.evicted, 2);
});

test('when there are too many in all, the address that has most loses one', () => {
  const { strangers, closed, come } = crowd({ most: 4, mostEach: 3 });
  for (const name of ['a1', 'a2', 'a3', 'b1', 'c1', 'd1']) come(name);
  assert.deepEqual(closed, ['a1', 'a2']);
  assert.equal(strangers.count, 4);
});

test('who is known, or gone, is no stranger any more', () => {
  const { strangers, closed, come } = crowd({ most: 2, mostEach: 2 });
  const known = come('a1');
  known();
  known();
  for (const name of ['a2', 'a3']) come(name);
  assert.deepEqual(closed, []);
  assert.equal(strangers.count, 2);
});
