import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CongestionEpoch } from './congestion-epoch.ts';
import { LossStretch } from './persistent-congestion.ts';

test('what was sent up to the start of an event belongs to it', () => {
  const epoch = new CongestionEpoch();
  assert.equal(epoch.onLost(100, 50, 1), true);
  assert.equal(epoch.onLost(110, 100, 1), false);
  assert.equal(epoch.onLost(120, 101, 1), true);
});

test('an event is undone when each of its losses was a mistake, and is then as if it had not been', () => {
  const epoch = new CongestionEpoch();
  epoch.onLost(100, 50, 1);
  epoch.onLost(110, 60, 2);
  assert.equal(epoch.onSpurious(50, 1), false);
  assert.equal(epoch.onSpurious(60, 2), true);
  assert.equal(epoch.onSpurious(60, 1), false, 'once');
  assert.equal(epoch.onLost(120, 90, 1), true);
});

test('mistakes of an earlier event do not undo the latest', () => {
  const epoch = new CongestionEpoch();
  epoch.onLost(100, 50, 1);
  epoch.onLost(300, 250, 1);
  assert.equal(epoch.onSpurious(50, 1), false);
  assert.equal(epoch.onSpurious(250, 1), true);
});

test('an event stands when CE marks belong to it, or when congestion is persistent', () => {
  const marked = new CongestionEpoch();
  marked.onLost(100, 50, 1);
  assert.equal(marked.onCe(105, 60), false);
  assert.equal(marked.onSpurious(50, 1), false);
  const persistent = new CongestionEpoch();
  persistent.onLost(100, 50, 1);
  persistent.onPersistent();
  assert.equal(persistent.onSpurious(50, 1), false);
});

test('a stretch of losses is persistent congestion when it exceeds the duration, and then over (RFC 9002 §7.6.1)', () => {
  const stretch = new LossStretch();
  assert.deepEqual(
    [0, 100, 100.5, 150, 250].map((sentAt) => stretch.onLost(sentAt, 100)),
    [false, false, true, false, false],
  );
});
