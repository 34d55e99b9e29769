import type { Millis } from '../../base/time.ts';
import { REMEMBERED_EVENTS } from '../congestion-events.ts';

/** What a reduction changes, at least. */
export interface Reducible {
  /** The congestion window in bytes. */
  window: number;
  /** When the recovery period of the latest reduction began; -1 before the first. */
  recoveryStartedAt: Millis;
}

/**
 * What a controller's variables were before each of its latest reductions, in case one of them proves to have been for nothing
 * (RFC 9438 §4.9.2). Later ones may have followed that stand, so each can be taken back by itself.
 */
export class Reductions<State extends Reducible> {
  /** Oldest first; those behind `#length` are there to be written over. */
  readonly #before: State[];
  #length = 0;
  readonly #scratch: State;
  readonly #reduce: (state: State) => void;

  /** `state` is any: what is kept has its shape. `reduce` is what a congestion event does. */
  constructor(state: State, reduce: (state: State) => void) {
    this.#reduce = reduce;
    this.#before = Array.from({ length: REMEMBERED_EVENTS }, () => ({ ...state }));
    this.#scratch = { ...state };
  }

  /** The window is about to be reduced: remembers `state`. */
  save(state: State): void {
    if (this.#length === REMEMBERED_EVENTS) this.#remove(0);
    Object.assign(this.#before[this.#length++]!, state);
  }

  /**
   * Takes back the reduction that `later` others followed: `now` becomes what it was before it, reduced once for each of
   * the others, unless its window has outgrown that. Returns whether the reduction was remembered.
   */
  takeBack(now: State, later: number): boolean {
    const first = this.#length - 1 - later;
    if (first < 0) return false;
    const state = Object.assign(this.#scratch, this.#before[first]!);
    for (let i = first + 1; i < this.#length; i++) {
      raise(this.#before[i]!, state);
      this.#reduce(state);
    }
    raise(now, state);
    const next = later === 0 ? now : this.#before[first + 1]!;
    next.recoveryStartedAt = this.#before[first]!.recoveryStartedAt;
    this.#remove(first);
    return true;
  }

  /** What has happened stands. */
  clear(): void {
    this.#length = 0;
  }

  #remove(index: number): void {
    const removed = this.#before[index]!;
    this.#before.copyWithin(index, index + 1, this.#length);
    this.#before[--this.#length] = removed;
  }
}

/**
 * `to` becomes `from`, all but the recovery period that it is in, unless its window is as large already: then nothing is restored (RFC
 * 9438 §4.9.2). Linux does raise the threshold; 80 runs over paths with reordering, outages and loss took as long with that.
 */
function raise<State extends Reducible>(to: State, from: State): void {
  if (to.window >= from.window) return;
  const { recoveryStartedAt } = to;
  Object.assign(to, from);
  to.recoveryStartedAt = recoveryStartedAt;
}
