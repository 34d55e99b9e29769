import type { Millis } from '../../base/time.ts';
import type { RttEstimator } from '../rtt.ts';
import type { CongestionController, CongestionControllerFactory } from './controller.ts';
import { HyStart } from './hystart.ts';
import { initialWindow, minimumWindow } from './initial-window.ts';
import { type Reducible, Reductions } from './reductions.ts';

/** How steep the curve is, RFC 9438 §5.1: 0.4 segments per cubic second, here per cubic millisecond. */
const C = 0.4e-9;
/** What is left of the window after a loss, §4.6. */
const BETA = 0.7;
/** Growth per round trip in segments that makes an AIMD with BETA as fast as Reno, §4.3. */
const ALPHA = (3 * (1 - BETA)) / (1 + BETA);

/** The variables that a congestion event changes, RFC 9438 §4.9.2. */
interface Curve extends Reducible {
  /** ssthresh. */
  threshold: number;
  /** W_max: where the window was when it last proved too large, in bytes; 0 for unknown. */
  wMax: number;
  /** cwnd_prior: the window at the latest event; 0 before the first, which is as good as the window where slow start ended (§4.10). */
  prior: number;
  /** t_epoch: when this stage of congestion avoidance started, less the idle time since; -1 before its first ACK. */
  epoch: Millis;
  /** K: how long after `epoch` the curve reaches wMax. */
  k: Millis;
  /** W_est: the window that Reno would have. */
  estimate: number;
}

/** CUBIC, RFC 9438, with HyStart++ in its first slow start. Windows are bytes, times milliseconds. */
export class Cubic implements CongestionController {
  readonly name = 'cubic';
  readonly pacingRate = 0;
  #maxDatagramSize: number;
  readonly #now: Curve;
  readonly #reductions: Reductions<Curve>;
  /** Whether nothing sent after recovery began has been acknowledged yet. */
  #inRecovery = false;
  /** When the window was last looked at; what passed since may not have been used (§4.2, §5.8). */
  #lastAckedAt: Millis = 0;
  readonly #hystart = new HyStart();

  constructor(maxDatagramSize: number) {
    this.#maxDatagramSize = maxDatagramSize;
    const window = initialWindow(maxDatagramSize);
    const threshold = Number.POSITIVE_INFINITY;
    this.#now = { window, threshold, recoveryStartedAt: -1, wMax: 0, prior: 0, epoch: -1, k: 0, estimate: 0 };
    this.#reductions = new Reductions(this.#now, (curve) => this.#reduce(curve));
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

  onPacketSent(now: Millis, bytes: number, bytesInFlight: number): void {
    // Out of quiescence: the curve must not have climbed meanwhile.
    if (bytesInFlight === bytes) this.#excludeIdle(now);
  }

  onAcked(
    now: Millis,
    bytes: number,
    largestSentAt: Millis,
    _largestAcked: number,
    rtt: RttEstimator,
    _bytesInFlight: number,
    appLimited: boolean,
  ): void {
    if (largestSentAt <= this.#now.recoveryStartedAt) return;
    this.#inRecovery = false;
    if (appLimited) this.#excludeIdle(now);
    if (this.#now.window < this.#now.threshold) this.#slowStart(now, bytes, largestSentAt, rtt.latest, appLimited);
    else if (!appLimited) this.#avoidCongestion(now, bytes, rtt.smoothed);
    this.#lastAckedAt = now;
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
    this.#now.wMax = 0;
    this.#now.epoch = -1;
    this.#now.recoveryStartedAt = -1;
    this.#inRecovery = false;
    this.#reductions.clear();
  }

  onMaxDatagramSize(bytes: number): void {
    this.#maxDatagramSize = bytes;
    this.#now.window = Math.max(this.#now.window, minimumWindow(bytes));
  }

  /** A congestion event, §4.6. */
  #reduce(curve: Curve): void {
    // Fast convergence, §4.7: a saturation point that falls says that somebody else wants a share.
    curve.wMax = curve.window < curve.wMax ? (curve.window * (1 + BETA)) / 2 : curve.window;
    curve.prior = curve.window;
    curve.window = Math.max(curve.window * BETA, minimumWindow(this.#maxDatagramSize));
    curve.threshold = curve.window;
    curve.epoch = -1;
  }

  #slowStart(now: Millis, bytes: number, largestSentAt: Millis, rtt: Millis, appLimited: boolean): void {
    const curve = this.#now;
    // HyStart++ is for the first slow start only, RFC 9406 §4.3.
    const divisor = curve.threshold === Number.POSITIVE_INFINITY ? this.#hystart.onAcked(now, largestSentAt, rtt) : 1;
    if (divisor > 0) {
      if (!appLimited) curve.window += bytes / divisor;
      return;
    }
    curve.threshold = curve.window;
  }

  #avoidCongestion(now: Millis, bytes: number, rtt: Millis): void {
    const curve = this.#now;
    if (curve.epoch < 0) this.#beginEpoch(now);
    const scale = C * this.#maxDatagramSize;
    const elapsed = now - curve.epoch;
    const target = scale * (elapsed + rtt - curve.k) ** 3 + curve.wMax;
    const bounded = Math.min(Math.max(target, curve.window), 1.5 * curve.window);
    const alpha = curve.estimate < curve.prior ? ALPHA : 1;
    curve.estimate += (alpha * this.#maxDatagramSize * bytes) / curve.window;
    const cubic = scale * (elapsed - curve.k) ** 3 + curve.wMax;
    if (cubic < curve.estimate) curve.window = Math.max(curve.window, curve.estimate);
    else curve.window += ((bounded - curve.window) * bytes) / curve.window;
  }

  #beginEpoch(now: Millis): void {
    const curve = this.#now;
    curve.epoch = now;
    curve.estimate = curve.window;
    // Unknown (no loss ended slow start) or already exceeded: the plateau is here, and K is 0 (§4.8, §4.10).
    if (curve.wMax <= curve.window) curve.wMax = curve.window;
    curve.k = Math.cbrt((curve.wMax - curve.window) / (C * this.#maxDatagramSize));
  }

  /** Takes the time since the last ACK out of the curve. */
  #excludeIdle(now: Millis): void {
    if (this.#now.epoch < 0) return;
    this.#now.epoch += now - Math.max(this.#lastAckedAt, this.#now.epoch);
    this.#lastAckedAt = now;
  }
}

/** Makes a CUBIC controller. */
export const cubic: CongestionControllerFactory = (maxDatagramSize) => new Cubic(maxDatagramSize);
