import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeliveryRate } from '../../delivery-rate.ts';
import { FullPipe } from './full-pipe.ts';

function sampleOf(deliveryRate: number, isAppLimited = false) {
  return { ...new DeliveryRate().sample, deliveryRate, isAppLimited };
}

test('three rounds without a quarter more fill the pipe', () => {
  const pipe = new FullPipe();
  for (const rate of [100, 200, 249, 250, 312, 311]) pipe.update(sampleOf(rate));
  assert.equal(pipe.isNow, false);
  pipe.update(sampleOf(312));
  assert.deepEqual([pipe.isNow, pipe.isReached], [true, true]);
});

test('rounds that the application limits do not count', () => {
  const pipe = new FullPipe();
  pipe.update(sampleOf(100));
  for (let i = 0; i < 10; i++) pipe.update(sampleOf(50, true));
  assert.equal(pipe.isNow, false);
});

test('a new search begins from what is known, and does not undo that the pipe was full', () => {
  const pipe = new FullPipe();
  for (let i = 0; i < 4; i++) pipe.update(sampleOf(100));
  pipe.restart(100);
  assert.deepEqual([pipe.isNow, pipe.isReached], [false, true]);
  for (const rate of [124, 124]) pipe.update(sampleOf(rate));
  pipe.update(sampleOf(125));
  for (const rate of [125, 125]) pipe.update(sampleOf(rate));
  assert.equal(pipe.isNow, false);
  pipe.update(sampleOf(125));
  assert.equal(pipe.isNow, true);
});

test('a pipe that nothing is known of is not full', () => {
  const pipe = new FullPipe();
  assert.deepEqual([pipe.isNow, pipe.isReached], [false, false]);
});
