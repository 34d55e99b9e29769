import { type Random, randomUnit } from '../../../base/random.ts';
import type { Millis } from '../../../base/time.ts';

/** How long to wait before looking for more bandwidth: this, and up to LONGER more. */
const WAIT: Millis = 2000;
const LONGER: Millis = 1000;
/** Reno gains a window in as many rounds as the window has datagrams; beyond this many rounds we don't wait for that. */
const MAX_ROUNDS = 63;

/**
 * When to probe for bandwidth again, draft-ietf-ccwg-bbr §5.3.3.8: after two to three seconds, or as many round trips as
 * leave Reno its share. Which, is left to chance, so that flows don't probe in step. Without a source of chance it's the mean.
 */
export class ProbeClock {
  readonly #random: Random | undefined;
  /** BBR.cycle_stamp. */
  #startedAt: Millis = 0;
  /** BBR.bw_probe_wait. */
  #wait: Millis = 0;
  /** BBR.rounds_since_probe_up. */
  #rounds = 0;

  constructor(random: Random | undefined) {
    this.#random = random;
  }

  /** PickProbeWait: a probe is over. */
  restart(now: Millis): void {
    this.#startedAt = now;
    this.#rounds = this.#unit() < 0.5 ? 0 : 1;
    this.#wait = WAIT + this.#unit() * LONGER;
  }

  /** A round trip has passed. */
  onRound(): void {
    this.#rounds++;
  }

  /** Whether it's time. `datagrams` is how many we want in flight. */
  isDue(now: Millis, datagrams: number): boolean {
    return now > this.#startedAt + this.#wait || this.#rounds >= Math.min(datagrams, MAX_ROUNDS);
  }

  #unit(): number {
    return this.#random === undefined ? 0.5 : randomUnit(this.#random);
  }
}
