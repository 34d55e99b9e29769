import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LongTerm } from './long-term.ts';

const DATAGRAM = 1200;

test('the bound rises by 1, 2, 4, 8 … datagrams a round', () => {
  const model = new LongTerm();
  const window = 64 * DATAGRAM;
  model.inflight = window;
  model.restartSlope();
  const rises = [];
  for (let round = 0; round < 6; round++) {
    model.raiseSlope(window, DATAGRAM);
    const before = model.inflight;
    for (let acked = 0; acked < 64; acked++) model.raise(DATAGRAM, DATAGRAM);
    rises.push((model.inflight - before) / DATAGRAM);
  }
  assert.deepEqual(rises, [1, 2, 4, 8, 16, 32]);
  for (let round = 0; round < 40; round++) model.raiseSlope(window, DATAGRAM);
  const before = model.inflight;
  model.raise(2 * DATAGRAM, DATAGRAM);
  assert.equal(model.inflight - before, 2 * DATAGRAM, 'never faster than what is acknowledged');
});

test('it does not rise outside of a probe', () => {
  const model = new LongTerm();
  model.inflight = 10 * DATAGRAM;
  model.raiseSlope(DATAGRAM, DATAGRAM);
  model.endSlope();
  model.raise(1e9, DATAGRAM);
  assert.equal(model.inflight, 10 * DATAGRAM);
});

test('others find 15% free, a datagram at least, unless that leaves us too little', () => {
  const model = new LongTerm();
  assert.equal(model.withHeadroom(DATAGRAM, 4 * DATAGRAM), Number.POSITIVE_INFINITY);
  model.inflight = 100 * DATAGRAM;
  assert.equal(model.withHeadroom(DATAGRAM, 4 * DATAGRAM), 85 * DATAGRAM);
  model.inflight = 6 * DATAGRAM;
  assert.equal(model.withHeadroom(DATAGRAM, 4 * DATAGRAM), 5 * DATAGRAM);
  model.inflight = 4 * DATAGRAM;
  assert.equal(model.withHeadroom(DATAGRAM, 4 * DATAGRAM), 4 * DATAGRAM);
});

test('what was acknowledged below a step counts towards the next, but not from one probe to another', () => {
  const model = new LongTerm();
  model.inflight = 0;
  model.restartSlope();
  model.raiseSlope(10 * DATAGRAM, DATAGRAM);
  model.raise(9 * DATAGRAM, DATAGRAM);
  assert.equal(model.inflight, 0);
  model.raise(11 * DATAGRAM, DATAGRAM);
  assert.equal(model.inflight, 2 * DATAGRAM);
  model.raise(9 * DATAGRAM, DATAGRAM);
  model.restartSlope();
  model.raiseSlope(10 * DATAGRAM, DATAGRAM);
  model.raise(9 * DATAGRAM, DATAGRAM);
  assert.equal(model.inflight, 2 * DATAGRAM);
  model.raise(DATAGRAM, DATAGRAM);
  assert.equal(model.inflight, 3 * DATAGRAM, 'slowly again, and once');
});

test('what was acknowledged before there was a slope is no obstacle', () => {
  const model = new LongTerm();
  model.inflight = 0;
  model.raise(DATAGRAM, DATAGRAM);
  model.raiseSlope(DATAGRAM, DATAGRAM);
  model.raise(2 * DATAGRAM, DATAGRAM);
  assert.equal(model.inflight, 3 * DATAGRAM);
});
