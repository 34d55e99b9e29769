import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeliveryRate } from './delivery-rate.ts';
import { SendSnapshots } from './send-snapshots.ts';

const SIZE = 1000;

/** A sender of packets of SIZE bytes, in one space. */
class Sender {
  readonly rate = new DeliveryRate();
  readonly snapshots = new SendSnapshots(64);
  readonly #sentAt: number[] = [];
  inFlight = 0;

  send(now: number): number {
    const pn = this.#sentAt.length;
    this.#sentAt.push(now);
    this.inFlight += SIZE;
    this.rate.onPacketSent(now, this.snapshots, pn, SIZE, this.inFlight);
    return pn;
  }

  /** An ACK of these packets; the sample, if there is one. */
  ack(now: number, packets: readonly number[], lost: readonly number[] = [], minRtt = 0) {
    this.rate.beginAck(this.inFlight);
    for (const pn of packets) {
      this.rate.onPacketAcked(now, this.snapshots, pn, this.#sentAt[pn]!, SIZE);
      this.inFlight -= SIZE;
    }
    for (const pn of lost) this.lose(pn);
    return this.rate.endAck(minRtt) ? { ...this.rate.sample } : undefined;
  }

  lose(pn: number) {
    this.inFlight -= SIZE;
    assert.ok(this.rate.onPacketLost(this.snapshots, pn, this.#sentAt[pn]!, SIZE));
    return { ...this.rate.lostPacket };
  }
}

test('a flight that is acknowledged as fast as it was sent gives that rate', () => {
  const sender = new Sender();
  // A packet each 2 ms, answered after 20: 500 bytes a millisecond.
  let sample: ReturnType<Sender['ack']>;
  for (let now = 0; now <= 100; now += 2) {
    if (now >= 20) sample = sender.ack(now, [(now - 20) / 2]);
    sender.send(now);
  }
  // Ten packets on the way: the 41st was sent when 31 had arrived, the last at the same time.
  assert.equal(sample!.deliveryRate, 500);
  assert.equal(sample!.priorDelivered, 31 * SIZE);
  assert.equal(sample!.delivered, 10 * SIZE);
  assert.equal(sample!.newlyAcked, SIZE);
  assert.equal(sample!.rtt, 20);
  assert.equal(sample!.sentAt, 80);
  assert.equal(sample!.priorInFlight, 10 * SIZE);
  assert.equal(sample!.txInFlight, 10 * SIZE);
  assert.deepEqual([sample!.lost, sample!.isAppLimited], [0, false]);
});

test('the first flight is measured from its first packet', () => {
  const sender = new Sender();
  for (let pn = 0; pn < 10; pn++) sender.send(100);
  const sample = sender.ack(140, [0, 1, 2, 3]);
  assert.deepEqual([sample!.delivered, sample!.deliveryRate], [4 * SIZE, (4 * SIZE) / 40]);
  // The rest comes 5 ms later: ten packets since the flight began.
  assert.equal(sender.ack(145, [4, 5, 6, 7, 8, 9])!.deliveryRate, (10 * SIZE) / 45);
});

test('ACKs that come all at once do not make the path faster than the sender', () => {
  const sender = new Sender();
  for (let now = 0; now < 20; now += 2) sender.send(now);
  assert.equal(sender.ack(20, [0])!.deliveryRate, 50);
  for (let now = 20; now < 40; now += 2) sender.send(now);
  // 19 packets in the 20 ms since the first ACK; the last of them was sent 38 ms after the first.
  const sample = sender.ack(
    40,
    Array.from({ length: 19 }, (_, i) => i + 1),
  );
  assert.equal(sample!.delivered, 19 * SIZE);
  assert.equal(sample!.deliveryRate, (19 * SIZE) / 38);
});

test('an interval shorter than the smallest round-trip time has no rate', () => {
  const sender = new Sender();
  sender.send(0);
  assert.equal(sender.ack(9, [0], [], 10)!.deliveryRate, 0);
  sender.send(9);
  assert.equal(sender.ack(19, [1], [], 10)!.deliveryRate, SIZE / 10);
  sender.send(19);
  assert.equal(sender.ack(19, [2])!.deliveryRate, 0, 'in no time');
});

test('samples are limited by the application until its gap is through', () => {
  const sender = new Sender();
  for (let pn = 0; pn < 4; pn++) sender.send(0);
  sender.rate.markAppLimited(sender.inFlight);
  for (let pn = 4; pn < 6; pn++) sender.send(5);
  // Sent before the gap.
  assert.equal(sender.ack(10, [0, 1, 2, 3])!.isAppLimited, false);
  assert.equal(sender.rate.isAppLimited, true);
  sender.send(10);
  assert.equal(sender.ack(15, [4])!.isAppLimited, true);
  assert.equal(sender.rate.isAppLimited, false);
  sender.send(15);
  assert.equal(sender.ack(20, [5, 6])!.isAppLimited, true, 'sent in the gap');
  assert.equal(sender.ack(25, [7])!.isAppLimited, false);
});

test('an idle sender with nothing in flight begins a new interval', () => {
  const sender = new Sender();
  sender.send(0);
  sender.ack(10, [0]);
  sender.send(1000);
  assert.equal(sender.ack(1010, [1])!.deliveryRate, SIZE / 10);
});

test('losses are counted from the sending of the packet on that shows them', () => {
  const sender = new Sender();
  for (let pn = 0; pn < 10; pn++) sender.send(pn);
  const first = sender.lose(0);
  assert.deepEqual(first, {
    packetNumber: 0,
    sentAt: 0,
    size: SIZE,
    txInFlight: SIZE,
    lost: SIZE,
    isAppLimited: false,
  });
  sender.send(20);
  const third = sender.lose(2);
  assert.deepEqual([third.txInFlight, third.lost], [3 * SIZE, 2 * SIZE]);
  const sample = sender.ack(25, [10], [3, 4]);
  assert.deepEqual([sample!.lost, sample!.txInFlight, sample!.priorInFlight], [3 * SIZE, 10 * SIZE, 9 * SIZE]);
  assert.equal(sender.rate.lost, 4 * SIZE);
});

test('a reordered packet gives its own sample; an ACK of several that of the newest', () => {
  const sender = new Sender();
  for (let pn = 0; pn < 6; pn++) sender.send(pn);
  assert.equal(sender.ack(20, [0, 2, 4])!.sentAt, 4);
  const late = sender.ack(21, [1, 3]);
  assert.deepEqual([late!.sentAt, late!.rtt, late!.delivered], [3, 18, 5 * SIZE]);
});

test('what was declared lost and arrives after all is delivered, and stays counted as lost', () => {
  const sender = new Sender();
  for (let pn = 0; pn < 3; pn++) sender.send(pn);
  sender.ack(20, [1, 2], [0]);
  sender.inFlight += SIZE;
  const sample = sender.ack(21, [0]);
  assert.deepEqual([sample!.newlyAcked, sample!.delivered], [SIZE, 3 * SIZE]);
  assert.equal(sender.rate.delivered, 3 * SIZE);
  assert.equal(sender.rate.lost, SIZE);
});

test('of packets sent before it was asked to measure, it knows nothing', () => {
  const rate = new DeliveryRate();
  const snapshots = new SendSnapshots(4);
  rate.beginAck(5 * SIZE);
  rate.onPacketAcked(10, snapshots, 0, 0, SIZE);
  assert.equal(rate.endAck(0), false);
  assert.equal(rate.onPacketLost(snapshots, 1, 0, SIZE), false);
  assert.deepEqual([rate.delivered, rate.lost], [0, 0]);
  // Others are in flight: the interval begins with the first packet that is measured.
  rate.onPacketSent(20, snapshots, 2, SIZE, 4 * SIZE);
  rate.beginAck(4 * SIZE);
  rate.onPacketAcked(30, snapshots, 2, 20, SIZE);
  assert.equal(rate.endAck(0), true);
  assert.equal(rate.sample.deliveryRate, SIZE / 10);
});

test('the columns keep their packets when the ring grows', () => {
  const snapshots = new SendSnapshots(4);
  for (let pn = 5; pn < 9; pn++) snapshots.set(pn, pn, 10 * pn, 100 * pn, 1000 * pn, pn, pn % 2 === 0);
  snapshots.grow(6, 9);
  snapshots.set(9, 9, 90, 900, 9000, 9, false);
  for (let pn = 6; pn <= 9; pn++) {
    assert.equal(snapshots.has(pn), true);
    assert.deepEqual(
      [snapshots.delivered(pn), snapshots.deliveredAt(pn), snapshots.firstSentAt(pn), snapshots.lost(pn)],
      [pn, 10 * pn, 100 * pn, 1000 * pn],
    );
    assert.deepEqual([snapshots.inFlight(pn), snapshots.isAppLimited(pn)], [pn, pn % 2 === 0]);
  }
});

test('a lost packet is described by what was known when it was sent', () => {
  const sender = new Sender();
  const first = sender.send(5);
  const second = sender.send(6);
  sender.rate.markAppLimited(sender.inFlight);
  const third = sender.send(7);
  const described = { size: SIZE, packetNumber: first, sentAt: 5, txInFlight: SIZE, lost: SIZE, isAppLimited: false };
  assert.deepEqual(sender.lose(first), described);
  const fourth = sender.send(8);
  assert.deepEqual(sender.lose(second), {
    ...described,
    packetNumber: second,
    sentAt: 6,
    txInFlight: 2 * SIZE,
    lost: 2 * SIZE,
  });
  const limited = { ...described, isAppLimited: true, lost: 3 * SIZE, txInFlight: 3 * SIZE };
  assert.deepEqual(sender.lose(third), { ...limited, packetNumber: third, sentAt: 7 });
  // One had been lost before this one was sent.
  assert.deepEqual(sender.lose(fourth), { ...limited, packetNumber: fourth, sentAt: 8 });
});
