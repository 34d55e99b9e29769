import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deque } from '../base/deque.ts';
import { SeededRandom } from '../base/random.ts';
import { NEVER } from '../base/time.ts';
import { Space } from '../wire/frame-type.ts';
import { type SentFramesSink, SentKind } from '../wire/sent-frames.ts';
import { bbr } from './congestion/bbr/bbr.ts';
import type { CongestionControllerFactory } from './congestion/controller.ts';
import { cubic } from './congestion/cubic.ts';
import { newReno } from './congestion/new-reno.ts';
import { ackOfNumbers } from './fixtures.test.ts';
import { Recovery } from './recovery.ts';

// Senders that share a bottleneck: a queue that drains at a rate and drops at its tail, random loss, a delay each way.
// Virtual time in steps of events; the receiver answers every second packet with what it has seen lately.

const DATAGRAM = 1200;

interface LinkOptions {
  /** Bytes a millisecond. */
  readonly rate: number;
  /** One way, in milliseconds. */
  readonly delay: number;
  /** Bytes that the queue holds. */
  readonly queue: number;
  /** Probability that a packet is lost for no reason. */
  readonly loss: number;
  /** Probability that a packet takes `reorderBy` milliseconds longer. */
  readonly reordering?: number;
  readonly reorderBy?: number;
  /** How coarse timers are. */
  readonly tick?: number;
}

class Sender implements SentFramesSink {
  readonly recovery: Recovery;
  /** Received packet numbers, the latest 200. */
  readonly received = new Deque<number>();
  readonly arrivals: { at: number; pn: number }[] = [];
  readonly acks: { at: number; numbers: number[] }[] = [];
  unanswered = 0;
  delivered = 0;
  maxRtt = 0;

  constructor(congestion: CongestionControllerFactory) {
    this.recovery = new Recovery({ isServer: false, congestion, maxDatagramSize: DATAGRAM });
    this.recovery.handshakeConfirmed = true;
    this.recovery.peerCompletedAddressValidation = true;
    this.recovery.maxAckDelay = 25;
  }

  onFrameAcked(): void {
    this.delivered++;
  }

  onFrameLost(): void {}
}

class Bottleneck {
  now = 0;
  readonly senders: Sender[];
  readonly #options: LinkOptions;
  readonly #random: SeededRandom;
  /** When the queue will have drained. */
  #busyUntil = 0;
  dropped = 0;

  constructor(options: LinkOptions, seed: number, ...controllers: CongestionControllerFactory[]) {
    this.#options = options;
    this.#random = new SeededRandom(seed);
    this.senders = controllers.map((c) => new Sender(c));
  }

  /** Lets time pass until `end`; `from(i)` is when sender i starts. */
  run(end: number, from: (i: number) => number = () => 0): void {
    const tick = this.#options.tick ?? 1;
    while (this.now < end) {
      let next = end;
      for (const [i, sender] of this.senders.entries()) {
        if (this.now < from(i)) next = Math.min(next, from(i));
        else next = Math.min(next, this.#step(sender, tick));
      }
      assert.ok(next > this.now, 'time stands still');
      this.now = next;
    }
  }

  /** Does what is due for one sender; returns when something is due next. */
  #step(sender: Sender, tick: number): number {
    const { recovery } = sender;
    while (sender.arrivals.length > 0 && sender.arrivals[0]!.at <= this.now) this.#receive(sender);
    while (sender.acks.length > 0 && sender.acks[0]!.at <= this.now) {
      recovery.onAck(Space.APPLICATION, this.now, ackOfNumbers(sender.acks.shift()!.numbers), 0, sender);
      sender.maxRtt = Math.max(sender.maxRtt, recovery.rtt.latest);
    }
    if (recovery.timeout() <= this.now) recovery.onTimeout(this.now, sender);
    while (recovery.probes[Space.APPLICATION]! > 0) {
      recovery.probes[Space.APPLICATION]!--;
      this.#transmit(sender);
    }
    while (recovery.sendAllowance(this.now) >= DATAGRAM) this.#transmit(sender);
    const timer = Math.min(recovery.timeout(), recovery.nextSendTime(this.now));
    const rounded = timer === NEVER ? NEVER : Math.max(this.now + 0.001, Math.ceil(timer / tick) * tick);
    return Math.min(rounded, sender.arrivals[0]?.at ?? NEVER, sender.acks[0]?.at ?? NEVER);
  }

