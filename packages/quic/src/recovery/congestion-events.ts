import type { Millis } from '../base/time.ts';

/** How many congestion events are remembered: more than begin, one a round trip, while it may still turn out that nothing was lost. */
export const REMEMBERED_EVENTS = 16;

/** The losses of an event that stands, whatever arrives late. */
const STANDS = -1;

/**
 * Tells congestion events apart from their echoes: what was sent up to the start of an event, and after the start of the one
 * before, belongs to it (RFC 9002 §7.3.2). Also counts the losses that each of the latest events rests on, to notice when all of
 * them were mistakes. One real loss among many mistakes is a reason, and the event stands.
 */
export class CongestionEvents {
  /** When each event was noticed, oldest first. */
  readonly #startedAt = new Float64Array(REMEMBERED_EVENTS);
  /** How many losses each rests on; 0 when it has none left and is to be taken back. */
  readonly #losses = new Int32Array(REMEMBERED_EVENTS);
  /** How many are remembered. */
  #length = 0;
  /** What was sent up to then belongs to no event that is remembered. */
  #forgottenUntil: Millis = -1;

  /** A packet that was sent at `sentAt` was declared lost. Returns whether that begins an event. */
  onLost(now: Millis, sentAt: Millis): boolean {
    const isNew = sentAt > this.#latestStartedAt();
    if (isNew) this.#begin(now);
    const i = this.#find(sentAt);
    if (i >= 0 && this.#losses[i] !== STANDS) this.#losses[i]!++;
    return isNew;
  }

  /** CE marks were reported by the acknowledgment of a packet sent at `sentAt`. Returns whether that begins an event. */
  onCe(now: Millis, sentAt: Millis): boolean {
    const isNew = sentAt > this.#latestStartedAt();
    if (isNew) this.#begin(now);
    const i = this.#find(sentAt);
    if (i >= 0) this.#losses[i] = STANDS;
    return isNew;
  }

  /** The path is known to be congested: what has happened stands. */
  onPersistent(): void {
    this.#losses.fill(STANDS, 0, this.#length);
  }

  /** A packet declared lost, sent at `sentAt`, has arrived after all. `takeSpurious` tells what that means. */
  onSpurious(sentAt: Millis): void {
    const i = this.#find(sentAt);
    if (i >= 0 && this.#losses[i]! > 0) this.#losses[i]!--;
  }

  /**
   * The oldest event of which no loss is left; from now on it is as if it had not been. Returns how many events came after it, or -1
   * if there is none.
   */
  takeSpurious(): number {
    let i = 0;
    while (i < this.#length && this.#losses[i] !== 0) i++;
    if (i === this.#length) return -1;
    this.#startedAt.copyWithin(i, i + 1, this.#length);
    this.#losses.copyWithin(i, i + 1, this.#length);
    this.#length--;
    return this.#length - i;
  }

  /** Forgets everything: another controller, another path. */
  reset(): void {
    this.#length = 0;
    this.#forgottenUntil = -1;
  }

  #latestStartedAt(): Millis {
    return this.#length > 0 ? this.#startedAt[this.#length - 1]! : this.#forgottenUntil;
  }

  #begin(now: Millis): void {
    if (this.#length === REMEMBERED_EVENTS) {
      this.#forgottenUntil = this.#startedAt[0]!;
      this.#startedAt.copyWithin(0, 1);
      this.#losses.copyWithin(0, 1);
      this.#length--;
    }
    this.#startedAt[this.#length] = now;
    this.#losses[this.#length] = 0;
    this.#length++;
  }

  /** The event to which a packet sent at `sentAt` belongs, or -1. */
  #find(sentAt: Millis): number {
    if (sentAt <= this.#forgottenUntil || sentAt > this.#latestStartedAt()) return -1;
    let i = this.#length - 1;
    while (i > 0 && sentAt <= this.#startedAt[i - 1]!) i--;
    return i;
  }
}
