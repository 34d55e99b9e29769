import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Space } from '../wire/frame-type.ts';
import { SentKind } from '../wire/sent-frames.ts';
import { ackOf, makeConfirmed, RecordingSink, send } from './fixtures.test.ts';
import type { Recovery } from './recovery.ts';
import { Reordering } from './reordering.ts';
import { RttEstimator } from './rtt.ts';

const { APPLICATION } = Space;

/** What is known of a path that takes `rtt` ms. */
function reorderingOf(rtt: number): Reordering {
  const estimator = new RttEstimator();
  estimator.update(rtt, 0, true, 25);
  return new Reordering(estimator);
}

test('as RFC 9002 has it, until a mistake is made', () => {
  const reordering = reorderingOf(40);
  assert.deepEqual([reordering.packetThreshold, reordering.timeThreshold], [3, 45]);
  assert.equal(reorderingOf(0.2).timeThreshold, 1, 'no less than the granularity');
});

test('after a mistake only time counts, and the next may be as overdue, in quarters of a round trip', () => {
  const reordering = reorderingOf(40);
  reordering.onMistake(44);
  assert.deepEqual([reordering.packetThreshold, reordering.timeThreshold], [Number.POSITIVE_INFINITY, 40 + 10]);
  reordering.onMistake(61);
  assert.equal(reordering.timeThreshold, 40 + 30);
  reordering.onMistake(48);
  assert.equal(reordering.timeThreshold, 70, 'the worst counts');
});

test('no more than another round trip is waited, or 25 ms', () => {
  const long = reorderingOf(40);
  long.onMistake(1000);
  assert.equal(long.timeThreshold, 80);
  const short = reorderingOf(2);
  short.onMistake(14);
  assert.equal(short.timeThreshold, 14);
  short.onMistake(100);
  assert.equal(short.timeThreshold, 27);
});

test('a mistake before anything has been measured does no harm', () => {
  const reordering = new Reordering(new RttEstimator());
  reordering.onMistake(2000);
  assert.equal(reordering.timeThreshold, 666);
});

test('after sixteen congestion events without a mistake the path counts as one that keeps the order', () => {
  const reordering = reorderingOf(40);
  reordering.onMistake(60);
  for (let i = 0; i < 15; i++) reordering.onCongestionEvent();
  reordering.onMistake(50);
  for (let i = 0; i < 15; i++) reordering.onCongestionEvent();
  assert.deepEqual([reordering.packetThreshold, reordering.timeThreshold], [Number.POSITIVE_INFINITY, 60]);
  reordering.onCongestionEvent();
  assert.deepEqual([reordering.packetThreshold, reordering.timeThreshold], [3, 45]);
});

/** Round trips of 40 ms have been measured; the next packet is number 1, sent at 100 or later. */
function measured(): Recovery {
  const recovery = makeConfirmed();
  send(recovery, 0);
  recovery.onAck(APPLICATION, 40, ackOf([0, 0]), 0, new RecordingSink());
  return recovery;
}

test('Recovery waits as long for the next packet as the last late one needed, however many pass it', () => {
  const recovery = measured();
  const sink = new RecordingSink();
  for (let i = 0; i < 5; i++) send(recovery, 100);
  recovery.onAck(APPLICATION, 140, ackOf([2, 5]), 0, sink);
  assert.deepEqual(sink.takeLost(), ['2:1']);
  recovery.onAck(APPLICATION, 165, ackOf([1, 5]), 0, sink);
  assert.equal(recovery.counters.spuriousLosses, 1);
  for (let i = 0; i < 30; i++) send(recovery, 200);
  recovery.onAck(APPLICATION, 240, ackOf([7, 35]), 0, sink);
  assert.deepEqual([sink.takeLost(), recovery.timeout()], [[], 200 + 40 + 30]);
  recovery.onTimeout(270, sink);
  assert.deepEqual(sink.takeLost(), ['2:6']);
});

test('a packet that was held up 100 ms on a path of 2 ms is recognised, whatever else has passed', () => {
  const recovery = makeConfirmed();
  const sink = new RecordingSink();
  send(recovery, 0);
  for (let now = 1; now < 110; now++) {
    const first = send(recovery, now);
    for (let i = 0; i < 4; i++) send(recovery, now);
    recovery.onAppLimited();
    recovery.onAck(APPLICATION, now + 2, ackOf([first, first + 4]), 0, sink);
  }
  assert.equal(recovery.counters.packetsLost, 1);
  assert.equal(recovery.onAck(APPLICATION, 112, ackOf([0, 100]), 0, sink), true);
  assert.equal(recovery.counters.spuriousLosses, 1);
  assert.equal(recovery.congestion.slowStartThreshold, Number.POSITIVE_INFINITY, 'taken back');
});

test('what was late of an MTU probe or of another path takes nothing back', () => {
  const recovery = measured();
  const sink = new RecordingSink();
  recovery.spaces[APPLICATION]!.add(SentKind.MTU_PROBE, 0, 1450, 0);
  recovery.onPacketSent(APPLICATION, 100, 1450, true, true);
  for (let i = 0; i < 5; i++) send(recovery, 100);
  recovery.onAck(APPLICATION, 140, ackOf([6, 6]), 0, sink);
  assert.equal(recovery.counters.packetsLost, 3);
  const { window } = recovery.congestion;
  recovery.onAck(APPLICATION, 141, ackOf([6, 6], [1, 1]), 0, sink);
  recovery.onAck(APPLICATION, 142, ackOf([6, 6], [2, 2]), 0, sink);
  assert.deepEqual([recovery.counters.spuriousLosses, recovery.congestion.window], [2, window], 'one loss stands');

  recovery.resetPath(150, 1200);
  for (let i = 0; i < 5; i++) send(recovery, 160);
  recovery.onAck(APPLICATION, 200, ackOf([11, 11]), 0, sink);
  assert.equal(recovery.counters.congestionEvents, 2);
  const reduced = recovery.congestion.window;
  recovery.onAck(APPLICATION, 201, ackOf([11, 11], [3, 3]), 0, sink);
  assert.deepEqual([recovery.counters.spuriousLosses, recovery.congestion.window], [3, reduced]);
  assert.equal(recovery.reordering.packetThreshold, 3, 'of the new path nothing is known yet');
});
