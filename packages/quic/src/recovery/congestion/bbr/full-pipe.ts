import type { RateSample } from '../../delivery-rate.ts';

/** How much the rate must grow for the pipe not to be full. */
const GROWTH = 1.25;
/** For how many rounds it must not grow. */
const ROUNDS = 3;

/** Notices that sending faster no longer makes the path deliver faster, draft-ietf-ccwg-bbr §5.3.1.2. */
export class FullPipe {
  /** BBR.full_bw_reached: whether the pipe has ever been full. */
  isReached = false;
  /** BBR.full_bw_now: whether it has proved full since the search began. */
  isNow = false;
  /** BBR.full_bw: what the rate must outgrow, in bytes a millisecond. */
  #baseline = 0;
  #rounds = 0;

  /** ResetFullBW: begins a search, from a rate that is known. */
  restart(baseline: number): void {
    this.#baseline = baseline;
    this.#rounds = 0;
    this.isNow = false;
  }

  /** CheckFullBWReached: the ACK with this sample begins a round. */
  update(sample: RateSample): void {
    if (this.isNow || sample.isAppLimited) return;
    if (sample.deliveryRate >= this.#baseline * GROWTH) {
      this.restart(sample.deliveryRate);
      return;
    }
    this.#rounds++;
    if (this.#rounds < ROUNDS) return;
    this.isNow = true;
    this.isReached = true;
  }
}
