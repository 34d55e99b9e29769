import assert from 'node:assert/strict';
import { Deque } from '../base/deque.ts';
import { SeededRandom } from '../base/random.ts';
import { NEVER } from '../base/time.ts';
import { Space } from '../wire/frame-type.ts';
import { type SentFramesSink, SentKind } from '../wire/sent-frames.ts';
import type { CongestionControllerFactory } from './congestion/controller.ts';
import { ackOfNumbers } from './fixtures.test.ts';
import { Recovery } from './recovery.ts';

// Senders that share a bottleneck: a queue that drains at a rate and drops at its tail, random loss, a delay each way.
// Virtual time in steps of events; the receiver answers every second packet with what it has seen lately. There are no tests in here.

export const DATAGRAM = 1200;

export interface LinkOptions {
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

export class Sender implements SentFramesSink {
  readonly recovery: Recovery;
  /** Received packet numbers, the latest 200. */
  readonly received = new Deque<number>();
  readonly arrivals: { at: number; pn: number }[] = [];
  readonly acks: { at: number; numbers: number[] }[] = [];
  unanswered = 0;
  delivered = 0;
  maxRtt = 0;
  /** Is asked after each ACK. */
  onAck: () => void = () => {};

  constructor(congestion: CongestionControllerFactory) {
    this.recovery = new Recovery({ isServer: false, congestion, maxDatagramSize: DATAGRAM });
    this.recovery.probeTimer.handshakeConfirmed = true;
    this.recovery.probeTimer.peerCompletedAddressValidation = true;
    this.recovery.probeTimer.maxAckDelay = 25;
  }

  onFrameAcked(): void {
    this.delivered++;
  }

  onFrameLost(): void {}
}

export class Bottleneck {
  now = 0;
  readonly senders: Sender[];
  #options: LinkOptions;
  readonly #random: SeededRandom;
  /** When the queue will have drained. */
  #busyUntil = 0;
  dropped = 0;

  constructor(options: LinkOptions, seed: number, ...controllers: CongestionControllerFactory[]) {
    this.#options = options;
    this.#random = new SeededRandom(seed);
    this.senders = controllers.map((c) => new Sender(c));
  }

  /** The path changes. */
  change(options: Partial<LinkOptions>): void {
    this.#options = { ...this.#options, ...options };
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
      sender.onAck();
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
export function utilization(link: Bottleneck, rate: number, duration: number, before: readonly number[]): number {
  let packets = 0;
  for (const [i, sender] of link.senders.entries()) packets += sender.delivered - before[i]!;
  return (packets * DATAGRAM) / (rate * duration);
}
