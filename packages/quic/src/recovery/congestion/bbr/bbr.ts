import type { Random } from '../../../base/random.ts';
import type { Millis } from '../../../base/time.ts';
import type { DeliveryRate, LostPacket, RateSample } from '../../delivery-rate.ts';
import type { RttEstimator } from '../../rtt.ts';
import type { CongestionController, CongestionControllerFactory } from '../controller.ts';
import { minimumWindow } from '../initial-window.ts';
import { type BbrState, Flow } from './flow.ts';
import { LossEpisode } from './loss-episode.ts';
import { ProbeBw } from './probe-bw.ts';
import { ProbeRtt } from './probe-rtt.ts';
import { Startup } from './startup.ts';
import { Undo } from './undo.ts';

/**
 * BBR version 3, draft-ietf-ccwg-bbr: sends at the rate at which the path delivers, with little more in flight than it holds.
 * The draft leaves ECN open but for this: a CE mark is a sign of congestion (§3.6). Here it counts as a round with losses, and
 * in Startup and in a probe for bandwidth as too many of them.
 */
export class Bbr implements CongestionController {
  readonly name = 'bbr';
  readonly slowStartThreshold = Number.POSITIVE_INFINITY;
  readonly delivery: DeliveryRate;
  readonly #flow: Flow;
  readonly #startup: Startup;
  readonly #probeBw: ProbeBw;
  readonly #probeRtt: ProbeRtt;
  readonly #undo = new Undo();
  readonly #episode = new LossEpisode();
  /** Whether the ACK that is about to be processed reports CE marks. */
  #isMarked = false;

  constructor(maxDatagramSize: number, random?: Random) {
    this.#flow = new Flow(maxDatagramSize, random);
    this.delivery = this.#flow.delivery;
    this.#startup = new Startup(this.#flow, this.#undo);
    this.#probeBw = new ProbeBw(this.#flow, this.#undo);
    this.#probeRtt = new ProbeRtt(this.#flow);
  }

  get window(): number {
    return this.#flow.window;
  }

  get pacingRate(): number {
    return this.#flow.pacingRate;
  }

  /** Where it is in its cycle; for tests and reports. */
  get state(): BbrState {
    return this.#flow.state;
  }

  /** BBR.bw, in bytes a millisecond. */
  get bandwidth(): number {
    return this.#flow.bw;
  }

  /** BBR.max_bw, in bytes a millisecond. */
  get maxBandwidth(): number {
    return this.#flow.maxBw;
  }

  /** BBR.min_rtt; Infinity until there is a sample. */
  get minRtt(): Millis {
    return this.#flow.minRtt.value;
  }

  /** BBR.inflight_longterm in bytes; Infinity until losses show a bound. */
  get inflightLongTerm(): number {
    return this.#flow.longTerm.inflight;
  }

