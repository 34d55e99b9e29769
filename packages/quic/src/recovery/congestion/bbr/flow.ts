import type { Random } from '../../../base/random.ts';
import type { Millis } from '../../../base/time.ts';
import { DeliveryRate, type RateSample } from '../../delivery-rate.ts';
import { initialWindow } from '../initial-window.ts';
import { AckAggregation } from './ack-aggregation.ts';
import { FullPipe } from './full-pipe.ts';
import { LongTerm } from './long-term.ts';
import { MinRtt } from './min-rtt.ts';
import { ProbeClock } from './probe-clock.ts';
import { Rounds } from './rounds.ts';
import { ShortTerm } from './short-term.ts';
import { WindowedMax } from './windowed-max.ts';

/** BBR.state. */
export type BbrState =
  | 'startup'
  | 'drain'
  | 'probe_bw_down'
  | 'probe_bw_cruise'
  | 'probe_bw_refill'
  | 'probe_bw_up'
  | 'probe_rtt';

/** How much faster than the bandwidth to send, and how many times what the path holds to have in flight: §5.6.1. */
const GAINS: Record<BbrState, { readonly pacing: number; readonly window: number }> = {
  startup: { pacing: 2.77, window: 2 },
  drain: { pacing: 0.5, window: 2 },
  probe_bw_down: { pacing: 0.9, window: 2 },
  probe_bw_cruise: { pacing: 1, window: 2 },
  probe_bw_refill: { pacing: 1, window: 2 },
  probe_bw_up: { pacing: 1.25, window: 2.25 },
  probe_rtt: { pacing: 1, window: 0.5 },
};

/** BBR.MaxBwFilterLen, in cycles of probing. */
const MAX_BW_CYCLES = 2;
/** BBR.PacingMarginPercent: 1. */
const PACING_MARGIN = 0.99;
/** The round-trip time from which the first pacing rate is computed, until one is measured: §5.6.2. */
const NOMINAL_RTT: Millis = 1;
/** BBR.MinPipeCwnd, in datagrams. */
const MIN_PIPE_DATAGRAMS = 4;
/** What is sent together, at most: §5.6.3. The least of that is less than MIN_PIPE_DATAGRAMS anyway. */
const MAX_QUANTUM = 64 << 10;
const QUANTUM_DURATION: Millis = 1;

/**
 * The model of the path that BBR's states share, and what it says about rate and window (draft-ietf-ccwg-bbr §5.5, §5.6).
 * Bytes, milliseconds, bytes a millisecond.
 */
export class Flow {
  state: BbrState = 'startup';
  /** C.SMSS. */
  datagram: number;
  /** C.cwnd. */
  window: number;
  /** BBR.prior_cwnd: the last window that neither recovery nor ProbeRTT has touched. */
  priorWindow = 0;
  /** C.pacing_rate. */
  pacingRate: number;
  /** BBR.bw. */
  bw = 0;
  /** The ACK being processed: its time, its sample, and what is in flight after it. */
  now: Millis = 0;
  sample: RateSample;
  inFlight = 0;
  /** Whether the flow sends after a pause: BBR.idle_restart. */
  isIdleRestart = false;
  /** Whether Startup loses so much that it sends no faster than the path delivers until it is decided whether it ends. */
  isHeld = false;
  readonly delivery = new DeliveryRate();
  readonly rounds = new Rounds();
  readonly fullPipe = new FullPipe();
  readonly minRtt = new MinRtt();
  readonly shortTerm = new ShortTerm();
  readonly longTerm = new LongTerm();
  readonly aggregation = new AckAggregation();
  readonly clock: ProbeClock;
  readonly #maxBw = new WindowedMax();
  /** BBR.cycle_count. */
  #cycle = 0;
  /** C.InitialCwnd. */
  readonly #initialWindow: number;
  /** Whether the pacing rate has been computed from a measured round-trip time. */
  #hasRtt = false;
  /** Whether the window was full at some time of this round, and of the last. */
  #isFull = false;
  #wasFull = false;

  constructor(datagram: number, random: Random | undefined) {
    this.datagram = datagram;
    this.#initialWindow = initialWindow(datagram);
    this.window = this.#initialWindow;
    this.pacingRate = (GAINS.startup.pacing * this.window) / NOMINAL_RTT;
    this.sample = this.delivery.sample;
    this.clock = new ProbeClock(random);
  }

  /** BBR.max_bw. */
  get maxBw(): number {
    return this.#maxBw.max;
  }

  /** IsInAProbeBWState. */
  get isInProbeBw(): boolean {
    return this.state !== 'startup' && this.state !== 'drain' && this.state !== 'probe_rtt';
  }

  /** IsProbingBW: whether it sends faster to see whether that delivers more. */
  get isProbing(): boolean {
    return this.state === 'startup' || this.state === 'probe_bw_refill' || this.state === 'probe_bw_up';
  }

  /** C.is_cwnd_limited: whether the window has been full in the last round trip. */
  get isWindowLimited(): boolean {
    return this.#isFull || this.#wasFull;
  }

  /** BBR.MinPipeCwnd. */
  get minPipe(): number {
    return MIN_PIPE_DATAGRAMS * this.datagram;
  }

