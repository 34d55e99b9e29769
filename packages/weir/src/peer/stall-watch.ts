import type { Clock } from './carrier.ts';

/** How long nothing may happen. */
export interface StallLimit {
  /** Milliseconds in which something has to happen. */
  readonly ms: number;
  /**
   * A number that changes with whatever shows that it goes on, from either side: each change gives the whole limit again.
   * Without it only the end counts.
   */
  readonly progress?: () => number;
  /**
   * A number that changes with the peer's words, which cost it nothing: they give the whole limit again, too, but without progress they help no longer
   * than `wordsMs` in all.
   */
  readonly words?: () => number;
  readonly wordsMs?: number;
  /** While this is so, the time is this side's own and does not count. */
  readonly pausedWhile?: () => boolean;
}

/** How often within its limit a wait looks whether there was progress. */
const LOOKS = 8;

/**
 * Calls back once when nothing has happened for so long: after the limit, and up to an eighth of it. It counts looks, not time: a process that was
 * stopped has not waited. It ends with `cancel`, which its owner calls when the work or the session ends.
 */
export class StallWatch {
  readonly #clock: Clock;
  readonly #limit: StallLimit;
  readonly #onStall: () => void;
  #last: number;
  #lastWords: number;
  /** Looks since there was progress or a word, and since there was progress. */
  #looks = 0;
  #looksAtWords = 0;
  #timer: { cancel(): void };

  constructor(clock: Clock, limit: StallLimit, onStall: () => void) {
    this.#clock = clock;
    this.#limit = limit;
    this.#onStall = onStall;
    this.#last = limit.progress?.() ?? 0;
    this.#lastWords = limit.words?.() ?? 0;
    this.#timer = this.#schedule();
  }

  cancel(): void {
    this.#timer.cancel();
  }

  #schedule(): { cancel(): void } {
    return this.#clock.setTimer(this.#clock.now() + this.#limit.ms / LOOKS, () => this.#look());
  }

  #look(): void {
    const { ms, wordsMs = 0 } = this.#limit;
    const hasWord = this.#hasWord();
    if (this.#hasProgress()) {
      this.#looks = 0;
      this.#looksAtWords = 0;
    } else {
      this.#looksAtWords++;
      this.#looks = hasWord && (this.#looksAtWords * ms) / LOOKS < wordsMs ? 0 : this.#looks + 1;
    }
    if (this.#looks < LOOKS) this.#timer = this.#schedule();
    else this.#onStall();
  }

  #hasProgress(): boolean {
    const { progress, pausedWhile } = this.#limit;
    const before = this.#last;
    this.#last = progress?.() ?? 0;
    return this.#last !== before || pausedWhile?.() === true;
  }

  #hasWord(): boolean {
    const before = this.#lastWords;
    this.#lastWords = this.#limit.words?.() ?? 0;
    return this.#lastWords !== before;
  }
}