  #transmit(sender: Sender): void {
    const { rate, delay, queue, loss, reordering = 0, reorderBy = 0 } = this.#options;
    sender.recovery.spaces[Space.APPLICATION]!.add(SentKind.STREAM, 0, 0, 0);
    const pn = sender.recovery.onPacketSent(Space.APPLICATION, this.now, DATAGRAM, true, true);
    const waiting = Math.max(0, this.#busyUntil - this.now) * rate;
    if (waiting + DATAGRAM > queue || this.#random.unit() < loss) {
      this.dropped++;
      return;
    }
    this.#busyUntil = Math.max(this.now, this.#busyUntil) + DATAGRAM / rate;
    const late = this.#random.unit() < reordering ? reorderBy : 0;
    insert(sender.arrivals, { at: this.#busyUntil + delay + late, pn });
  }

  #receive(sender: Sender): void {
    const { pn } = sender.arrivals.shift()!;
    const { received } = sender;
    const previous = received.at(received.length - 1) ?? -1;
    received.push(pn);
    if (received.length > 200) received.shift();
    if (++sender.unanswered < 2 && pn === previous + 1) return;
    sender.unanswered = 0;
    const numbers = Array.from({ length: received.length }, (_, i) => received.at(i)!);
    insert(sender.acks, { at: this.now + this.#options.delay, numbers });
  }
}

/** Inserts into a list sorted by `at`, behind its equals. */
function insert<T extends { at: number }>(list: T[], item: T): void {
  let i = list.length;
  while (i > 0 && list[i - 1]!.at > item.at) i--;
  list.splice(i, 0, item);
}

/** How much of the bottleneck the senders used between two points in time. */
function utilization(link: Bottleneck, rate: number, duration: number, before: readonly number[]): number {
  let packets = 0;
  for (const [i, sender] of link.senders.entries()) packets += sender.delivered - before[i]!;
  return (packets * DATAGRAM) / (rate * duration);
}

for (const [name, factory] of [
  ['NewReno', newReno],
  ['CUBIC', cubic],
  ['BBR', bbr],
] as const) {
  test(`${name} fills a 20 Mbit/s path of 40 ms with a queue of a bandwidth-delay product`, () => {
    const rate = 2500;
    const link = new Bottleneck({ rate, delay: 20, queue: rate * 40, loss: 0 }, 1, factory);
    link.run(1000);
    const before = link.senders.map((s) => s.delivered);
    link.run(8000);
    const used = utilization(link, rate, 7000, before);
    assert.ok(used > 0.93 && used <= 1.01, `used ${used}`);
    const { counters } = link.senders[0]!.recovery;
    assert.equal(counters.packetsLost - counters.spuriousLosses, link.dropped);
    assert.equal(counters.ptoCount, 0);
    assert.equal(counters.persistentCongestionEvents, 0);
  });

  test(`${name} copes with a queue of ten packets, pacing`, () => {
    const rate = 1250;
    const link = new Bottleneck({ rate, delay: 10, queue: 10 * DATAGRAM, loss: 0 }, 2, factory);
    link.run(6000);
    assert.ok(utilization(link, rate, 6000, [0]) > 0.7, `used ${utilization(link, rate, 6000, [0])}`);
  });

  test(`${name}: two senders come to share a path, though one starts later`, () => {
    const rate = 2500;
    const link = new Bottleneck({ rate, delay: 10, queue: rate * 20, loss: 0 }, 3, factory, factory);
    link.run(10_000, (i) => i * 1500);
    const before = link.senders.map((s) => s.delivered);
    link.run(25_000);
    const shares = link.senders.map((s, i) => s.delivered - before[i]!);
    const jain = (shares[0]! + shares[1]!) ** 2 / (2 * (shares[0]! ** 2 + shares[1]! ** 2));
    assert.ok(jain > 0.9, `shares ${shares}`);
    assert.ok(utilization(link, rate, 15_000, before) > 0.9);
  });

  test(`${name} survives 5 % loss, without a probe timeout storm`, () => {
    const link = new Bottleneck({ rate: 2500, delay: 15, queue: 100_000, loss: 0.05 }, 4, factory);
    link.run(6000);
    const [sender] = link.senders;
    assert.ok(sender!.delivered > 800, `delivered ${sender!.delivered}`);
    assert.ok(sender!.recovery.counters.ptoCount < 30);
  });

  test(`${name} keeps its speed on a path that reorders, after it has learned by how much`, () => {
    const rate = 2500;
    const options = { rate, delay: 20, queue: rate * 40, loss: 0, reordering: 0.02, reorderBy: 4 };
    const link = new Bottleneck(options, 5, factory);
    link.run(2000);
    const before = link.senders.map((s) => s.delivered);
    link.run(8000);
    assert.ok(link.senders[0]!.recovery.counters.spuriousLosses > 0);
    assert.ok(utilization(link, rate, 6000, before) > 0.85, `used ${utilization(link, rate, 6000, before)}`);
  });
}

test('a path that goes dead and comes back is used again', () => {
  const link = new Bottleneck({ rate: 2500, delay: 10, queue: 50_000, loss: 0 }, 6, cubic);
  link.run(1000);
  const [sender] = link.senders;
  sender!.arrivals.length = 0;
  sender!.acks.length = 0;
  const before = sender!.delivered;
  link.run(4000);
  assert.ok(sender!.delivered - before > 4000, `delivered ${sender!.delivered - before}`);
  assert.ok(sender!.recovery.counters.ptoCount >= 1);
});

test('timers of 2 ms do not slow a path of 400 Mbit/s and 5 ms', () => {
  const rate = 50_000;
  const link = new Bottleneck({ rate, delay: 2.5, queue: rate * 10, loss: 0, tick: 2 }, 7, cubic);
  link.run(500);
  const before = link.senders.map((s) => s.delivered);
  link.run(1000);
  assert.ok(utilization(link, rate, 500, before) > 0.9, `used ${utilization(link, rate, 500, before)}`);
});
