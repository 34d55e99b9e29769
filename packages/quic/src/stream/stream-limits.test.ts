import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isBidirectional,
  isServerInitiated,
  LocalStreams,
  PeerStreams,
  streamId,
  streamOrdinal,
} from './stream-limits.ts';

test('stream IDs: RFC 9000 §2.1', () => {
  assert.deepEqual([0, 1, 2, 3].map(isServerInitiated), [false, true, false, true]);
  assert.deepEqual([0, 1, 2, 3].map(isBidirectional), [true, true, false, false]);
  for (const id of [0, 1, 2, 3, 4, 7, 1001, 2 ** 40 + 2, Number.MAX_SAFE_INTEGER]) {
    assert.equal(streamId(streamOrdinal(id), isServerInitiated(id), isBidirectional(id)), id);
  }
});

test('streams of ours: the limit grows only, and being out of streams is reported once a limit', () => {
  const streams = new LocalStreams();
  assert.equal(streams.open(), -1);
  assert.equal(streams.raise(2), true);
  assert.equal(streams.raise(1), false);
  assert.equal(streams.isReportDue, false);
  assert.deepEqual([streams.open(), streams.open(), streams.open()], [0, 1, -1]);
  assert.equal(streams.isReportDue, true);
  assert.equal(streams.report(), 2);
  assert.equal(streams.isReportDue, false);
  streams.onReportLost(2);
  assert.equal(streams.isReportDue, true);
  assert.equal(streams.raise(3), true);
  assert.equal(streams.isReportDue, false, 'no longer true');
  assert.equal(streams.open(), 2);
});

test("the peer's streams: what comes back is announced in quarters, and at once when few are left", () => {
  const streams = new PeerStreams(100);
  streams.opened = 30;
  for (let i = 0; i < 24; i++) streams.onClosed();
  assert.equal(streams.isDue, false);
  streams.onClosed();
  assert.equal(streams.isDue, true);
  assert.equal(streams.announce(), 125);
  assert.equal(streams.isDue, false);
  streams.opened = 125;
  assert.equal(streams.isDue, false, 'nothing came back');
  streams.onClosed();
  assert.equal(streams.isDue, true, 'a peer with 99 open may open one more');
  assert.equal(streams.announce(), 126);
  streams.onAnnouncementLost(125);
  assert.equal(streams.isDue, false);
  streams.onAnnouncementLost(126);
  assert.equal(streams.isDue, true);
});

test('a peer that says it is out of streams gets what there is', () => {
  const streams = new PeerStreams(100);
  streams.opened = 10;
  streams.onPeerBlocked();
  assert.equal(streams.isDue, false);
  streams.onClosed();
  assert.equal(streams.isDue, true);
  assert.equal(streams.announce(), 101);
  streams.onClosed();
  assert.equal(streams.isDue, false);
});
