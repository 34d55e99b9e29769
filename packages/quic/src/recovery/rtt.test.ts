import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Space } from '../wire/frame-type.ts';
import { ProbeTimer } from './probe-timer.ts';
import { RttEstimator } from './rtt.ts';
import { SentPackets } from './sent-packets.ts';

test('before a sample the PTO is that of the initial RTT: about a second', () => {
  assert.equal(new RttEstimator().pto(0), 333 + 2 * 333);
  assert.equal(new RttEstimator(100).pto(25), 100 + 200 + 25);
});

test('the first sample replaces the guess, its delay included', () => {
  const rtt = new RttEstimator();
  rtt.update(80, 30, false, 25);
  assert.deepEqual([rtt.latest, rtt.min, rtt.smoothed, rtt.variance, rtt.hasSample], [80, 80, 80, 40, true]);
});

test('later samples are averaged less the delay of the peer', () => {
  const rtt = new RttEstimator();
  rtt.update(100, 0, true, 25);
  rtt.update(140, 20, true, 25);
  assert.equal(rtt.variance, 0.75 * 50 + 0.25 * 20);
  assert.equal(rtt.smoothed, 0.875 * 100 + 0.125 * 120);
  assert.equal(rtt.min, 100);
});

test('the delay is limited to max_ack_delay only when the handshake is confirmed', () => {
  const before = new RttEstimator();
  before.update(100, 0, false, 25);
  before.update(200, 60, false, 25);
  assert.equal(before.smoothed, 0.875 * 100 + 0.125 * 140);
  const after = new RttEstimator();
  after.update(100, 0, true, 25);
  after.update(200, 60, true, 25);
  assert.equal(after.smoothed, 0.875 * 100 + 0.125 * 175);
});

test('a delay that would put the sample below the minimum is not believed', () => {
  const rtt = new RttEstimator();
  rtt.update(100, 0, true, 25);
  rtt.update(110, 20, true, 25);
  assert.equal(rtt.smoothed, 0.875 * 100 + 0.125 * 110);
  assert.equal(rtt.min, 100);
});

test('the PTO is never below smoothed RTT + 1 ms', () => {
  const rtt = new RttEstimator();
  for (let i = 0; i < 200; i++) rtt.update(10, 0, true, 0);
  assert.ok(Math.abs(rtt.pto(0) - 11) < 1e-9);
});

test('a clock that steps back gives no negative sample', () => {
  const rtt = new RttEstimator();
  rtt.update(-5, 0, true, 0);
  assert.equal(rtt.latest, 0);
  assert.equal(rtt.pto(0), 1);
});

test('forgetMin takes the newest sample; reset starts over', () => {
  const rtt = new RttEstimator();
  rtt.update(50, 0, true, 0);
  rtt.update(90, 0, true, 0);
  rtt.forgetMin();
  assert.equal(rtt.min, 90);
  rtt.reset(200);
  assert.deepEqual([rtt.hasSample, rtt.smoothed, rtt.variance, rtt.min, rtt.latest], [false, 200, 100, 0, 0]);
});

test('the minimum follows the samples down, not up', () => {
  const rtt = new RttEstimator();
  for (const sample of [100, 60, 80]) rtt.update(sample, 0, true, 25);
  assert.equal(rtt.min, 60);
});

test('a first sample that the peer has waited in is replaced by one less than half of it, up to the first of a confirmed handshake', () => {
  for (const confirmed of [false, true]) {
    const rtt = new RttEstimator();
    rtt.update(1019, 0, false, 25);
    rtt.update(600, 0, false, 25);
    assert.ok(rtt.smoothed > 900, 'more than half: an ordinary sample');
    rtt.update(20, 0, confirmed, 25);
    assert.deepEqual([rtt.smoothed, rtt.variance, rtt.min], [20, 10, 20]);
    rtt.update(5, 0, true, 25);
    assert.equal(rtt.smoothed, confirmed ? 0.875 * 20 + 0.125 * 5 : 5);
  }
});

test('for packets of a handshake no probe timeout is longer than without a sample', () => {
  const rtt = new RttEstimator();
  rtt.update(1019, 0, false, 25);
  assert.ok(rtt.pto(0) > 3000);
  const timer = new ProbeTimer(true);
  const spaces = [0, 1, 2].map((space) => new SentPackets(space as Space));
  spaces[1]!.commit(100, 1200, true, true);
  assert.equal(timer.deadline(spaces, rtt), 100 + 999);
  spaces[2]!.commit(100, 1200, true, true);
  spaces[1]!.clear();
  timer.handshakeConfirmed = true;
  assert.equal(timer.deadline(spaces, rtt), 100 + rtt.pto(25));
});
