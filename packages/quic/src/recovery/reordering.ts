import type { Millis } from '../base/time.ts';
import { GRANULARITY, type RttEstimator } from './rtt.ts';

/** How far a packet may be overtaken before it counts as lost, RFC 9002 §6.1.1. */
export const PACKET_THRESHOLD = 3;
/** How much older than a round trip a packet may be that a later one overtook, RFC 9002 §6.1.2. */
const TIME_THRESHOLD = 9 / 8;
/**
 * The window is no larger than a round trip (RFC 8985 §6.2), but may be this large on shorter paths: a probe timeout waits as long
 * there, for it allows for the peer's max_ack_delay.
 */
const MIN_WINDOW_BOUND: Millis = 25;
/** Parts of the smallest round trip by which the reordering window grows, RFC 8985 §6.2.4. */
const STEPS_PER_RTT = 4;
/** Congestion events without a mistake after which the path counts as one that keeps the order, RFC 8985 §6.2.4. */
const EVENTS_TO_FORGET = 16;

/**
 * How much reordering the path is known for: what a packet may be overtaken by, and how long it may be overdue, before it counts as
 * lost. Begins as RFC 9002 §6.1 has it. A loss that proves a mistake shows that packets pass each other, so that their order says
 * nothing: from then on only time counts, as in RACK (RFC 8985 §6.2), and the window grows. RACK's grows in steps; but an ACK of QUIC tells
 * exactly which packet was late and by how much, so this one grows to that at once.
 */
export class Reordering {
  /** How many packet numbers, RFC 9002 §6.1.1; Infinity on a path that is known to reorder. */
  packetThreshold = PACKET_THRESHOLD;
  /** RACK.reo_wnd before it is bounded: how much longer than a round trip packets took that were overtaken. */
  #window: Millis = 0;
  /** Congestion events since the last mistake. */
  #eventsSince = 0;
  readonly #rtt: RttEstimator;

  constructor(rtt: RttEstimator) {
    this.#rtt = rtt;
  }

  /** How old a packet may become that a later one overtook (RFC 9002 §6.1.2): a round trip and the reordering window. */
  get timeThreshold(): Millis {
    const { latest, smoothed } = this.#rtt;
    const rtt = Math.max(latest, smoothed);
    return Math.max(
      TIME_THRESHOLD * rtt,
      rtt + Math.min(this.#window, Math.max(smoothed, MIN_WINDOW_BOUND)),
      GRANULARITY,
    );
  }

  /** A packet declared lost arrived after all, `age` after it was sent. */
  onMistake(age: Millis): void {
    this.#eventsSince = 0;
    this.packetThreshold = Number.POSITIVE_INFINITY;
    const { latest, smoothed, min } = this.#rtt;
    const overdue = age - Math.max(latest, smoothed);
    if (overdue <= this.#window) return;
    const step = Math.max(min / STEPS_PER_RTT, GRANULARITY);
    this.#window = step * Math.ceil(overdue / step);
  }

  /** A congestion event began. Enough of them without a mistake between, and it is as in the beginning. */
  onCongestionEvent(): void {
    if (++this.#eventsSince >= EVENTS_TO_FORGET) this.reset();
  }

  /** The path is another. */
  reset(): void {
    this.packetThreshold = PACKET_THRESHOLD;
    this.#window = 0;
    this.#eventsSince = 0;
  }
}
