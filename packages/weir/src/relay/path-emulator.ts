import { SeededRandom } from 'weir-quic/random';
import type { Millis } from 'weir-quic/sim';
import { Link, type LinkCounters } from 'weir-quic/sim';
import { DeliveryQueue } from './delivery-queue.ts';
import { Lateness, type LatenessSummary } from './lateness.ts';
import type { PathSettings } from './path-spec.ts';

/** `up` is from the client, who sends first, to the server. */
export type Direction = 'up' | 'down';

/** What happened in one direction so far. */
export interface DirectionCounters extends LinkCounters {
  /** UDP payload bytes that came out at the far end. */
  readonly deliveredBytes: number;
  /** Datagrams dropped because the relay would have had to hold too much. Not the link's doing. */
  readonly dropped: number;
  /** How much later than the link said datagrams left: when it is not small, the relay itself is the limit. */
  readonly lateness: LatenessSummary;
}

/** Bytes on their way at most, both directions together: a path of 10 Gbit/s and 100 ms holds 125 MB. */
const MOST_BYTES = 256 << 20;

/** One datagram on its way. `Peer` is whatever the caller wants to know when it arrives. */
interface OnItsWay<Peer> {
  readonly at: Millis;
  readonly direction: Direction;
  readonly peer: Peer;
  readonly bytes: Uint8Array;
}

/** One direction's state. */
interface Way {
  readonly link: Link;
  readonly lateness: Lateness;
  deliveredBytes: number;
  dropped: number;
}

/**
 * Both directions of a path in real time, without sockets or timers: datagrams go in, the caller comes back when the earliest is due.
 * Departures follow the link's own arithmetic, not the caller's timers: who comes late delivers late, but the rate holds.
 */
export class PathEmulator<Peer> {
  readonly #clock: () => Millis;
  readonly #deliver: (direction: Direction, peer: Peer, bytes: Uint8Array) => void;
  readonly #ways: Readonly<Record<Direction, Way>>;
  readonly #queue = new DeliveryQueue<OnItsWay<Peer>>();
  /** When the first datagram came: the link's time zero, to which outages refer. */
  #origin: Millis | undefined;
  #heldBytes = 0;

  /**
   * @param seed the same one makes the same losses for the same datagrams
   * @param clock milliseconds, never falling
   * @param deliver takes a datagram that has come through
   */
  constructor(
    path: PathSettings,
    seed: number,
    clock: () => Millis,
    deliver: (direction: Direction, peer: Peer, bytes: Uint8Array) => void,
  ) {
    this.#clock = clock;
    this.#deliver = deliver;
    const random = new SeededRandom(seed);
    const way = (link: PathSettings['up']): Way => ({
      link: new Link(link, new SeededRandom(random.uint32())),
      lateness: new Lateness(),
      deliveredBytes: 0,
      dropped: 0,
    });
    this.#ways = { up: way(path.up), down: way(path.down) };
  }

  /** When the earliest datagram is due, on the caller's clock; NEVER when nothing is on its way. */
  get earliest(): Millis {
    return this.#queue.earliest + (this.#origin ?? 0);
  }

  /** Datagrams on their way. */
  get inFlight(): number {
    return this.#queue.length;
  }

  counters(direction: Direction): DirectionCounters {
    const { link, lateness, deliveredBytes, dropped } = this.#ways[direction];
    return { ...link.counters, deliveredBytes, dropped, lateness: lateness.summary() };
  }

  /** Puts a datagram onto the path, which keeps its bytes. What is due at once is delivered at once. */
  send(direction: Direction, peer: Peer, bytes: Uint8Array): void {
    const now = this.#clock();
    this.#origin ??= now;
    const way = this.#ways[direction];
    if (this.#heldBytes + bytes.length > MOST_BYTES) {
      way.dropped++;
      return;
    }
    // The relay sees no ECN bits, so none are marked: 0 is Not-ECT.
    for (const arrival of way.link.send(now - this.#origin, bytes, 0)) {
      this.#heldBytes += bytes.length;
      this.#queue.push(arrival.at, { at: arrival.at, direction, peer, bytes: arrival.bytes });
    }
    this.deliverDue();
  }

  /** Delivers everything whose time has come. */
  deliverDue(): void {
    if (this.#origin === undefined) return;
    for (;;) {
      const now = this.#clock() - this.#origin;
      const next = this.#queue.takeDue(now);
      if (next === undefined) return;
      const way = this.#ways[next.direction];
      way.lateness.add(now - next.at);
      way.deliveredBytes += next.bytes.length;
      this.#heldBytes -= next.bytes.length;
      this.#deliver(next.direction, next.peer, next.bytes);
    }
  }

  /** Forgets what is on its way. */
  clear(): void {
    this.#queue.clear();
    this.#heldBytes = 0;
  }
}
