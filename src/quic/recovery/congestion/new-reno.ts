import type { Millis } from '../../base/time.ts';
import type { RttEstimator } from '../rtt.ts';
import type { CongestionController, CongestionControllerFactory } from './controller.ts';
import { HyStart } from './hystart.ts';
import { initialWindow, minimumWindow } from './initial-window.ts';

/** What is left of the window after a loss, RFC 9002 §7.3.2. */
const LOSS_REDUCTION_FACTOR = 0.5;

/** NewReno as RFC 9002 §7 describes it, with HyStart++ in its first slow start. */
export class NewReno implements CongestionController {
  readonly name = 'reno';
  readonly pacingRate = 0;
  slowStartThreshold = Number.POSITIVE_INFINITY;
  #window: number;
  #maxDatagramSize: number;
  /** When the latest recovery period began; -1 before the first. */
  #recoveryStartedAt: Millis = -1;
  /** Whether nothing sent after that has been acknowledged yet. */
  #inRecovery = false;
  readonly #hystart = new HyStart();
  /** What the latest event changed, in case it proves spurious. */
  #undoWindow = 0;
  #undoThreshold = 0;

  constructor(maxDatagramSize: number) {
    this.#maxDatagramSize = maxDatagramSize;
    this.#window = initialWindow(maxDatagramSize);
  }

  get window(): number {
    return this.#window;
  }

  get phase(): 'slow_start' | 'congestion_avoidance' | 'recovery' {
    if (this.#inRecovery) return 'recovery';
    return this.#window < this.slowStartThreshold ? 'slow_start' : 'congestion_avoidance';
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
    if (largestSentAt <= this.#recoveryStartedAt) return;
    this.#inRecovery = false;
    if (this.#window >= this.slowStartThreshold) {
      if (!appLimited) this.#window += (this.#maxDatagramSize * bytes) / this.#window;
      return;
    }
    if (this.slowStartThreshold !== Number.POSITIVE_INFINITY) {
      if (!appLimited) this.#window += bytes;
      return;
    }
    const divisor = this.#hystart.onAcked(now, largestSentAt, rtt.latest);
    if (divisor === 0) this.slowStartThreshold = this.#window;
    else if (!appLimited) this.#window += bytes / divisor;
  }

  onCongestionEvent(now: Millis, largestSentAt: Millis): void {
    if (largestSentAt <= this.#recoveryStartedAt) return;
    this.#undoWindow = this.#window;
    this.#undoThreshold = this.slowStartThreshold;
    this.#recoveryStartedAt = now;
    this.#inRecovery = true;
    this.#window = Math.max(this.#window * LOSS_REDUCTION_FACTOR, minimumWindow(this.#maxDatagramSize));
    this.slowStartThreshold = this.#window;
  }

  onSpuriousCongestionEvent(): void {
    if (this.#window >= this.#undoWindow) return;
    this.#window = this.#undoWindow;
    this.slowStartThreshold = this.#undoThreshold;
    this.#recoveryStartedAt = -1;
    this.#inRecovery = false;
  }

  onPersistentCongestion(): void {
    this.#window = minimumWindow(this.#maxDatagramSize);
    this.#recoveryStartedAt = -1;
    this.#inRecovery = false;
  }

  onMaxDatagramSize(bytes: number): void {
    this.#maxDatagramSize = bytes;
    this.#window = Math.max(this.#window, minimumWindow(bytes));
  }
}

/** Makes a NewReno controller. */
export const newReno: CongestionControllerFactory = (maxDatagramSize) => new NewReno(maxDatagramSize);
