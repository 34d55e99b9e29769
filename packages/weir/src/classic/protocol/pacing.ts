/**
 * How late a datagram may be and still be made up for, in milliseconds: timers come a millisecond or two late all the time,
 * and without that the rate would never be reached; after longer pauses a burst would only fill the receiver's buffer.
 */
const MAX_LAG = 5;

/** Spaces datagrams evenly at a rate, by the time that each takes at that rate. */
export class Pacer {
  readonly #bytesPerMs: number;
  /** When the next datagram is due. */
  #next = Number.NEGATIVE_INFINITY;

  /** @param bytesPerMs of UDP payload; more than 0. */
  constructor(bytesPerMs: number) {
    this.#bytesPerMs = bytesPerMs;
  }

  /** When the next datagram is due; long ago for the first one. */
  get next(): number {
    return this.#next;
  }

  /** A datagram of so many bytes was sent. */
  onSent(now: number, bytes: number): void {
    this.#next = Math.max(this.#next, now - MAX_LAG) + bytes / this.#bytesPerMs;
  }

  /** After a pause of the sender's own the next datagram starts a new schedule. */
  restart(now: number): void {
    this.#next = Math.max(this.#next, now);
  }
}
