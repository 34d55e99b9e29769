import type { LostPacket } from '../../delivery-rate.ts';
import type { Flow } from './flow.ts';
import { BETA } from './short-term.ts';
import { LOSS_THRESHOLD } from './startup.ts';
import type { Undo } from './undo.ts';

/**
 * The steady state, a cycle: slow down until the queue is gone, cruise, refill the pipe, send faster to see whether the path
 * delivers more. ProbeBW_DOWN, CRUISE, REFILL and UP of draft-ietf-ccwg-bbr §5.3.3.
 */
export class ProbeBw {
  readonly #flow: Flow;
  readonly #undo: Undo;
  /** BBR.ack_phase, as far as it matters: whether answers to a probe that is over are still arriving, ACKS_PROBE_STOPPING. */
  #isStopping = false;
  /** BBR.is_bw_probe_sample: whether losses now are answers to a probe, which have had no consequence yet. */
  #isProbeSample = false;
  /** BBR.prev_probe_too_high: whether the last probe lost too much. */
  #wasTooHigh = false;
  /** BBR.prev_probe_precautionary: whether it ended as soon as it reached the bound that the probe before had shown. */
  #wasPrecautionary = false;

  constructor(flow: Flow, undo: Undo) {
    this.#flow = flow;
    this.#undo = undo;
  }

  /** StartProbeBW_DOWN. */
  startDown(): void {
    const { shortTerm, longTerm, clock, now } = this.#flow;
    shortTerm.resetSignals();
    longTerm.endSlope();
    clock.restart(now);
    this.#begin('probe_bw_down', true);
  }

  /** StartProbeBW_CRUISE. */
  startCruise(): void {
    this.#flow.state = 'probe_bw_cruise';
  }

  /** StartProbeBW_REFILL. */
  startRefill(): void {
    const { shortTerm, longTerm } = this.#flow;
    shortTerm.reset();
    longTerm.restartSlope();
    this.#wasPrecautionary = false;
    this.#begin('probe_bw_refill', false);
  }

  /** ProbeRTT begins, and whatever probe was under way ends. */
  suspend(): void {
    this.#isStopping = true;
    this.#flow.startRound();
  }

  /** UpdateProbeBWCyclePhase, for each ACK. `isMarked`: whether it reports CE marks. */
  update(isMarked: boolean): void {
    const { fullPipe, rounds } = this.#flow;
    if (!fullPipe.isReached) return;
    if (this.#adaptLongTerm(isMarked)) return;
    switch (this.#flow.state) {
      case 'probe_bw_down':
        if (this.#isTimeToProbe()) this.startRefill();
        else if (this.#isTimeToCruise()) this.startCruise();
        break;
      case 'probe_bw_cruise':
        if (this.#isTimeToProbe()) this.startRefill();
        break;
      case 'probe_bw_refill':
        if (!rounds.isStart) break;
        this.#isProbeSample = true;
        this.#startUp();
        break;
      case 'probe_bw_up':
        if (this.#isTimeToGoDown()) this.#endUp();
        break;
    }
  }

  /** HandleLostPacket: at which volume did the losses pass the threshold? §5.5.10.2. */
  onPacketLost(lost: LostPacket): void {
    if (!this.#isProbeSample || lost.lost <= lost.txInFlight * LOSS_THRESHOLD) return;
    const inFlightBefore = lost.txInFlight - lost.size;
    const lostBefore = lost.lost - lost.size;
    const prefix = (LOSS_THRESHOLD * inFlightBefore - lostBefore) / (1 - LOSS_THRESHOLD);
    this.#onTooHigh(inFlightBefore + prefix, lost.isAppLimited);
  }

  /** The ACK that is about to be processed reports CE marks: as bad as too many losses. */
  onMarked(): void {
    const { txInFlight, isAppLimited } = this.#flow.sample;
    if (this.#isProbeSample) this.#onTooHigh(txInFlight, isAppLimited);
  }

  #begin(state: Flow['state'], isStopping: boolean): void {
    this.#isStopping = isStopping;
    this.#flow.startRound();
    this.#flow.state = state;
  }

  #startUp(): void {
    const { fullPipe, sample, longTerm, window, datagram } = this.#flow;
    this.#begin('probe_bw_up', false);
    fullPipe.restart(sample.deliveryRate);
    longTerm.raiseSlope(window, datagram);
  }

  #endUp(): void {
    // No high loss yet; what is still in flight may show some.
    this.#wasTooHigh = false;
    this.startDown();
  }

  /** HandleInflightTooHigh. */
  #onTooHigh(inFlight: number, isAppLimited: boolean): void {
    const flow = this.#flow;
    this.#wasTooHigh = true;
    // Once a probe.
    this.#isProbeSample = false;
    if (!isAppLimited) flow.longTerm.inflight = Math.max(inFlight, flow.targetInFlight * BETA);
    if (flow.state !== 'probe_bw_up') return;
    this.#undo.onStateEnded('probe_bw_up');
    this.startDown();
  }

  /** AdaptLongTermModel: follows the answers to the probe. Returns whether that decided the next state. */
  #adaptLongTerm(isMarked: boolean): boolean {
    const { rounds, sample, longTerm, state } = this.#flow;
    if (this.#isStopping && rounds.isStart && this.#endFeedback()) return true;
    if (isMarked || sample.lost > sample.txInFlight * LOSS_THRESHOLD) return false;
    longTerm.inflight = Math.max(longTerm.inflight, sample.txInFlight);
    if (state === 'probe_bw_up') this.#probeLongTerm();
    return false;
  }

  /** All answers to the probe are in. Returns whether the next one follows at once, because this one was cut short for nothing. */
  #endFeedback(): boolean {
    const { isInProbeBw, sample } = this.#flow;
    this.#isProbeSample = false;
    this.#isStopping = false;
    if (!isInProbeBw) return false;
    if (!sample.isAppLimited) this.#flow.advanceCycle();
    if (!this.#wasPrecautionary || this.#wasTooHigh) return false;
    this.startRefill();
    return true;
  }

  /** ProbeInflightLongtermUpward. */
  #probeLongTerm(): void {
    const { longTerm, window, datagram, rounds, sample, isWindowLimited } = this.#flow;
    if (!isWindowLimited || window < longTerm.inflight) return;
    longTerm.raise(sample.newlyAcked, datagram);
    if (rounds.isStart) longTerm.raiseSlope(window, datagram);
  }

  /** IsTimeToProbeBW. */
  #isTimeToProbe(): boolean {
    const { clock, now, targetInFlight, datagram } = this.#flow;
    return clock.isDue(now, targetInFlight / datagram);
  }

  /** IsTimeToCruise. */
  #isTimeToCruise(): boolean {
    const { inFlight, inFlightWithHeadroom, maxBw } = this.#flow;
    return inFlight <= inFlightWithHeadroom && inFlight <= this.#flow.pipe(maxBw);
  }

  /** IsTimeToGoDown. */
  #isTimeToGoDown(): boolean {
    const { longTerm, sample, datagram, isWindowLimited, window, fullPipe } = this.#flow;
    // Whole datagrams are sent, and the ACK has taken some off: the bound counts as reached where no other would have fitted.
    if (this.#wasTooHigh && sample.priorInFlight + datagram > longTerm.inflight) {
      this.#wasPrecautionary = true;
      return true;
    }
    if (!isWindowLimited || window < longTerm.inflight) return fullPipe.isNow;
    // The bound, not the path, is the limit.
    fullPipe.restart(sample.deliveryRate);
    return false;
  }
}
