import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Ecn } from '../base/batch.ts';
import { SeededRandom } from '../base/random.ts';
import { Link, type LinkSettings } from './link.ts';

function linkOf(settings: Partial<LinkSettings>, seed = 7): Link {
  return new Link(settings, new SeededRandom(seed));
}

/** Sends `count` datagrams of 972 bytes (1,000 with headers), one a millisecond. */
function sendMany(link: Link, count: number): number[] {
  const arrivals: number[] = [];
  for (let i = 0; i < count; i++) for (const { at } of link.send(i, new Uint8Array(972), 0)) arrivals.push(at);
  return arrivals;
}

test('a bottleneck spaces datagrams by their size and rate, and the delay comes on top', () => {
  const link = linkOf({ rate: 100, delay: 30 });
  const arrivals = [0, 0, 0].map(() => link.send(0, new Uint8Array(972), 0)[0]!.at);
  assert.deepEqual(arrivals, [40, 50, 60]);
});

test('a full queue drops the newest, and drains at the rate', () => {
  const link = linkOf({ rate: 100, queue: 2 });
  const fates = [0, 0, 0, 0].map(() => link.send(0, new Uint8Array(972), 0).length);
  assert.deepEqual(fates, [1, 1, 0, 0]);
  assert.equal(link.counters.overflowed, 2);
  assert.equal(link.send(10.1, new Uint8Array(972), 0).length, 1);
});

test('a queue above the mark turns ECT into CE, and leaves Not-ECT alone', () => {
  const link = linkOf({ rate: 100, markAt: 1 });
  assert.equal(link.send(0, new Uint8Array(972), Ecn.ECT0)[0]!.ecn, Ecn.ECT0);
  assert.equal(link.send(0, new Uint8Array(972), Ecn.ECT0)[0]!.ecn, Ecn.CE);
  assert.equal(link.send(0, new Uint8Array(972), Ecn.NOT_ECT)[0]!.ecn, Ecn.NOT_ECT);
});

test('losses have the probability asked for, and bursts their mean length', () => {
  const random = linkOf({ loss: 0.1 });
  sendMany(random, 20_000);
  assert.ok(Math.abs(random.counters.lost / 20_000 - 0.1) < 0.01, `${random.counters.lost} lost`);
  const burst = linkOf({ burst: { start: 0.02, length: 3 } });
  const fates = Array.from({ length: 20_000 }, (_, i) => burst.send(i, new Uint8Array(10), 0).length);
  const starts = fates.filter((fate, i) => fate === 0 && fates[i - 1] !== 0).length;
  const mean = burst.counters.lost / starts;
  assert.ok(mean > 2.7 && mean < 3.3, `bursts of ${mean}`);
});

test('jitter alone keeps the order; reordering breaks it', () => {
  const inOrder = sendMany(linkOf({ delay: 20, jitter: 15 }), 500);
  assert.deepEqual(
    inOrder,
    inOrder.toSorted((a, b) => a - b),
  );
  const link = linkOf({ delay: 20, reorder: 0.1, reorderDelay: 15 });
  const mixed = sendMany(link, 500);
  assert.notDeepEqual(
    mixed,
    mixed.toSorted((a, b) => a - b),
  );
  assert.ok(link.counters.reordered > 20);
});

test('corruption flips bits in a copy; duplicates arrive as they were sent', () => {
  const link = linkOf({ corrupt: 1, duplicate: 1 });
  const sent = new Uint8Array(100);
  const [first, second] = link.send(0, sent, 0);
  assert.notDeepEqual(first!.bytes, sent);
  assert.deepEqual(second!.bytes, new Uint8Array(100));
  assert.deepEqual(sent, new Uint8Array(100));
});

test('nothing larger than the MTU passes, and nothing at all during an outage', () => {
  const link = linkOf({ mtu: 1200, outages: [[10, 20]] });
  assert.equal(link.send(0, new Uint8Array(1201), 0).length, 0);
  assert.equal(link.send(0, new Uint8Array(1200), 0).length, 1);
  assert.equal(link.send(10, new Uint8Array(1), 0).length, 0);
  assert.equal(link.send(20, new Uint8Array(1), 0).length, 1);
});

test('counters add up, no datagram arrives before it could, and a seed gives one run', () => {
  const settings = fc.record({
    rate: fc.constantFrom(10, 100, Number.POSITIVE_INFINITY),
    delay: fc.nat(50),
    jitter: fc.nat(20),
    queue: fc.constantFrom(1, 5, Number.POSITIVE_INFINITY),
    loss: fc.constantFrom(0, 0.2),
    reorder: fc.constantFrom(0, 0.3),
    reorderDelay: fc.nat(30),
    duplicate: fc.constantFrom(0, 0.3),
  });
  fc.assert(
    fc.property(settings, fc.integer(), (path, seed) => {
      const link = linkOf(path, seed);
      const twin = linkOf(path, seed);
      for (let now = 0; now < 50; now++) {
        const arrivals = link.send(now, new Uint8Array(500), 0);
        assert.deepEqual(arrivals, twin.send(now, new Uint8Array(500), 0));
        for (const { at } of arrivals) assert.ok(at >= now + path.delay + 528 / path.rate - 1e-9);
      }
      const { sent, delivered, lost, overflowed, oversized, duplicated } = link.counters;
      assert.equal(delivered + lost + overflowed + oversized, sent + duplicated);
    }),
    { seed: 2 },
  );
});

test('a link that is held up lets everything go at the end, in order and at its rate', () => {
  const link = linkOf({ rate: 100, delay: 5 });
  link.hold(200);
  const arrivals = [10, 20, 30].map((now) => link.send(now, new Uint8Array(972), 0)[0]!.at);
  assert.deepEqual(arrivals, [215, 225, 235]);
  link.hold(100);
  assert.equal(link.send(300, new Uint8Array(972), 0)[0]!.at, 315, 'what is over holds nothing up');
});

test('a duplicate comes as often as it says', () => {
  const link = linkOf({ duplicate: 1, copies: 3 });
  assert.equal(link.send(0, new Uint8Array(9), 0).length, 4);
  assert.equal(link.counters.duplicated, 1);
  assert.equal(link.counters.delivered, 4);
});
