import type { Clock } from './carrier.ts';
import { WORD_TIME } from './times.ts';

/** Says `working` every WORD_TIME while this side's own disk is what both sides wait for, so that the peer doesn't take it for dead. */
export class WorkWords {
  readonly #clock: Clock;
  readonly #isAtWork: () => boolean;
  readonly #say: () => Promise<void>;
  /** The last word is still on its way: a peer that doesn't read gets no heap of them. */
  #isSaying = false;
  #timer: { cancel(): void };

  /** @param say sends the message; that it fails is for others to notice. */
  constructor(clock: Clock, isAtWork: () => boolean, say: () => Promise<void>) {
    this.#clock = clock;
    this.#isAtWork = isAtWork;
    this.#say = say;
    this.#timer = this.#schedule();
  }

  /** Says nothing more. */
  cancel(): void {
    this.#timer.cancel();
  }

  #schedule(): { cancel(): void } {
    return this.#clock.setTimer(this.#clock.now() + WORD_TIME, () => {
      this.#timer = this.#schedule();
      if (this.#isAtWork() && !this.#isSaying) this.#sayIt();
    });
  }

  #sayIt(): void {
    this.#isSaying = true;
    const done = () => {
      this.#isSaying = false;
    };
    this.#say().then(done, done);
  }
}
