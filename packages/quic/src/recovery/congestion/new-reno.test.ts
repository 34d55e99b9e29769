import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RttEstimator } from '../rtt.ts';
import { initialWindow, minimumWindow } from './initial-window.ts';
import { NewReno } from './new-reno.ts';

function rttOf(ms: number): RttEstimator {
  const estimator = new RttEstimator();
  estimator.update(ms, 0, true, 0);
  return estimator;
}

const rtt = rttOf(100);

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

test('it has no rate of its own, and avoids congestion from the threshold on, by a datagram a window', () => {
  const reno = new NewReno(1200);
  assert.deepEqual([reno.name, reno.pacingRate, reno.phase], ['reno', 0, 'slow_start']);
  reno.onCongestionEvent(200, 150);
  reno.onCongestionEvent(201, 200);
  assert.equal(reno.window, 6000, 'sent as recovery began');
  ack(reno, 250, 1200, 200, true);
  assert.equal(reno.phase, 'recovery', 'what was sent as recovery began belongs to it');
  ack(reno, 251, 1200, 201, true);
  assert.equal(reno.phase, 'congestion_avoidance');
  ack(reno, 260, 6000, 210);
  assert.equal(reno.window, 7200);
  reno.onMaxDatagramSize(1500);
  assert.equal(reno.window, 7200);
  ack(reno, 270, 7200, 220);
  assert.equal(reno.window, 8700);
});

/** A round trip of 20 ACKs of `bytes` each, of what was sent from `start` on. */
function round(reno: NewReno, start: number, rtt: number, bytes: number): void {
  for (let i = 0; i < 20; i++) {
    const now = start + rtt + i;
    reno.onAcked(now, bytes, start + (i === 0 ? 0.5 : -0.5), 0, rttOf(rtt), 0, false);
  }
}

test('HyStart++ slows the first slow start down to a quarter when the RTT rises, and ends it; later ones it leaves alone', () => {
  const reno = new NewReno(1200);
  round(reno, 0, 100, 1200);
  assert.equal(reno.window, 12_000 + 20 * 1200);
  // From the eighth sample on.
  round(reno, 200, 113, 1200);
  assert.equal(reno.window, 36_000 + 7 * 1200 + (13 * 1200) / 4);
  for (let r = 2; r <= 5; r++) round(reno, r * 200, 125, 1200);
  const { window } = reno;
  assert.equal(reno.phase, 'slow_start');
  reno.onAcked(1500, 1200, 1499, 0, rttOf(125), 0, false);
  assert.deepEqual([reno.window, reno.slowStartThreshold, reno.phase], [window, window, 'congestion_avoidance']);
  reno.onPersistentCongestion();
  for (let r = 0; r < 3; r++) {
    const before = reno.window;
    round(reno, 2000 + r * 1000, 100 * 2 ** r, before / 20);
    assert.ok(reno.window >= Math.min(2 * before - 1, window), 'not slowed down');
  }
});
