import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../base/random.ts';
import { NEVER } from '../base/time.ts';
import { Space } from '../wire/frame-type.ts';
import { SentKind } from '../wire/sent-frames.ts';
import { RecordingSink } from './fixtures.test.ts';
import { PacketFlag, SentPackets } from './sent-packets.ts';

test('records go with the packet they were added for', () => {
  const sent = new SentPackets(Space.APPLICATION);
  const sink = new RecordingSink();
  sent.add(SentKind.STREAM, 4, 10, 3);
  sent.add(SentKind.MAX_DATA, 0, 11, 0);
  assert.equal(sent.commit(1, 100, true, true), 0);
  sent.add(SentKind.STREAM, 4, 99, 3);
  sent.abandon();
  sent.add(SentKind.STREAM, 4, 20, 3);
  assert.equal(sent.commit(2, 100, true, true), 1);
  sent.reportAcked(1, sink);
  assert.deepEqual(sink.takeAcked(), ['2:20']);
  sent.reportLost(0, sink);
  assert.deepEqual(sink.takeLost(), ['2:10', '2:11']);
  sent.reportLost(0, sink);
  assert.deepEqual(sink.takeLost(), [], 'reported once');
});

test('an abandoned MTU probe does not mark the next packet', () => {
  const sent = new SentPackets(Space.APPLICATION);
  sent.add(SentKind.MTU_PROBE, 0, 1400, 0);
  sent.abandon();
  sent.commit(0, 1200, true, true);
  sent.add(SentKind.MTU_PROBE, 0, 1400, 0);
  sent.commit(0, 1400, true, true);
  assert.equal(sent.flags(0) & PacketFlag.MTU_PROBE, 0);
  assert.equal(sent.flags(1) & PacketFlag.MTU_PROBE, PacketFlag.MTU_PROBE);
});

test('skipping a number leaves the pending records for the next packet', () => {
  const sent = new SentPackets(Space.APPLICATION);
  const sink = new RecordingSink();
  sent.add(SentKind.STREAM, 4, 7, 3);
  assert.equal(sent.skip(), 0);
  assert.equal(sent.commit(0, 100, true, true), 1);
  assert.equal(sent.oldest, 1);
  sent.reportAcked(1, sink);
  assert.deepEqual(sink.acked, ['2:7']);
  assert.equal(sent.flags(0), PacketFlag.SKIPPED);
});

test('the ring grows with what is in flight and keeps everything', () => {
  const sent = new SentPackets(Space.APPLICATION);
  const sink = new RecordingSink();
  for (let i = 0; i < 1000; i++) {
    for (let r = 0; r < 3; r++) sent.add(SentKind.STREAM, 0, 3 * i + r, 0);
    sent.commit(i, i + 1, true, true);
  }
  assert.equal(sent.bytesInFlight, (1000 * 1001) / 2);
  for (let i = 0; i < 1000; i++) {
    assert.equal(sent.sentAt(i), i);
    assert.equal(sent.size(i), i + 1);
    sent.markAcked(i);
    sent.reportAcked(i, sink);
  }
  assert.deepEqual(
    sink.acked,
    Array.from({ length: 3000 }, (_, i) => `2:${i}`),
  );
  assert.equal(sent.bytesInFlight, 0);
  assert.equal(sent.ackElicitingInFlight, 0);
  assert.equal(sent.oldest, 1000);
});

test('the ring does not grow when little is in flight, however many packets pass', () => {
  const sent = new SentPackets(Space.APPLICATION);
  for (let i = 0; i < 10_000; i++) {
    sent.add(SentKind.STREAM, 0, i, 0);
    sent.commit(i, 10, true, true);
    if (i % 7 === 0) sent.markOldestLost();
    else if (sent.oldest < sent.nextPacketNumber) sent.markAcked(sent.oldest);
    sent.expire(i - 20);
  }
  assert.ok(sent.capacity <= 64, `capacity ${sent.capacity}`);
});

