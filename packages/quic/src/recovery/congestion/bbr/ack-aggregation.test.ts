import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AckAggregation } from './ack-aggregation.ts';

test('ACKs that come in bursts show how far they run ahead', () => {
  const aggregation = new AckAggregation();
  // 100 bytes a millisecond, but 2000 at once each 20 ms.
  for (let i = 0; i < 20; i++) aggregation.update(20 * i, 100, 2000, 1e6, Math.floor(i / 2), false);
  assert.equal(aggregation.extra, 2000);
  // Smooth from now on: forgotten after ten rounds.
  for (let i = 0; i <= 400; i++) aggregation.update(400 + i, 100, 100, 1e6, 10 + Math.floor(i / 40), false);
  assert.ok(aggregation.extra <= 100, `${aggregation.extra}`);
});

test('in Startup one round is remembered; never more than the window', () => {
  const aggregation = new AckAggregation();
  aggregation.update(0, 100, 9000, 5000, 0, true);
  assert.equal(aggregation.extra, 5000);
  aggregation.update(1000, 100, 300, 5000, 1, true);
  assert.equal(aggregation.extra, 300);
});

test('a pause is no burst', () => {
  const aggregation = new AckAggregation();
  aggregation.update(0, 100, 1000, 1e6, 0, false);
  aggregation.restart(5000);
  aggregation.update(5010, 100, 1000, 1e6, 11, false);
  assert.equal(aggregation.extra, 1000);
});

test('what runs ahead is counted from where it began, up to a window, for ten rounds; in Startup for one', () => {
  const ahead = new AckAggregation();
  const ENDLESS = 1e9;
  const update = (now: number, bytes: number, round: number, isStartup = false, window = ENDLESS) => {
    ahead.update(now, 100, bytes, window, round, isStartup);
    return ahead.extra;
  };
  assert.equal(update(1000, 500, 0), 500);
  // 300 were to be expected by now, 700 have come.
  assert.equal(update(1003, 200, 1), 500);
  assert.equal(update(1003, 200, 9), 600);
  // Five hundred behind: it begins again.
  assert.equal(update(1020, 100, 10), 600);
  assert.equal(update(1020, 5000, 10, false, 800), 800);
  assert.equal(update(1020, 0, 11, true), 5100);
  assert.equal(update(1060, 0, 12, true), 1100);
  assert.equal(update(1100, 300, 13, true), 300);
  assert.equal(update(1200, 10, 22), 300);
  assert.equal(update(1300, 10, 23), 10);
  ahead.restart(1400);
  assert.equal(update(1401, 500, 24), 500, 'nothing had come in between');
});
