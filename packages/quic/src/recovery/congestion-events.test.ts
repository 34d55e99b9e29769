import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CongestionEvents, REMEMBERED_EVENTS } from './congestion-events.ts';
import { LossStretch } from './persistent-congestion.ts';

/** Events that begin at 100, 200, 300, …, each with losses sent 50 and 40 ms before. */
function withEvents(count: number): CongestionEvents {
  const events = new CongestionEvents();
  for (let i = 1; i <= count; i++) {
    assert.equal(events.onLost(100 * i, 100 * i - 50), true);
    assert.equal(events.onLost(100 * i, 100 * i - 40), false);
  }
  return events;
}

/** Both losses of the event that began at `startedAt` were mistakes. */
function mistake(events: CongestionEvents, startedAt: number): void {
  events.onSpurious(startedAt - 50);
  events.onSpurious(startedAt - 40);
}

test('what was sent up to the start of an event belongs to it', () => {
  const events = new CongestionEvents();
  assert.equal(events.onLost(100, 50), true);
  assert.equal(events.onLost(110, 100), false);
  assert.equal(events.onLost(120, 101), true);
});

test('an event is undone when each of its losses was a mistake, and is then as if it had not been', () => {
  const events = withEvents(1);
  events.onLost(110, 70);
  mistake(events, 100);
  assert.equal(events.takeSpurious(), -1, 'one loss is left');
  events.onSpurious(70);
  assert.equal(events.takeSpurious(), 0);
  assert.equal(events.takeSpurious(), -1, 'once');
  assert.equal(events.onLost(120, 90), true);
});

test('one real loss among many mistakes is a reason', () => {
  const events = new CongestionEvents();
  for (let i = 0; i < 51; i++) events.onLost(100, 30 + i);
  for (let i = 0; i < 50; i++) events.onSpurious(30 + i);
  assert.equal(events.takeSpurious(), -1);
});

test('each of several events is undone by itself, and says how many came later', () => {
  const events = withEvents(4);
  mistake(events, 200);
  assert.equal(events.takeSpurious(), 2);
  mistake(events, 400);
  assert.equal(events.takeSpurious(), 0);
  mistake(events, 100);
  mistake(events, 300);
  assert.deepEqual([events.takeSpurious(), events.takeSpurious(), events.takeSpurious()], [1, 0, -1]);
  assert.equal(events.onLost(500, 1), true, 'nothing has been');
});

test('a loss that is noticed late counts for the event that it belongs to', () => {
  const events = withEvents(2);
  assert.equal(events.onLost(210, 90), false);
  mistake(events, 100);
  assert.equal(events.takeSpurious(), -1);
  mistake(events, 200);
  assert.equal(events.takeSpurious(), 0);
  events.onSpurious(90);
  assert.equal(events.takeSpurious(), 0);
});

test('what is too old to be remembered changes nothing', () => {
  const events = withEvents(REMEMBERED_EVENTS + 2);
  for (const startedAt of [100, 200]) mistake(events, startedAt);
  assert.equal(events.takeSpurious(), -1);
  assert.equal(events.onLost(10_000, 60), false);
  mistake(events, 300);
  assert.equal(events.takeSpurious(), REMEMBERED_EVENTS - 1);
});

test('an event stands when CE marks belong to it, or when congestion is persistent', () => {
  const marked = withEvents(1);
  assert.equal(marked.onCe(105, 60), false);
  mistake(marked, 100);
  assert.equal(marked.takeSpurious(), -1);
  const only = new CongestionEvents();
  assert.equal(only.onCe(100, 50), true);
  assert.equal(only.takeSpurious(), -1);
  const persistent = withEvents(2);
  persistent.onPersistent();
  mistake(persistent, 100);
  mistake(persistent, 200);
  assert.equal(persistent.takeSpurious(), -1);
});

test('a stretch of losses is persistent congestion when it exceeds the duration, and then over (RFC 9002 §7.6.1)', () => {
  const stretch = new LossStretch();
  assert.deepEqual(
    [0, 100, 100.5, 150, 250].map((sentAt) => stretch.onLost(sentAt, 100)),
    [false, false, true, false, false],
  );
});
