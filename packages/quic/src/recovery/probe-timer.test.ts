import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Space } from '../wire/frame-type.ts';
import { ackOf, makeConfirmed, makeRecovery, RecordingSink, send } from './fixtures.test.ts';
import type { Recovery } from './recovery.ts';

// How far probe timeouts are backed off, RFC 9002 §6.2.1, and what that must not change.

const { INITIAL, APPLICATION } = Space;

/** The times between `count` probe timeouts, when nothing is answered. */
function intervals(recovery: Recovery, count: number): number[] {
  const sink = new RecordingSink();
  let at = 0;
  return Array.from({ length: count }, () => {
    const since = at;
    at = recovery.timeout();
    recovery.onTimeout(at, sink);
    return Math.round(at - since);
  });
}

test('probe timeouts double up to two seconds, in every space, but are never shorter than the plain one', () => {
  const initial = makeRecovery();
  send(initial, 0, INITIAL);
  assert.deepEqual(intervals(initial, 5), [999, 1998, 2000, 2000, 2000]);
  const application = makeConfirmed({ initialRtt: 100 });
  send(application, 0);
  assert.deepEqual(intervals(application, 6), [325, 650, 1300, 2000, 2000, 2000]);
  const unblocking = makeRecovery();
  send(unblocking, 0, INITIAL);
  unblocking.onAck(INITIAL, 0, ackOf([0, 0]), 0, new RecordingSink());
  assert.deepEqual(intervals(unblocking, 13).slice(10), [1024, 2000, 2000]);
  const slow = makeConfirmed({ initialRtt: 1000 });
  send(slow, 0);
  assert.deepEqual(intervals(slow, 3), [3025, 3025, 3025]);
});

test('an idle timeout leaves room for eight probe timeouts, if they are not longer anyway', () => {
  const within = (timeout: number) => {
    const recovery = makeConfirmed({ initialRtt: 100 });
    recovery.probeTimer.setIdleTimeout(timeout);
    send(recovery, 0);
    return intervals(recovery, 6);
  };
  assert.deepEqual(within(8000), [325, 650, 1000, 1000, 1000, 1000]);
  assert.deepEqual(within(1000), [325, 325, 325, 325, 325, 325]);
  assert.deepEqual(within(60_000), within(0));
});

test('persistent congestion does not depend on how far apart the probes are', () => {
  const recovery = makeConfirmed();
  const sink = new RecordingSink();
  recovery.probeTimer.setIdleTimeout(8000);
  send(recovery, 0);
  recovery.onAck(APPLICATION, 100, ackOf([0, 0]), 0, sink);
  const sentAt = [200];
  send(recovery, 200);
  while (sentAt.at(-1)! < 5000) {
    const at = recovery.timeout();
    recovery.onTimeout(at, sink);
    sentAt.push(at);
    send(recovery, at);
  }
  // The bound of 1 s is more than three plain timeouts of 325 ms; what counts are the packets, not the timeouts.
  const last = sentAt.length;
  recovery.onAck(APPLICATION, sentAt.at(-1)! + 100, ackOf([last, last]), 0, sink);
  assert.equal(recovery.counters.packetsLost, last - 1);
  assert.equal(recovery.counters.persistentCongestionEvents, 1);
  assert.ok(recovery.congestion.window <= 2400 + 1200);
  assert.equal(recovery.probeTimer.count, 0, 'and the next timeout is a plain one');
});
