import { Ecn } from '../base/batch.ts';
import { Deque } from '../base/deque.ts';
import type { SeededRandom } from '../base/random.ts';
import type { Millis } from '../base/time.ts';

/** One direction of a path. Everything is off by default: an instant, endless, perfect link. */
export interface LinkSettings {
  /** Bytes a millisecond that the bottleneck sends (125 is 1 Mbit/s); Infinity is no bottleneck. IP and UDP headers count. */
  readonly rate: number;
  /** Milliseconds from the bottleneck to the other end. */
  readonly delay: Millis;
  /** Up to this many milliseconds more, evenly distributed, without changing the order. */
  readonly jitter: Millis;
  /** How many datagrams wait before the bottleneck; one more is dropped. */
  readonly queue: number;
  /** Queue length from which ECT datagrams are marked CE (RFC 3168); Infinity never. */
  readonly markAt: number;
  /** Probability that a datagram is lost, each by itself. */
  readonly loss: number;
  /** Losses that come together: probability that a burst starts at a datagram, and its mean length (it is 1 to 2 * length - 1). */
  readonly burst: { readonly start: number; readonly length: number };
  /** Probability that a datagram is held up by up to `reorderDelay` milliseconds, while others pass it. */
  readonly reorder: number;
  readonly reorderDelay: Millis;
  /** Probability that a datagram arrives more than once, and how many times more. */
  readonly duplicate: number;
  readonly copies: number;
  /** Probability that up to three bits of a datagram flip. */
  readonly corrupt: number;
  /** The largest UDP payload in bytes that passes; larger ones vanish. */
  readonly mtu: number;
  /** Times between which nothing passes. */
  readonly outages: readonly (readonly [from: Millis, to: Millis])[];
}

export const PERFECT_LINK: LinkSettings = {
  rate: Number.POSITIVE_INFINITY,
  delay: 0,
  jitter: 0,
  queue: Number.POSITIVE_INFINITY,
  markAt: Number.POSITIVE_INFINITY,
  loss: 0,
  burst: { start: 0, length: 0 },
  reorder: 0,
  reorderDelay: 0,
  duplicate: 0,
  copies: 1,
  corrupt: 0,
  mtu: 65_527,
  outages: [],
};

/** A datagram that comes out at the other end. */
export interface Arrival {
  readonly at: Millis;
  /** What was sent, or a copy with flipped bits. */
  readonly bytes: Uint8Array;
  readonly ecn: number;
}

/** What happened to the datagrams so far. */
export interface LinkCounters {
  sent: number;
  delivered: number;
  lost: number;
  /** Dropped because the queue was full. */
  overflowed: number;
  oversized: number;
  reordered: number;
  duplicated: number;
  corrupted: number;
  marked: number;
}

/** Bytes of IPv4 and UDP headers, which share the bottleneck with the payload. */
const HEADERS = 28;

/**
 * A pure model of one direction of a path: a datagram goes in at a time, its arrivals come out. No clock and no sockets, so
 * the simulator and a relay between real sockets can both use it.
 */
export class Link {
  readonly counters: LinkCounters = {
    sent: 0,
    delivered: 0,
    lost: 0,
    overflowed: 0,
    oversized: 0,
    reordered: 0,
    duplicated: 0,
    corrupted: 0,
    marked: 0,
  };
  #settings: LinkSettings;
  readonly #random: SeededRandom;
  /** When each datagram in the queue leaves the bottleneck. Ascending. */
  readonly #departures = new Deque<Millis>();
  /** When the bottleneck is free again. */
  #freeAt: Millis = 0;
  /** The latest arrival in order: jitter must not reorder. */
  #lastArrival: Millis = 0;
  /** How many datagrams the loss burst under way will still take. */
  #burstLeft = 0;

  constructor(settings: Partial<LinkSettings>, random: SeededRandom) {
    this.#settings = { ...PERFECT_LINK, ...settings };
    this.#random = random;
  }

  get settings(): LinkSettings {
    return this.#settings;
  }

  /** Changes the path while it is in use. */
  change(settings: Partial<LinkSettings>): void {
    this.#settings = { ...this.#settings, ...settings };
  }

  /** Holds up what is sent from now on until `at`, when it goes on as fast as the bottleneck allows. */
  hold(at: Millis): void {
    this.#freeAt = Math.max(this.#freeAt, at);
  }

  /** Sends a datagram, which the link keeps; returns when and how it arrives: not at all, once, or several times. `now` never falls. */
  send(now: Millis, bytes: Uint8Array, ecn: number): Arrival[] {
    const { counters } = this;
    const settings = this.#settings;
    counters.sent++;
    if (bytes.length > settings.mtu) {
      counters.oversized++;
      return [];
    }
    while (this.#departures.length > 0 && this.#departures.at(0)! <= now) this.#departures.shift();
    if (this.#departures.length >= settings.queue) {
      counters.overflowed++;
      return [];
    }
    const mark = this.#mark(ecn);
    const departure = Math.max(now, this.#freeAt) + (bytes.length + HEADERS) / settings.rate;
    this.#freeAt = departure;
    if (departure > now) this.#departures.push(departure);
    if (this.#isLost(now)) {
      counters.lost++;
      return [];
    }
    const payload = this.#chance(settings.corrupt) ? this.#corrupt(bytes) : bytes;
    const arrivals = [this.#arrive(departure, payload, mark)];
    if (this.#chance(settings.duplicate)) {
      counters.duplicated++;
      for (let i = 0; i < settings.copies; i++) arrivals.push(this.#arrive(departure, bytes, mark));
    }
    counters.delivered += arrivals.length;
    return arrivals;
  }

  #mark(ecn: number): number {
    const isCapable = ecn === Ecn.ECT0 || ecn === Ecn.ECT1;
    if (!isCapable || this.#departures.length < this.#settings.markAt) return ecn;
    this.counters.marked++;
    return Ecn.CE;
  }

  #isLost(now: Millis): boolean {
    const { loss, burst, outages } = this.#settings;
    for (const [from, to] of outages) if (now >= from && now < to) return true;
    if (this.#burstLeft === 0 && this.#chance(burst.start))
      this.#burstLeft = this.#random.integer(1, 2 * burst.length - 1);
    if (this.#burstLeft === 0) return this.#chance(loss);
    this.#burstLeft--;
    return true;
  }

  #arrive(departure: Millis, bytes: Uint8Array, ecn: number): Arrival {
    const { delay, jitter, reorder, reorderDelay } = this.#settings;
    if (this.#chance(reorder)) {
      this.counters.reordered++;
      return { at: departure + delay + this.#random.unit() * reorderDelay, bytes, ecn };
    }
    const at = Math.max(this.#lastArrival, departure + delay + (jitter > 0 ? this.#random.unit() * jitter : 0));
    this.#lastArrival = at;
    return { at, bytes, ecn };
  }

  #corrupt(bytes: Uint8Array): Uint8Array {
    this.counters.corrupted++;
    const copy = bytes.slice();
    for (let flips = this.#random.integer(1, 3); flips > 0; flips--) {
      const i = this.#random.integer(0, copy.length - 1);
      copy[i] = copy[i]! ^ (1 << this.#random.integer(0, 7));
    }
    return copy;
  }

  /** True with this probability. Draws nothing when it is 0, so that unused features leave the seed's run alone. */
  #chance(probability: number): boolean {
    return probability > 0 && this.#random.unit() < probability;
  }
}