  /** TargetInflight: what the path holds, unless congestion has cut the window. */
  get targetInFlight(): number {
    return Math.min(this.#bdp(this.bw, 1), this.window);
  }

  /** ProbeRTTCwnd. */
  get probeRttWindow(): number {
    return Math.max(this.#bdp(this.bw, GAINS.probe_rtt.window), this.minPipe);
  }

  /** InflightWithHeadroom. */
  get inFlightWithHeadroom(): number {
    return this.longTerm.withHeadroom(this.datagram, this.minPipe);
  }

  /** Inflight(1.0): what the path of this bandwidth holds without a queue. */
  pipe(bw = this.bw): number {
    return this.#quantized(this.#bdp(bw, 1));
  }

  /** StartRound. */
  startRound(): void {
    this.rounds.restart(this.delivery.delivered);
  }

  /** SaveCwnd. */
  saveWindow(isInRecovery: boolean): void {
    const isOwn = !isInRecovery && this.state !== 'probe_rtt';
    this.priorWindow = isOwn ? this.window : Math.max(this.priorWindow, this.window);
  }

  /** RestoreCwnd. */
  restoreWindow(): void {
    this.window = Math.max(this.window, this.priorWindow);
  }

  /** A packet was sent; `inFlight` includes it. Only whole datagrams are sent: less room than that is none. */
  onSent(inFlight: number): void {
    if (inFlight + this.datagram > this.window) this.#isFull = true;
  }

  /** The model's part of an ACK before the states: rounds, bandwidth, bounds, aggregation (§5.2.3). */
  beginAck(now: Millis, inFlight: number): void {
    const { sample, delivery, shortTerm, rounds, fullPipe } = this;
    this.now = now;
    this.inFlight = inFlight;
    shortTerm.begin(sample, delivery.delivered);
    rounds.update(sample.priorDelivered, delivery.delivered);
    if (rounds.isStart) this.#onRound();
    if (sample.deliveryRate > 0 && (sample.deliveryRate >= this.maxBw || !sample.isAppLimited)) {
      this.#maxBw.update(sample.deliveryRate, this.#cycle, MAX_BW_CYCLES);
    }
    if (shortTerm.isRoundEnd) {
      if (shortTerm.isLossInRound && !this.isProbing) shortTerm.lower(this.maxBw, this.window);
      shortTerm.isLossInRound = false;
    }
    this.aggregation.update(now, this.bw, sample.newlyAcked, this.window, rounds.count, !fullPipe.isReached);
    if (rounds.isStart) fullPipe.update(sample);
  }

  /** The model's part after the states: AdvanceLatestDeliverySignals, BoundBWForModel. */
  endAck(): void {
    this.shortTerm.end(this.sample);
    this.bw = Math.min(this.maxBw, this.shortTerm.bw);
  }

  /** AdvanceMaxBwFilter: a cycle of probing is over. */
  advanceCycle(): void {
    this.#cycle++;
  }

  /** UpdateControlParameters: rate and window from the model. `smoothedRtt` is 0 until one is measured. */
  control(smoothedRtt: Millis): void {
    if (!this.#hasRtt && smoothedRtt > 0) {
      this.#hasRtt = true;
      this.pacingRate = (GAINS.startup.pacing * this.#initialWindow) / smoothedRtt;
    }
    this.pace(this.isHeld ? 1 : GAINS[this.state].pacing);
    this.#setWindow();
  }

  /** SetPacingRateWithGain: until the pipe has been full the rate only rises, unless Startup is held. */
  pace(gain: number): void {
    const rate = gain * this.bw * PACING_MARGIN;
    if (rate > 0 && (this.fullPipe.isReached || this.isHeld || rate > this.pacingRate)) this.pacingRate = rate;
  }

  /** SetCwnd, §5.6.4.6: down at once, up by what is acknowledged. */
  #setWindow(): void {
    const { newlyAcked } = this.sample;
    const most = this.#quantized(this.#bdp(this.bw, GAINS[this.state].window) + this.aggregation.extra);
    if (this.fullPipe.isReached) this.window = Math.min(this.window + newlyAcked, most);
    else if (this.window < most || this.delivery.delivered < this.#initialWindow) this.window += newlyAcked;
    this.window = Math.max(this.window, this.minPipe);
    if (this.state === 'probe_rtt') this.window = Math.min(this.window, this.probeRttWindow);
    this.window = Math.min(this.window, Math.max(this.#volumeCap(), this.minPipe));
  }

  /** BoundCwndForModel, §5.6.4.7. */
  #volumeCap(): number {
    if (this.state === 'probe_rtt' || this.state === 'probe_bw_cruise') {
      return Math.min(this.inFlightWithHeadroom, this.shortTerm.inflight);
    }
    return this.isInProbeBw ? Math.min(this.longTerm.inflight, this.shortTerm.inflight) : this.shortTerm.inflight;
  }

  #onRound(): void {
    this.clock.onRound();
    this.#wasFull = this.#isFull;
    this.#isFull = false;
  }

  /** BDPMultiple. */
  #bdp(bw: number, gain: number): number {
    return this.minRtt.value === Number.POSITIVE_INFINITY ? this.#initialWindow : gain * bw * this.minRtt.value;
  }

  /** QuantizationBudget: what is sent together must fit, here and at the peer. */
  #quantized(inFlight: number): number {
    const quantum = Math.min(this.pacingRate * QUANTUM_DURATION, MAX_QUANTUM);
    const capped = Math.max(inFlight, quantum, this.minPipe);
    return this.state === 'probe_bw_up' ? capped + 2 * this.datagram : capped;
  }
}
