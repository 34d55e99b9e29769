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

test('a round ends with what was sent after the last, or after its first loss; the most of it is remembered until then', () => {
  const model = new ShortTerm();
  const ack = (rate: number, volume: number, prior: number, delivered: number) => {
    const one = sample(rate, volume, prior);
    model.begin(one, delivered);
    const seen = [model.isRoundEnd, model.inflightLatest];
    model.end(one);
    return seen;
  };
  assert.equal(model.isRoundEnd, false);
  assert.deepEqual(ack(10, 500, 0, 1000), [true, 500]);
  assert.deepEqual(ack(10, 900, 500, 1500), [false, 900]);
  assert.deepEqual(ack(10, 400, 999, 2000), [false, 900]);
  // The round ends, and the next begins with what its last ACK showed.
  assert.deepEqual(ack(10, 300, 1000, 2500), [true, 900]);
  assert.deepEqual(ack(10, 200, 1500, 3000), [false, 300]);
  assert.equal(model.isLossInRound, false);
  model.noteLoss(3000);
  assert.equal(model.isLossInRound, true);
  model.noteLoss(9000);
  assert.deepEqual(ack(10, 200, 2999, 3100), [false, 300], 'the first loss counts');
  assert.deepEqual(ack(10, 200, 3000, 3200), [true, 300]);
});