  /** Slow start lasts until the pipe has been full; its queue is drained outside of it. */
  get phase(): 'slow_start' | 'congestion_avoidance' | 'recovery' {
    if (!this.#flow.fullPipe.isReached) return 'slow_start';
    return this.#episode.isActive ? 'recovery' : 'congestion_avoidance';
  }

  onPacketSent(now: Millis, bytes: number, bytesInFlight: number): void {
    if (bytesInFlight <= bytes && this.delivery.isAppLimited) this.#restartFromIdle(now);
    this.#flow.onSent(bytesInFlight);
  }

  /** Everything is in the sample. */
  onAcked(): void {}

  onSample(now: Millis, sample: RateSample, rtt: RttEstimator, bytesInFlight: number): void {
    const flow = this.#flow;
    const isMarked = this.#isMarked;
    this.#isMarked = false;
    flow.now = now;
    if (isMarked) this.#probeBw.onMarked();
    flow.beginAck(now, bytesInFlight);
    this.#startup.check(this.#episode.isActive, isMarked);
    if (this.#startup.isDrained()) this.#probeBw.startDown();
    this.#probeBw.update(isMarked);
    flow.minRtt.update(now, sample.rtt);
    this.#checkProbeRtt();
    flow.endAck();
    if (this.#episode.onAcked(sample.sentAt)) flow.restoreWindow();
    flow.control(rtt.hasSample ? rtt.smoothed : 0);
  }

  /** HandleLostPacket. */
  onPacketLost(now: Millis, lost: LostPacket): void {
    const flow = this.#flow;
    flow.now = now;
    this.#noteCongestion(now, lost.sentAt);
    flow.shortTerm.noteLoss(this.delivery.delivered);
    this.#startup.onPacketLost(lost);
    this.#probeBw.onPacketLost(lost);
  }

  onCongestionEvent(now: Millis, largestSentAt: Millis, _lostBytes: number, ecn: boolean): void {
    if (!ecn) return;
    this.#noteCongestion(now, largestSentAt);
    this.#isMarked = true;
    this.#flow.shortTerm.noteLoss(this.delivery.delivered);
  }

  /** OnEnterRTO, but with the window that RFC 9002 §7.6.2 demands. */
  onPersistentCongestion(): void {
    this.#flow.saveWindow(this.#episode.isActive);
    this.#flow.window = minimumWindow(this.#flow.datagram);
    this.#undo.clear();
  }

  /** HandleSpuriousLossDetection. */
  onSpuriousCongestionEvent(_now: Millis, later: number): void {
    const flow = this.#flow;
    const episode = this.#undo.takeBack(flow, later);
    if (episode === undefined) return;
    this.#episode.takeBack(episode.previousAt);
    if (episode.state === 'startup' && flow.state !== 'startup') {
      flow.fullPipe.isReached = false;
      if (flow.state !== 'probe_rtt') this.#startup.enter();
    } else if (episode.state === 'probe_bw_up' && flow.state !== 'probe_bw_up' && flow.state !== 'probe_rtt') {
      this.#probeBw.startRefill();
    }
  }

  onMaxDatagramSize(bytes: number): void {
    this.#flow.datagram = bytes;
    this.#flow.window = Math.max(this.#flow.window, this.#flow.minPipe);
  }

  /** A packet sent at `sentAt` was lost or marked. */
  #noteCongestion(now: Millis, sentAt: Millis): void {
    const { isActive, startedAt } = this.#episode;
    // Once an episode: the draft saves at the first loss of each round, by which time the bounds may have been lowered already.
    if (this.#episode.onLost(now, sentAt)) this.#undo.save(this.#flow, isActive, startedAt);
  }

  /** CheckProbeRTT. */
  #checkProbeRtt(): void {
    const flow = this.#flow;
    if (this.#probeRtt.isDue()) {
      this.#probeRtt.enter(this.#episode.isActive);
      this.#probeBw.suspend();
    }
    if (flow.state === 'probe_rtt' && this.#probeRtt.update()) this.#exitProbeRtt();
    if (flow.sample.delivered > 0) flow.isIdleRestart = false;
  }

  /** ExitProbeRTT: what little is in flight leaves nothing to drain, so ProbeBW begins with CRUISE. */
  #exitProbeRtt(): void {
    this.#flow.shortTerm.reset();
    if (!this.#flow.fullPipe.isReached) {
      this.#startup.enter();
      return;
    }
    this.#probeBw.startDown();
    this.#probeBw.startCruise();
  }

  /** HandleRestartFromIdle, §5.4.1. */
  #restartFromIdle(now: Millis): void {
    const flow = this.#flow;
    flow.now = now;
    flow.isIdleRestart = true;
    flow.aggregation.restart(now);
    if (flow.isInProbeBw) flow.pace(1);
    else if (flow.state === 'probe_rtt' && this.#probeRtt.checkDone(now)) this.#exitProbeRtt();
  }
}

/** Makes a BBR controller; `random` decides when it probes for bandwidth. */
export const bbr: CongestionControllerFactory = (maxDatagramSize, random) => new Bbr(maxDatagramSize, random);
