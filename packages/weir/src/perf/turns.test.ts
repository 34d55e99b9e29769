import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from './turns.ts';

const never = new Promise<void>(() => undefined);

test('places are given in the order of asking', async () => {
  const turns = new Turns(2);
  const order: number[] = [];
  const waits = [1, 2, 3, 4].map((i) => turns.take(never).then(() => order.push(i)));
  await Promise.all(waits.slice(0, 2));
  assert.deepEqual(order, [1, 2]);
  assert.equal(turns.waiting, 2);
  turns.release();
  await waits[2];
  turns.release();
  await waits[3];
  assert.deepEqual(order, [1, 2, 3, 4]);
  turns.release();
  turns.release();
  assert.equal(await turns.take(never), true);
  assert.equal(turns.waiting, 0);
});

test('who is over leaves the queue, and is passed over', async () => {
  const turns = new Turns(1);
  await turns.take(never);
  const ended = Promise.reject(new Error('reset'));
  const late = turns.take(never);
  assert.equal(await turns.take(ended), false);
  assert.equal(await turns.take(Promise.resolve()), false);
  assert.equal(turns.waiting, 1);
  turns.release();
  assert.equal(await late, true);
});
