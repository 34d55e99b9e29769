// What tests of congestion control share; there are no tests in here.
import { NEVER } from '../base/time.ts';
import type { AckFrame } from '../wire/frame-handler.ts';
import { Space } from '../wire/frame-type.ts';
import { type SentFramesSink, SentKind } from '../wire/sent-frames.ts';
import type { CongestionControllerFactory } from './congestion/controller.ts';
import { makeConfirmed } from './fixtures.test.ts';
import type { Recovery } from './recovery.ts';

export const DATAGRAM = 1200;
const SPACE = Space.APPLICATION;
/** How long the receiver puts an ACK off. */
const ACK_DELAY = 25;
/** Timers are as coarse as the platform's. */
const TICK = 1;

/**
 * One sender with endless data before a queue that drops at its tail, in virtual time. The receiver answers every second packet, gaps
 * at once, and each ACK reports what is new: none gets lost. Costs a microsecond or two a packet, so that tables of paths can be tried.
 */
export class TailDrop implements SentFramesSink {
  now = 0;
  readonly recovery: Recovery;
  /** Bytes that the sender knows to have arrived. */
  delivered = 0;
  dropped = 0;
  /** Whether packet `pn` is lost on the link, besides those that the queue drops. */
  isLost: (pn: number) => boolean = () => false;
  /** Bytes a millisecond. */
  rate: number;
  readonly #delay: number;
  readonly #queue: number;
  /** When the bottleneck is free again. */
  #freeAt = 0;
  /** ACKs under way: when each arrives, and the first and last of the packets it reports; those between are reported by none. */
  readonly #acks: number[] = [];
  #head = 0;
  /** The packet that waits for an ACK, or -1, and when it arrived. */
  #waiting = -1;
  #waitingSince = 0;
  #lastArrived = -1;
  readonly #frame: AckFrame = {
    largest: 0,
    delay: 0,
    rangeCount: 0,
    rangeStart: new Float64Array(2),
    rangeEnd: new Float64Array(2),
    hasEcn: false,
    ect0: 0,
    ect1: 0,
    ce: 0,
  };

  /** `rate` in bytes a millisecond, `rtt` in milliseconds without a queue, of `queue` bytes. */
  constructor(congestion: CongestionControllerFactory, rate: number, rtt: number, queue: number) {
    this.rate = rate;
    this.#delay = rtt / 2;
    this.#queue = queue;
    this.recovery = makeConfirmed({ congestion });
    this.recovery.rtt.update(rtt, 0, true, ACK_DELAY);
  }

  onFrameAcked(): void {
    this.delivered += DATAGRAM;
  }

  onFrameLost(): void {}

  /** Lets time pass until `end`, or until `isOver`, which is asked after each ACK. */
  run(end: number, isOver: () => boolean = () => false): void {
    const { recovery } = this;
    while (this.now < end) {
      this.#send();
      const timer = Math.min(recovery.timeout(), recovery.nextSendTime(this.now));
      if (this.#acks.length === this.#head && timer === NEVER) this.#acknowledgeWaiting();
      const rounded = timer === NEVER ? NEVER : Math.max(this.now + TICK / 1000, Math.ceil(timer / TICK) * TICK);
      this.now = Math.min(end, rounded, this.#acks[this.#head] ?? NEVER);
      let isAcked = false;
      for (; (this.#acks[this.#head] ?? NEVER) <= this.now; this.#head += 3) {
        this.#receiveAck(this.#acks[this.#head + 1]!, this.#acks[this.#head + 2]!);
        isAcked = true;
      }
      if (recovery.timeout() <= this.now) recovery.onTimeout(this.now, this);
      if (isAcked && isOver()) return;
      this.#compact();
    }
  }

  #send(): void {
    const { recovery } = this;
    const { probes } = recovery;
    while (probes[SPACE]! > 0 || recovery.sendAllowance(this.now) >= DATAGRAM) {
      if (probes[SPACE]! > 0) probes[SPACE]!--;
      recovery.spaces[SPACE]!.add(SentKind.STREAM, 0, 0, 0);
      this.#transmit(recovery.onPacketSent(SPACE, this.now, DATAGRAM, true, true));
    }
  }

  #transmit(pn: number): void {
    const queued = Math.max(0, this.#freeAt - this.now) * this.rate;
    if (queued + DATAGRAM > this.#queue + DATAGRAM) {
      this.dropped++;
      return;
    }
    this.#freeAt = Math.max(this.now, this.#freeAt) + DATAGRAM / this.rate;
    if (!this.isLost(pn)) this.#arrive(pn, this.#freeAt + this.#delay);
  }

  #arrive(pn: number, at: number): void {
    if (this.#waiting >= 0 && this.#waitingSince + ACK_DELAY < at) this.#acknowledgeWaiting();
    const isInOrder = pn === this.#lastArrived + 1;
    this.#lastArrived = pn;
    if (this.#waiting < 0 && isInOrder) {
      this.#waiting = pn;
      this.#waitingSince = at;
      return;
    }
    this.#acks.push(at + this.#delay, this.#waiting < 0 ? pn : this.#waiting, pn);
    this.#waiting = -1;
  }

  #acknowledgeWaiting(): void {
    if (this.#waiting < 0) return;
    this.#acks.push(this.#waitingSince + ACK_DELAY + this.#delay, this.#waiting, this.#waiting);
    this.#waiting = -1;
  }

  #receiveAck(first: number, last: number): void {
    const frame = this.#frame;
    frame.largest = last;
    const isOne = last - first <= 1;
    frame.rangeCount = isOne ? 1 : 2;
    frame.rangeStart[0] = isOne ? first : last;
    frame.rangeEnd[0] = last;
    frame.rangeStart[1] = first;
    frame.rangeEnd[1] = first;
    this.recovery.onAck(SPACE, this.now, frame, 0, this);
  }

  #compact(): void {
    if (this.#head < 30_000) return;
    this.#acks.splice(0, this.#head);
    this.#head = 0;
  }
}
