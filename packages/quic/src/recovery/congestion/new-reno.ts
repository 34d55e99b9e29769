import type { Millis } from '../../base/time.ts';
import type { RttEstimator } from '../rtt.ts';
import type { CongestionController, CongestionControllerFactory } from './controller.ts';
import { HyStart } from './hystart.ts';
import { initialWindow, minimumWindow } from './initial-window.ts';
import { type Reducible, Reductions } from './reductions.ts';

/** What is left of the window after a loss, RFC 9002 §7.3.2. */
const LOSS_REDUCTION_FACTOR = 0.5;

/** The variables that a congestion event changes. */
interface State extends Reducible {
  /** ssthresh. */
  threshold: number;
}

/** NewReno as RFC 9002 §7 describes it, with HyStart++ in its first slow start. */
export class NewReno implements CongestionController {
  readonly name = 'reno';
  readonly pacingRate = 0;
  #maxDatagramSize: number;
  readonly #now: State;
  readonly #reductions: Reductions<State>;
  /** Whether nothing sent after recovery began has been acknowledged yet. */
  #inRecovery = false;
  readonly #hystart = new HyStart();

  constructor(maxDatagramSize: number) {
    this.#maxDatagramSize = maxDatagramSize;
    const window = initialWindow(maxDatagramSize);
    this.#now = { window, threshold: Number.POSITIVE_INFINITY, recoveryStartedAt: -1 };
    this.#reductions = new Reductions(this.#now, (state) => this.#reduce(state));
  }

  get window(): number {
    return this.#now.window;
  }

  get slowStartThreshold(): number {
    return this.#now.threshold;
  }

  get phase(): 'slow_start' | 'congestion_avoidance' | 'recovery' {
    if (this.#inRecovery) return 'recovery';
    return this.#now.window < this.#now.threshold ? 'slow_start' : 'congestion_avoidance';
  }

  onPacketSent(): void {}

  onAcked(
    now: Millis,
    bytes: number,
    largestSentAt: Millis,
    _largestAcked: number,
    rtt: RttEstimator,
    _bytesInFlight: number,
    appLimited: boolean,
  ): void {
    const state = this.#now;
    if (largestSentAt <= state.recoveryStartedAt) return;
    this.#inRecovery = false;
    if (state.window >= state.threshold) {
      if (!appLimited) state.window += (this.#maxDatagramSize * bytes) / state.window;
      return;
    }
    // HyStart++ is for the first slow start only, RFC 9406 §4.3.
    const isFirst = state.threshold === Number.POSITIVE_INFINITY;
    const divisor = isFirst ? this.#hystart.onAcked(now, largestSentAt, rtt.latest) : 1;
    if (divisor === 0) state.threshold = state.window;
    else if (!appLimited) state.window += bytes / divisor;
  }

  onCongestionEvent(now: Millis, largestSentAt: Millis): void {
    if (largestSentAt <= this.#now.recoveryStartedAt) return;
    this.#reductions.save(this.#now);
    this.#now.recoveryStartedAt = now;
    this.#inRecovery = true;
    this.#reduce(this.#now);
  }

  onSpuriousCongestionEvent(_now: Millis, later: number): void {
    if (this.#reductions.takeBack(this.#now, later) && later === 0) this.#inRecovery = false;
  }

  onPersistentCongestion(): void {
    this.#now.window = minimumWindow(this.#maxDatagramSize);
    this.#now.recoveryStartedAt = -1;
    this.#inRecovery = false;
    this.#reductions.clear();
  }

  onMaxDatagramSize(bytes: number): void {
    this.#maxDatagramSize = bytes;
    this.#now.window = Math.max(this.#now.window, minimumWindow(bytes));
  }

  #reduce(state: State): void {
    state.window = Math.max(state.window * LOSS_REDUCTION_FACTOR, minimumWindow(this.#maxDatagramSize));
    state.threshold = state.window;
  }
}

/** Makes a NewReno controller. */
export const newReno: CongestionControllerFactory = (maxDatagramSize) => new NewReno(maxDatagramSize);
