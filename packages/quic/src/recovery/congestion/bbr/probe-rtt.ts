import type { Millis } from '../../../base/time.ts';
import type { Flow } from './flow.ts';

/** BBR.ProbeRTTDuration. */
const DURATION: Millis = 200;

/** Empties the queue now and then to see the round-trip time without it: ProbeRTT of draft-ietf-ccwg-bbr §5.3.4. */
export class ProbeRtt {
  readonly #flow: Flow;
  /** BBR.probe_rtt_done_stamp; -1 until little enough is in flight. */
  #endsAt: Millis = -1;
  /** BBR.probe_rtt_round_done. */
  #isRoundDone = false;

  constructor(flow: Flow) {
    this.#flow = flow;
  }

  /** Whether to begin now: a pause has drained the queue just as well. */
  isDue(): boolean {
    const { state, minRtt, isIdleRestart } = this.#flow;
    return state !== 'probe_rtt' && minRtt.isProbeDue && !isIdleRestart;
  }

  /** EnterProbeRTT. */
  enter(isInRecovery: boolean): void {
    this.#flow.state = 'probe_rtt';
    this.#flow.saveWindow(isInRecovery);
    this.#endsAt = -1;
  }

  /** HandleProbeRTT, for each ACK in this state. Returns whether it's done. */
  update(): boolean {
    const { delivery, inFlight, probeRttWindow, rounds, now } = this.#flow;
    // Rates are low on purpose.
    delivery.markAppLimited(inFlight);
    if (this.#endsAt < 0) {
      if (inFlight > probeRttWindow) return false;
      this.#endsAt = now + DURATION;
      this.#isRoundDone = false;
      this.#flow.startRound();
      return false;
    }
    if (rounds.isStart) this.#isRoundDone = true;
    return this.#isRoundDone && this.checkDone(now);
  }

  /** CheckProbeRTTDone: restores the window when the time is over, and returns whether it is. */
  checkDone(now: Millis): boolean {
    if (this.#endsAt < 0 || now <= this.#endsAt) return false;
    this.#flow.minRtt.onProbed(now);
    this.#flow.restoreWindow();
    return true;
  }
}
