import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ecn } from '../base/batch.ts';
import { Space } from '../wire/frame-type.ts';
import { ackOf, makeConfirmed, RecordingSink, send } from './fixtures.test.ts';
import type { Recovery } from './recovery.ts';

// How Recovery brings its parts together: ECN validation, a new path.

const { APPLICATION } = Space;
const sink = new RecordingSink();

function sendMarked(recovery: Recovery, now: number): number {
  return recovery.onPacketSent(APPLICATION, now, 1200, true, true, Ecn.ECT0);
}

function counting(ect0: number, ...ranges: [number, number][]) {
  return { ...ackOf(...ranges), hasEcn: true, ect0 };
}

test('an ACK that was overtaken by another does not fail ECN validation (RFC 9000 §13.4.2.1)', () => {
  const recovery = makeConfirmed();
  for (let i = 0; i < 3; i++) sendMarked(recovery, 0);
  recovery.onAck(APPLICATION, 50, counting(3, [2, 2]), 0, sink);
  assert.equal(recovery.ecn.state, 'capable');
  recovery.onAck(APPLICATION, 51, counting(2, [0, 1]), 0, sink);
  assert.equal(recovery.ecn.state, 'capable');
});

test('what was sent on the old path does not decide about ECN on the new one', () => {
  const recovery = makeConfirmed();
  for (let i = 0; i < 10; i++) sendMarked(recovery, 0);
  assert.equal(recovery.ecn.state, 'unknown');
  recovery.resetPath(100, 1200);
  assert.equal(recovery.ecn.state, 'testing');
  recovery.onAck(APPLICATION, 150, ackOf([0, 9]), 0, sink);
  assert.equal(recovery.ecn.state, 'testing');
});

test('probe timeouts end the test of ECN, the loss of all test packets fails it', () => {
  const dark = makeConfirmed();
  sendMarked(dark, 0);
  for (let i = 0; i < 2; i++) dark.onTimeout(dark.timeout(), sink);
  assert.equal(dark.ecn.mark(), Ecn.NOT_ECT);

  const dropped = makeConfirmed();
  for (let i = 0; i < 10; i++) sendMarked(dropped, 0);
  for (let i = 0; i < 3; i++) send(dropped, 10);
  dropped.onAck(APPLICATION, 60, ackOf([10, 12]), 0, sink);
  assert.equal(dropped.counters.packetsLost, 10);
  assert.equal(dropped.ecn.state, 'failed');
});

/** A round trip of 100 ms has been measured. */
function measured(): Recovery {
  const recovery = makeConfirmed();
  send(recovery, 0);
  recovery.onAck(APPLICATION, 100, ackOf([0, 0]), 0, sink);
  return recovery;
}

test('an ACK that was lost for the length of an outage, and comes again, is no round trip', () => {
  const recovery = measured();
  const { pto } = recovery;
  send(recovery, 200);
  for (let i = 0; i < 3; i++) recovery.onTimeout(recovery.timeout(), sink);
  recovery.onAck(APPLICATION, 60_200, ackOf([1, 1]), 59_900, sink);
  assert.deepEqual([recovery.rtt.smoothed, recovery.pto, recovery.probeTimer.count], [100, pto, 0]);
  // Without a probe in vain, or with a delay that is no longer than a probe timeout, it is one: RFC 9002 §5.3.
  send(recovery, 70_000);
  recovery.onAck(APPLICATION, 71_000, ackOf([2, 2]), 900, sink);
  assert.equal(recovery.rtt.latest, 1000);
  send(recovery, 80_000);
  recovery.onTimeout(recovery.timeout(), sink);
  recovery.onAck(APPLICATION, 90_000, ackOf([3, 3]), 100, sink);
  assert.equal(recovery.rtt.latest, 10_000);
});

test('controller and pacer hear of another datagram size, now and on a new path', () => {
  const recovery = measured();
  const sizes: number[] = [];
  recovery.congestion.onMaxDatagramSize = (bytes) => sizes.push(bytes);
  recovery.onMaxDatagramSize(200, 9000);
  assert.deepEqual(sizes, [9000]);
  const burst = () => {
    let bytes = 0;
    for (; recovery.pacer.allowance(1000) > 0; bytes += 9000) recovery.pacer.onPacketSent(1000, 9000);
    return bytes;
  };
  recovery.pacer.setRate(1000, 1, 1e9);
  // An initial window of two of them is a burst, and one more needs a whole one's worth.
  assert.equal(burst(), 18_000);
  assert.equal(recovery.pacer.nextSendTime(1000), 1000 + 9000);
  recovery.resetPath(2000, 1452);
  recovery.pacer.setRate(2000, 1, 1e9);
  assert.equal(recovery.pacer.allowance(2000) > 0, false);
  assert.equal(recovery.congestion.window, 14_520);
});

test('persistent congestion on a new path needs a sample of that path first (RFC 9002 §7.6.2)', () => {
  const recovery = measured();
  recovery.resetPath(1000, 1200);
  for (const at of [1000, 20_000, 20_010, 20_010, 20_010]) send(recovery, at);
  recovery.onAck(APPLICATION, 20_060, ackOf([5, 5]), 0, sink);
  assert.equal(recovery.counters.packetsLost, 2);
  assert.equal(recovery.counters.persistentCongestionEvents, 0);
});

test('a new path starts without backoff', () => {
  const recovery = measured();
  send(recovery, 200);
  for (let i = 0; i < 2; i++) recovery.onTimeout(recovery.timeout(), sink);
  assert.equal(recovery.probeTimer.count, 2);
  recovery.resetPath(5000, 1200);
  assert.equal(recovery.probeTimer.count, 0);
});

test('in slow start half a window in flight is a window in use, in congestion avoidance nearly all of it (RFC 9002 §7.8)', () => {
  const grown = (recovery: Recovery, now: number, packets: number): boolean => {
    const { window } = recovery.congestion;
    const numbers = Array.from({ length: packets }, () => send(recovery, now));
    recovery.onAppLimited();
    recovery.onAck(APPLICATION, now + 50, ackOf([numbers[0]!, numbers.at(-1)!]), 0, sink);
    return recovery.congestion.window > window;
  };
  // The initial window is ten packets.
  assert.deepEqual([grown(makeConfirmed(), 0, 6), grown(makeConfirmed(), 0, 4)], [true, false]);
  const avoiding = () => {
    const recovery = makeConfirmed();
    for (let i = 0; i < 10; i++) send(recovery, 0);
    recovery.onAck(APPLICATION, 50, ackOf([0, 9]), 0, sink);
    for (let i = 0; i < 4; i++) send(recovery, 60);
    recovery.onAck(APPLICATION, 110, ackOf([11, 13]), 0, sink);
    assert.equal(recovery.congestion.window, 12_000);
    return recovery;
  };
  assert.deepEqual([grown(avoiding(), 120, 8), grown(avoiding(), 120, 6)], [true, false]);
});
