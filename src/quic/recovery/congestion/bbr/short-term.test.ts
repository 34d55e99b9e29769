import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeliveryRate } from '../../delivery-rate.ts';
import { ShortTerm } from './short-term.ts';

const sample = (deliveryRate: number, delivered: number, priorDelivered: number) => ({
  ...new DeliveryRate().sample,
  deliveryRate,
  delivered,
  priorDelivered,
});

test('a round with losses brings the bounds down to what was delivered in it, but by three tenths at most', () => {
  const model = new ShortTerm();
  model.noteLoss(1000);
  model.begin(sample(90, 3600, 900), 4500);
  assert.equal(model.isRoundEnd, false, 'sent before the loss');
  model.end(sample(90, 3600, 900));
  model.begin(sample(80, 3200, 1000), 5000);
  assert.equal(model.isRoundEnd, true);
  model.lower(100, 8000);
  assert.deepEqual([model.bw, model.inflight], [90, 0.7 * 8000]);
  model.end(sample(80, 3200, 1000));
  // What counts of the next round begins with its first ACK.
  model.noteLoss(5000);
  model.begin(sample(30, 1200, 5000), 6000);
  model.lower(100, 8000);
  assert.deepEqual([model.bw, model.inflight], [80, 0.7 * 0.7 * 8000]);
  model.reset();
  assert.deepEqual([model.bw, model.inflight], [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
});

test('the signals of a round can be forgotten', () => {
  const model = new ShortTerm();
  model.noteLoss(0);
  model.begin(sample(90, 3600, 0), 3600);
  model.resetSignals();
  assert.deepEqual([model.isLossInRound, model.inflightLatest], [false, 0]);
  model.lower(100, 8000);
  assert.deepEqual([model.bw, model.inflight], [70, 5600]);
});
