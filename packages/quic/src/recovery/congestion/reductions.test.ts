import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REMEMBERED_EVENTS } from '../congestion-events.ts';
import { type Reducible, Reductions } from './reductions.ts';

interface State extends Reducible {
  threshold: number;
}

/** A window of `window`, whose reductions halve it. */
function make(window: number) {
  const now: State = { window, threshold: Number.POSITIVE_INFINITY, recoveryStartedAt: -1 };
  const halve = (state: State) => {
    state.window /= 2;
    state.threshold = state.window;
  };
  const reductions = new Reductions(now, halve);
  const reduceAt = (at: number) => {
    reductions.save(now);
    now.recoveryStartedAt = at;
    halve(now);
  };
  return { now, reductions, reduceAt };
}

test('the latest reduction is taken back whole, and its recovery period with it', () => {
  const { now, reductions, reduceAt } = make(64);
  reduceAt(10);
  reduceAt(20);
  assert.equal(reductions.takeBack(now, 0), true);
  assert.deepEqual(now, { window: 32, threshold: 32, recoveryStartedAt: 10 });
  assert.equal(reductions.takeBack(now, 0), true);
  assert.deepEqual(now, { window: 64, threshold: Number.POSITIVE_INFINITY, recoveryStartedAt: -1 });
  assert.equal(reductions.takeBack(now, 0), false);
});

test('an earlier one is taken back, and those that followed stand', () => {
  const { now, reductions, reduceAt } = make(64);
  for (const at of [10, 20, 30]) reduceAt(at);
  assert.equal(now.window, 8);
  assert.equal(reductions.takeBack(now, 2), true);
  assert.deepEqual(now, { window: 16, threshold: 16, recoveryStartedAt: 30 });
  reductions.takeBack(now, 1);
  assert.deepEqual(now, { window: 32, threshold: 32, recoveryStartedAt: 30 });
  reductions.takeBack(now, 0);
  assert.deepEqual(now, { window: 64, threshold: Number.POSITIVE_INFINITY, recoveryStartedAt: -1 });
});

test('whatever the order in which they prove to have been for nothing, all is as before in the end', () => {
  for (const order of [
    [2, 1, 0],
    [0, 0, 0],
    [1, 0, 0],
    [1, 1, 0],
    [2, 0, 0],
  ]) {
    const { now, reductions, reduceAt } = make(64);
    for (const at of [10, 20, 30]) reduceAt(at);
    for (const later of order) assert.equal(reductions.takeBack(now, later), true);
    assert.deepEqual(now, { window: 64, threshold: Number.POSITIVE_INFINITY, recoveryStartedAt: -1 }, `${order}`);
  }
});

test('a window that has outgrown it stays, and so does what followed from that', () => {
  const { now, reductions, reduceAt } = make(64);
  reduceAt(10);
  now.window = 70;
  reductions.takeBack(now, 0);
  assert.deepEqual([now.window, now.threshold, now.recoveryStartedAt], [70, 32, -1]);
  reduceAt(20);
  now.window = 80;
  reduceAt(30);
  assert.equal(reductions.takeBack(now, 1), true);
  assert.deepEqual([now.window, now.threshold], [40, 40], 'it was reduced from more than there was before');
});

test('what grew between two reductions is not counted twice', () => {
  const { now, reductions, reduceAt } = make(64);
  reduceAt(10);
  now.window = 50;
  reduceAt(20);
  reductions.takeBack(now, 1);
  assert.equal(now.window, 32);
});

test('as many as are remembered can be taken back, and none once all stand', () => {
  const { now, reductions, reduceAt } = make(2 ** 40);
  for (let i = 0; i <= REMEMBERED_EVENTS; i++) reduceAt(i);
  assert.equal(reductions.takeBack(now, REMEMBERED_EVENTS), false);
  for (let later = REMEMBERED_EVENTS - 1; later >= 0; later--) assert.equal(reductions.takeBack(now, later), true);
  assert.equal(now.window, 2 ** 39);
  reduceAt(99);
  reductions.clear();
  assert.equal(reductions.takeBack(now, 0), false);
});