test('the ring grows, within bounds, rather than forget a loss before its time, even behind a skipped number', () => {
  const sent = new SentPackets(Space.APPLICATION);
  sent.skip();
  sent.add(SentKind.STREAM, 0, 0, 0);
  sent.commit(0, 10, true, true);
  sent.markOldestLost();
  const pass = (count: number) => {
    for (let i = 0; i < count; i++) {
      sent.add(SentKind.STREAM, 0, i, 0);
      sent.markAcked(sent.commit(1, 10, true, true));
    }
  };
  pass(4000);
  assert.deepEqual([sent.base, sent.capacity], [0, 4096]);
  const sink = new RecordingSink();
  sent.reportAcked(1, sink);
  assert.deepEqual(sink.acked, ['2:0']);
  pass(100_000);
  assert.ok(sent.base > 1);
  assert.equal(sent.capacity, 8192);
});

test('packets that only carry ACKs are forgotten, not hoarded', () => {
  const sent = new SentPackets(Space.APPLICATION);
  for (let i = 0; i < 10_000; i++) {
    sent.add(SentKind.ACK, 0, i, 0);
    sent.commit(i, 40, false, false);
  }
  assert.equal(sent.capacity, 32);
  assert.equal(sent.bytesInFlight, 0);
});

test('an ack-eliciting packet survives below many that only carry ACKs', () => {
  const sent = new SentPackets(Space.APPLICATION);
  const sink = new RecordingSink();
  sent.add(SentKind.STREAM, 0, 7, 0);
  sent.commit(0, 100, true, true);
  for (let i = 0; i < 500; i++) sent.commit(i, 40, false, false);
  assert.equal(sent.oldest, 0);
  sent.handBackOldest(2, sink);
  assert.deepEqual(sink.lost, ['2:7']);
});

test('given-up packets are remembered until they expire', () => {
  const sent = new SentPackets(Space.APPLICATION);
  for (let i = 0; i < 10; i++) sent.commit(i, 10, true, true);
  for (let i = 0; i < 4; i++) sent.markOldestLost();
  sent.expire(2);
  assert.equal(sent.base, 2);
  assert.equal(sent.find(0), 2);
  sent.expire(100);
  assert.equal(sent.base, 4, 'never beyond what is outstanding');
});

test('a skipped number is remembered until something behind it was acknowledged', () => {
  const sent = new SentPackets(Space.APPLICATION);
  sent.commit(0, 10, true, true);
  sent.skip();
  sent.markAcked(0);
  sent.largestAcked = 0;
  sent.expire(1000);
  assert.equal(sent.base, 1);
  sent.commit(1, 10, true, true);
  sent.markAcked(2);
  sent.largestAcked = 2;
  sent.expire(1000);
  assert.equal(sent.base, 3);
});

test('clear forgets everything but the numbering', () => {
  const sent = new SentPackets(Space.INITIAL);
  sent.add(SentKind.CRYPTO, 0, 0, 1);
  sent.commit(5, 1200, true, true);
  sent.lossTime = 9;
  sent.clear();
  assert.deepEqual(
    [sent.nextPacketNumber, sent.oldest, sent.bytesInFlight, sent.ackElicitingInFlight, sent.lossTime],
    [1, 1, 0, 0, NEVER],
  );
  assert.equal(sent.find(0), 1);
});

test('packet numbers beyond 32 bits are told apart', () => {
  const sent = new SentPackets(Space.APPLICATION);
  const start = 2 ** 40;
  sent.nextPacketNumber = start;
  sent.clear();
  for (let i = 0; i < 100; i++) sent.commit(i, i, true, true);
  sent.markAcked(start + 50);
  assert.equal(sent.find(start + 50), start + 51);
  assert.equal(sent.size(start + 99), 99);
});

test('find agrees with a plain scan after random acknowledgments and losses', () => {
  const random = new SeededRandom(20);
  for (let run = 0; run < 30; run++) {
    const sent = new SentPackets(Space.APPLICATION);
    const acked = new Set<number>();
    for (let op = 0; op < 400; op++) {
      const dice = random.unit();
      if (dice < 0.55) sent.commit(op, 1, true, true);
      else if (dice < 0.6 && sent.oldest < sent.nextPacketNumber) sent.markOldestLost();
      else if (sent.base < sent.nextPacketNumber) {
        const pn = random.integer(sent.base, sent.nextPacketNumber - 1);
        if (!acked.has(pn)) sent.markAcked(pn);
        acked.add(pn);
      }
      const from = random.integer(0, sent.nextPacketNumber);
      let expected = Math.max(from, sent.base);
      while (expected < sent.nextPacketNumber && acked.has(expected)) expected++;
      assert.equal(sent.find(from), expected);
    }
  }
});
