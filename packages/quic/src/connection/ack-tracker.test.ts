import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Reader } from '../base/cursor.ts';
import { NEVER } from '../base/time.ts';
import { AckTracker } from './ack-tracker.ts';

/** Reads the ACK frame that the tracker writes: [low, high] ranges, highest first, and the rest of it. */
function written(tracker: AckTracker, now = 0, exponent = 3) {
  const bytes = new Uint8Array(2000);
  const end = tracker.write(bytes, 10, bytes.length, now, exponent);
  const reader = new Reader(bytes, 0, 'ACK', 10, end);
  const type = reader.varint();
  let largest = reader.varint();
  const delay = reader.varint();
  let more = reader.varint();
  const ranges: [number, number][] = [];
  let length = reader.varint();
  ranges.push([largest - length, largest]);
  while (more-- > 0) {
    largest = largest - length - reader.varint() - 2;
    length = reader.varint();
    ranges.push([largest - length, largest]);
  }
  const ecn = type === 3 ? [reader.varint(), reader.varint(), reader.varint()] : undefined;
  assert.equal(reader.remaining, 0);
  return { ranges, delay, ecn };
}

test('every second ack-eliciting packet is answered at once, a single one within max_ack_delay', () => {
  const tracker = new AckTracker({ maxAckDelay: 25 });
  assert.equal(tracker.timeout(), NEVER);
  tracker.onPacketReceived(100, 0, true, 0);
  assert.equal(tracker.isDue(100), false);
  assert.equal(tracker.hasPending, true);
  assert.equal(tracker.timeout(), 125);
  assert.equal(tracker.isDue(124.9), false);
  assert.equal(tracker.isDue(125), true);
  tracker.onPacketReceived(101, 1, true, 0);
  assert.equal(tracker.isDue(101), true);
  assert.equal(tracker.timeout(), 101);
  assert.deepEqual(written(tracker, 101).ranges, [[0, 1]]);
  assert.deepEqual([tracker.hasPending, tracker.isDue(1e9), tracker.timeout(), tracker.sent], [false, false, NEVER, 1]);
});

test('packets that elicit no ACK are reported but never cause one', () => {
  const tracker = new AckTracker({ maxAckDelay: 25 });
  for (let pn = 0; pn < 10; pn += 2) tracker.onPacketReceived(0, pn, false, 3);
  assert.equal(tracker.hasPending, false);
  assert.equal(tracker.timeout(), NEVER);
  assert.equal(written(tracker).ranges.length, 5);
});

test('the deadline is that of the first packet that waits', () => {
  const tracker = new AckTracker({ maxAckDelay: 25, threshold: 10 });
  for (let pn = 0; pn < 9; pn++) tracker.onPacketReceived(pn, pn, true, 0);
  assert.equal(tracker.timeout(), 25);
});

test('gaps, their filling and CE marks are reported at once', () => {
  const gap = new AckTracker({ maxAckDelay: 25, threshold: 100 });
  gap.onPacketReceived(0, 0, true, 0);
  assert.equal(gap.isDue(0), false);
  gap.onPacketReceived(0, 2, true, 0);
  assert.equal(gap.isDue(0), true);
  written(gap);
  gap.onPacketReceived(1, 3, true, 0);
  assert.equal(gap.isDue(1), false);
  gap.onPacketReceived(1, 1, true, 0);
  assert.equal(gap.isDue(1), true);
  const ce = new AckTracker({ maxAckDelay: 25, threshold: 100 });
  ce.onPacketReceived(0, 0, true, 3);
  assert.equal(ce.isDue(0), true);
});

test('without a permitted delay everything is reported at once', () => {
  const tracker = new AckTracker({ maxAckDelay: 0 });
  tracker.onPacketReceived(7, 0, true, 0);
  assert.equal(tracker.isDue(7), true);
  assert.equal(tracker.timeout(), 7);
});

test('the delay is that of the largest packet, in units of 2^exponent microseconds', () => {
  const tracker = new AckTracker({ maxAckDelay: 25 });
  tracker.onPacketReceived(10, 5, true, 0);
  tracker.onPacketReceived(14, 4, true, 0);
  assert.equal(tracker.largestReceivedAt, 10);
  assert.equal(written(tracker, 18, 3).delay, 1000);
});

test('ECN counts are reported once there are any, duplicates not counted', () => {
  const tracker = new AckTracker({ maxAckDelay: 25 });
  tracker.onPacketReceived(0, 0, true, 0);
  assert.equal(written(tracker).ecn, undefined);
  tracker.onPacketReceived(0, 1, true, 2);
  tracker.onPacketReceived(0, 1, true, 2);
  tracker.onPacketReceived(0, 2, true, 1);
  tracker.onPacketReceived(0, 3, true, 3);
  assert.deepEqual(written(tracker).ecn, [1, 1, 1]);
});

