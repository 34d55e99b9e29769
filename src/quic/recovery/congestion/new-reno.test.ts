import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RttEstimator } from '../rtt.ts';
import { initialWindow, minimumWindow } from './initial-window.ts';
import { NewReno } from './new-reno.ts';

const rtt = new RttEstimator();
rtt.update(100, 0, true, 0);

function ack(reno: NewReno, now: number, bytes: number, sentAt: number, appLimited = false): void {
  reno.onAcked(now, bytes, sentAt, 0, rtt, 0, appLimited);
}

test('initial and minimum windows', () => {
  assert.equal(initialWindow(1200), 12_000);
  assert.equal(initialWindow(1452), 14_520);
  assert.equal(initialWindow(1500), 14_720);
  assert.equal(initialWindow(9000), 18_000);
  assert.equal(minimumWindow(1200), 2400);
});

test('slow start grows by what is acknowledged, congestion avoidance by a datagram a window', () => {
  const reno = new NewReno(1200);
  assert.equal(reno.phase, 'slow_start');
  ack(reno, 100, 12_000, 0);
  assert.equal(reno.window, 24_000);
  reno.onCongestionEvent(200, 150);
  assert.deepEqual([reno.window, reno.slowStartThreshold, reno.phase], [12_000, 12_000, 'recovery']);
  ack(reno, 250, 1200, 199);
  assert.deepEqual([reno.window, reno.phase], [12_000, 'recovery'], 'sent before recovery began');
  for (let i = 0; i < 10; i++) ack(reno, 310, 1200, 201);
  assert.equal(reno.phase, 'congestion_avoidance');
  assert.ok(reno.window > 12_000 + 1140 && reno.window < 13_200);
});

test('one reduction a round trip, and never below the minimum', () => {
  const reno = new NewReno(1200);
  reno.onCongestionEvent(100, 50);
  reno.onCongestionEvent(110, 90);
  reno.onCongestionEvent(111, 100);
  assert.equal(reno.window, 6000);
  for (let i = 0; i < 10; i++) reno.onCongestionEvent(200 + i, 199 + i);
  assert.equal(reno.window, 2400);
});

test('persistent congestion leaves the minimum, and slow start to the threshold', () => {
  const reno = new NewReno(1200);
  ack(reno, 100, 36_000, 0);
  reno.onCongestionEvent(200, 150);
  reno.onPersistentCongestion();
  assert.deepEqual([reno.window, reno.slowStartThreshold, reno.phase], [2400, 24_000, 'slow_start']);
  ack(reno, 300, 2400, 150);
  assert.equal(reno.window, 4800);
});

test('the application being the limit, nothing grows', () => {
  const reno = new NewReno(1200);
  ack(reno, 100, 12_000, 0, true);
  assert.equal(reno.window, 12_000);
  reno.onCongestionEvent(200, 150);
  ack(reno, 300, 6000, 250, true);
  assert.equal(reno.window, 6000);
});

test('a spurious event is taken back', () => {
  const reno = new NewReno(1200);
  reno.onCongestionEvent(100, 50);
  reno.onSpuriousCongestionEvent(0, 0);
  assert.deepEqual(
    [reno.window, reno.slowStartThreshold, reno.phase],
    [12_000, Number.POSITIVE_INFINITY, 'slow_start'],
  );
  reno.onCongestionEvent(101, 60);
  assert.equal(reno.window, 6000, 'the next loss counts again');
});

test('a larger datagram size raises the floor', () => {
  const reno = new NewReno(1200);
  for (let i = 0; i < 10; i++) reno.onCongestionEvent(200 + i, 199 + i);
  reno.onMaxDatagramSize(9000);
  assert.equal(reno.window, 18_000);
});

test('slow start after persistent congestion does not grow what the application does not use either', () => {
  const reno = new NewReno(1200);
  ack(reno, 100, 36_000, 0);
  reno.onCongestionEvent(200, 150);
  reno.onPersistentCongestion();
  ack(reno, 300, 2400, 250, true);
  assert.equal(reno.window, 2400);
});

test('a spurious event is not taken back when the window has outgrown it', () => {
  const reno = new NewReno(1200);
  reno.onCongestionEvent(200, 150);
  for (let now = 300; reno.window <= 12_000; now += 10) ack(reno, now, 1200, now - 50);
  const { window } = reno;
  reno.onSpuriousCongestionEvent(0, 0);
  assert.deepEqual([reno.window, reno.slowStartThreshold], [window, 6000]);
});

test('an event that a later one followed is taken back by itself; then that one; persistent congestion stands', () => {
  const reno = new NewReno(1200);
  reno.onCongestionEvent(100, 50);
  reno.onCongestionEvent(200, 150);
  reno.onSpuriousCongestionEvent(210, 1);
  assert.deepEqual([reno.window, reno.slowStartThreshold, reno.phase], [6000, 6000, 'recovery']);
  reno.onSpuriousCongestionEvent(220, 0);
  assert.deepEqual(
    [reno.window, reno.slowStartThreshold, reno.phase],
    [12_000, Number.POSITIVE_INFINITY, 'slow_start'],
  );
  reno.onCongestionEvent(300, 250);
  reno.onPersistentCongestion();
  reno.onSpuriousCongestionEvent(310, 0);
  assert.equal(reno.window, 2400);
});