test('what does not fit keeps waiting', () => {
  const tracker = new AckTracker({ maxAckDelay: 25 });
  assert.equal(tracker.write(new Uint8Array(100), 3, 100, 0, 3), 3, 'nothing received');
  tracker.onPacketReceived(0, 0, true, 0);
  assert.equal(tracker.write(new Uint8Array(100), 3, 6, 0, 3), 3);
  assert.deepEqual([tracker.hasPending, tracker.timeout(), tracker.sent], [true, 25, -1]);
});

test('the number of ranges is bounded; what is forgotten counts as a duplicate', () => {
  const tracker = new AckTracker({ maxAckDelay: 25, maxRanges: 4, maxRemembered: 6 });
  for (let pn = 0; pn < 20; pn += 2) tracker.onPacketReceived(0, pn, true, 0);
  assert.deepEqual(written(tracker).ranges, [
    [18, 18],
    [16, 16],
    [14, 14],
    [12, 12],
  ]);
  assert.equal(tracker.isDuplicate(5), true, 'too old to tell');
  assert.equal(tracker.isDuplicate(9), false, 'not reported, but known');
  assert.equal(tracker.isDuplicate(13), false);
  assert.equal(tracker.isDuplicate(14), true);
  assert.equal(tracker.isDuplicate(19), false);
});

test('ranges whose ACK was acknowledged are not repeated, except the topmost', () => {
  const tracker = new AckTracker({ maxAckDelay: 25 });
  for (const pn of [0, 1, 5, 6, 9]) tracker.onPacketReceived(0, pn, true, 0);
  written(tracker);
  tracker.onAckAcked(6);
  assert.deepEqual(written(tracker).ranges, [[9, 9]]);
  tracker.onAckAcked(9);
  assert.deepEqual(written(tracker).ranges, [[9, 9]]);
  assert.deepEqual(
    [3, 6, 7].map((pn) => tracker.isDuplicate(pn)),
    [false, true, false],
  );
});

test('what was held up on the way is no duplicate, and reported until an ACK is acknowledged that can have named it', () => {
  const tracker = new AckTracker({ maxAckDelay: 25, threshold: 100 });
  for (const pn of [0, 1, 4, 5, 8]) tracker.onPacketReceived(0, pn, true, 0);
  written(tracker);
  tracker.onAckAcked(8);
  assert.deepEqual(written(tracker).ranges, [[8, 8]]);
  assert.equal(tracker.isDuplicate(2), false);
  tracker.onPacketReceived(50, 2, true, 0);
  assert.equal(tracker.isDuplicate(2), true);
  assert.equal(tracker.isDue(50), true, 'the end of a gap is news');
  const late = [
    [8, 8],
    [4, 5],
    [0, 2],
  ];
  assert.deepEqual(written(tracker).ranges, late);
  tracker.onAckAcked(8);
  assert.deepEqual(written(tracker).ranges, late, 'an ACK from before');
  tracker.onPacketReceived(60, 10, true, 0);
  tracker.onAckAcked(10);
  assert.deepEqual(written(tracker).ranges, [[10, 10]]);
});

test('property: an ACK names exactly the packets received above the floor, and nothing is processed twice', () => {
  const step = fc.record({ pn: fc.nat(120), acked: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), fc.integer({ min: 1, max: 12 }), (steps, maxRanges) => {
      const tracker = new AckTracker({ maxAckDelay: 25, maxRanges });
      const processed = new Set<number>();
      let now = 0;
      for (const { pn, acked } of steps) {
        now++;
        if (tracker.isDuplicate(pn)) continue;
        assert.ok(!processed.has(pn), `packet ${pn} twice`);
        processed.add(pn);
        tracker.onPacketReceived(now, pn, true, 0);
        assert.ok(tracker.timeout() <= now + 25);
        const { ranges } = written(tracker, now);
        const named = new Set<number>();
        for (const [low, high] of ranges) for (let n = low; n <= high; n++) named.add(n);
        for (const n of named) assert.ok(processed.has(n));
        const lowest = Math.min(...named);
        for (const n of processed) assert.ok(n < lowest || named.has(n));
        assert.equal(Math.max(...named), Math.max(...processed));
        assert.ok(ranges.length <= maxRanges);
        if (acked) tracker.onAckAcked(tracker.sent);
      }
    }),
    { seed: 7, numRuns: 100 },
  );
});
