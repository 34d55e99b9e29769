import type { Random } from '../base/random.ts';
import { type Millis, NEVER } from '../base/time.ts';
import type { AckFrame } from '../wire/frame-handler.ts';
import { Space } from '../wire/frame-type.ts';
import type { SentFramesSink } from '../wire/sent-frames.ts';
import { AckTally, acknowledge } from './acknowledge.ts';
import type { CongestionController, CongestionControllerFactory } from './congestion/controller.ts';
import { CongestionEvents } from './congestion-events.ts';
import type { DeliveryRate } from './delivery-rate.ts';
import { EcnValidator } from './ecn.ts';
import { LossDetector, type LossListener } from './loss.ts';
import { Pacer } from './pacer.ts';
import { LossStretch } from './persistent-congestion.ts';
import { ProbeTimer } from './probe-timer.ts';
import { type RecoveryCounters, zeroCounters } from './recovery-counters.ts';
import { Reordering } from './reordering.ts';
import { RttEstimator } from './rtt.ts';
import { SendSnapshots } from './send-snapshots.ts';
import { PacketFlag, SentPackets } from './sent-packets.ts';

/** How many times faster than a window per round trip to send, in slow start and otherwise (RFC 9002 §7.7). */
const SLOW_START_PACING_GAIN = 2;
const PACING_GAIN = 1.25;
/** How many probe timeouts a lost packet is remembered for, in case its acknowledgment was merely late, and how long at least. */
const LATE_ACK_PTOS = 3;
const LATE_ACK_TIME: Millis = 500;
/** What a path with a round trip of 3 s needs at its first sample, when it is thrice that, and any that is less than 10 s later. */
const MAX_THREE_PTOS: Millis = 30_000;
/** Packets handed back, and packets owed, when a probe timeout expires: two, so that one loss costs no further timeout. */
const PROBES = 2;
/** A sender that leaves this many datagrams' room in the window still uses it fully. */
const FULL_WINDOW_SLACK_DATAGRAMS = 3;

export interface RecoveryOptions {
  readonly isServer: boolean;
  readonly congestion: CongestionControllerFactory;
  /** The path's datagram size in bytes, from which windows are computed. */
  readonly maxDatagramSize: number;
  /** The round-trip time assumed until one is measured. */
  readonly initialRtt?: Millis;
  /** For what congestion control leaves to chance. */
  readonly random?: Random;
}

/**
 * Loss detection and congestion control of one connection, RFC 9002: which packets are in flight, what became of them,
 * when to look again, and how much may be sent. The sink must not call back into Recovery while it is being told.
 */
export class Recovery {
  readonly rtt: RttEstimator;
  /** Replaced on a new path, and by `setCongestion`. */
  congestion: CongestionController;
  /** When the present controller first left slow start, or -1. */
  slowStartEndedAt: Millis = -1;
  readonly pacer: Pacer;
  readonly ecn = new EcnValidator();
  /** When probes are due; who learns something that its fields tell of sets them. See counters.ptoCount for all timeouts. */
  readonly probeTimer: ProbeTimer;
  /** How late and how far behind others a packet may be before it counts as lost. */
  readonly reordering: Reordering;
  /** Indexed by Space. */
  readonly spaces: readonly SentPackets[];
  /** Ack-eliciting packets owed in each space, which ignore window and pacer; whoever sends one takes it off. */
  readonly probes: Int32Array = new Int32Array(3);
  readonly counters: RecoveryCounters = zeroCounters();
  /** Called when RTT, window, bytes in flight or PTO count may have changed, other than by sending. */
  onMetrics: (() => void) | undefined;
  readonly #loss: LossDetector;
  readonly #stretches: readonly LossStretch[] = [new LossStretch(), new LossStretch(), new LossStretch()];
  readonly #events = new CongestionEvents();
  readonly #acked: AckTally;
  /** Makes the controller of the present path and of the next. */
  #factory: CongestionControllerFactory;
  #maxDatagramSize: number;
  readonly #initialRtt: Millis | undefined;
  readonly #random: Random | undefined;
  /** The present controller's, if it has one. */
  #delivery: DeliveryRate | undefined;
  /** Whether the application, not the window, limited what was sent last. */
  #appLimited = false;
  /** Packets larger than BASE_DATAGRAM_SIZE lost in a row: none of that size has been acknowledged since. */
  #largePacketsLost = 0;
  /** Whether one datagram may exceed the window, to speed up recovery (RFC 9002 §7.3.2). */
  #mayExceedWindow = false;

  constructor(options: RecoveryOptions) {
    this.#factory = options.congestion;
    this.#maxDatagramSize = options.maxDatagramSize;
    this.#initialRtt = options.initialRtt;
    this.#random = options.random;
    this.rtt = new RttEstimator(options.initialRtt);
    this.congestion = options.congestion(options.maxDatagramSize, options.random);
    this.pacer = new Pacer(options.maxDatagramSize);
    this.spaces = [
      new SentPackets(Space.INITIAL),
      new SentPackets(Space.HANDSHAKE),
      new SentPackets(Space.APPLICATION),
    ];
    this.probeTimer = new ProbeTimer(options.isServer);
    this.reordering = new Reordering(this.rtt);
    this.#loss = new LossDetector(this.rtt, this.reordering, this.#events);
    this.#acked = new AckTally(this.reordering, this.#events);
    this.#measure();
  }

  /** The congestion window in full packets. */
  get windowPackets(): number {
    return this.congestion.window / this.#maxDatagramSize;
  }

  /** Bytes sent in flight and neither acknowledged nor declared lost. */
  get bytesInFlight(): number {
    return this.spaces[0]!.bytesInFlight + this.spaces[1]!.bytesInFlight + this.spaces[2]!.bytesInFlight;
  }

  /** Whether a probe is owed in any space. */
  get owesProbe(): boolean {
    return this.probes[0]! + this.probes[1]! + this.probes[2]! > 0;
  }

  /** Hears of each packet declared lost. */
  get onPacketLost(): LossListener | undefined {
    return this.#loss.onPacketLost;
  }

  set onPacketLost(listener: LossListener | undefined) {
    this.#loss.onPacketLost = listener;
  }

  /**
   * How many packets larger than every path must carry were lost since one of them was last acknowledged, MTU probes aside: the
   * sign of a path that has come to carry less (RFC 8899 §4.3).
   */
  get largePacketsLost(): number {
    return this.#largePacketsLost;
  }

  /** The probe timeout of Application packets without backoff. */
  get pto(): Millis {
    return this.rtt.pto(this.probeTimer.maxAckDelay);
  }

  /**
   * Three probe timeouts: how long what may still be on its way is waited for when a connection closes (RFC 9000 §10.2) or idles
   * (§10.1). Unlike there, with an end: a peer that acknowledges late makes the probe timeout as long as it likes.
   */
  get threePtos(): Millis {
    return Math.min(3 * this.pto, MAX_THREE_PTOS);
  }

  /**
   * The packet composed in `spaces[space]` goes out: `size` bytes of UDP payload, with the ECN codepoint `ecn`. Commits its
   * records and returns its packet number.
   */
  onPacketSent(space: Space, now: Millis, size: number, ackEliciting: boolean, inFlight: boolean, ecn = 0): number {
    const flags = ecn === 0 ? 0 : PacketFlag.ECT0;
    const pn = this.spaces[space]!.commit(now, size, ackEliciting, inFlight, flags);
    this.counters.packetsSent++;
    if (ecn !== 0) this.ecn.onMarkedSent(space);
    if (ackEliciting) this.probeTimer.restartedAt = now;
    if (inFlight) {
      const bytesInFlight = this.bytesInFlight;
      this.congestion.onPacketSent(now, size, bytesInFlight, pn);
      this.pacer.onPacketSent(now, size);
      this.#mayExceedWindow = false;
      if (bytesInFlight + this.#maxDatagramSize > this.congestion.window) this.#appLimited = false;
      if (this.#delivery !== undefined) {
        this.#delivery.onPacketSent(now, this.spaces[space]!.snapshots!, pn, size, bytesInFlight);
        // After a pause it goes on at another rate.
        if (bytesInFlight === size) this.#updatePacing(now);
      }
    }
    return pn;
  }

  /**
   * An ACK frame arrived in `space`. `ackDelay` is the delay it reports in milliseconds, 0 for Initial and Handshake.
   * Returns whether it acknowledged anything new. Throws PROTOCOL_VIOLATION for a packet that was never sent.
   */
  onAck(space: Space, now: Millis, ack: AckFrame, ackDelay: Millis, sink: SentFramesSink): boolean {
    const sent = this.spaces[space]!;
    const acked = this.#acked;
    const raises = ack.largest > sent.largestAcked;
    this.#delivery?.beginAck(this.bytesInFlight);
    acknowledge(now, sent, ack, sink, acked, this.#delivery);
    if (acked.spurious > 0) this.#onSpuriousLoss(now, space);
    if (acked.packets + acked.spurious === 0) return false;
    if (space === Space.HANDSHAKE) this.probeTimer.peerCompletedAddressValidation = true;
    if (acked.largeSentAt >= 0) {
      this.#largePacketsLost = 0;
      this.#loss.largeArrivedAt = Math.max(this.#loss.largeArrivedAt, acked.largeSentAt);
    }
    if (acked.packets === 0) return true;
    this.counters.packetsAcked += acked.packets;
    this.counters.bytesAcked += acked.bytes;
    const onPath = acked.largestSentAt >= this.#loss.pathStartedAt;
    if (acked.ackEliciting && acked.largest === ack.largest && onPath && !this.#isFromOutage(ackDelay)) {
      this.rtt.update(
        now - acked.largestSentAt,
        ackDelay,
        this.probeTimer.handshakeConfirmed,
        this.probeTimer.maxAckDelay,
      );
      if (this.#loss.firstSampleAt === NEVER) this.#loss.firstSampleAt = now;
    }
    if (raises && onPath) this.#processEcn(now, space, ack);
    this.#detectLoss(now, sent, sink);
    if (acked.bytes > 0 && onPath) {
      const { largestSentAt, largest, bytes } = acked;
      this.congestion.onAcked(now, bytes, largestSentAt, largest, this.rtt, this.bytesInFlight, this.#appLimited);
      this.#sample(now);
    }
    if (this.probeTimer.peerCompletedAddressValidation || this.probeTimer.handshakeConfirmed) {
      this.probeTimer.count = 0;
      this.probes[space] = 0;
    }
    this.probeTimer.restartedAt = now;
    sent.expire(now - Math.max(LATE_ACK_PTOS * this.pto, LATE_ACK_TIME));
    this.#updatePacing(now);
    this.onMetrics?.();
    return true;
  }

  /** When onTimeout wants to be called, or NEVER. Changes with every call that sends, acknowledges or sets a field. */
  timeout(): Millis {
    const loss = this.#earliestLossTime();
    return loss !== NEVER ? loss : this.probeTimer.deadline(this.spaces, this.rtt);
  }

  /** Time has come, or not: declares lost what is old enough, or else owes probes if those are due (RFC 9002 §A.9). */
  onTimeout(now: Millis, sink: SentFramesSink): void {
    const loss = this.#earliestLossTime();
    if (loss !== NEVER) {
      if (loss > now) return;
      for (const sent of this.spaces) if (sent.lossTime <= now) this.#detectLoss(now, sent, sink);
      this.#updatePacing(now);
    } else {
      if (this.probeTimer.deadline(this.spaces, this.rtt) > now) return;
      this.#oweProbes(sink);
      this.probeTimer.onExpired(now);
      this.ecn.onProbeTimeout(this.probeTimer.count);
      this.counters.ptoCount++;
    }
    this.onMetrics?.();
  }

  /** Keys of Initial or Handshake packets were discarded: forgets what is in flight there (RFC 9002 §6.4). */
  discardSpace(space: Space): void {
    this.spaces[space]!.clear();
    this.#stretches[space]!.end();
    this.probes[space] = 0;
    this.probeTimer.count = 0;
    this.onMetrics?.();
  }

  /**
   * A Retry arrived: forgets everything in flight and what it said about the path; packet numbers go on (RFC 9002 §6.3).
   * The caller sends the ClientHello again.
   */
  resetForRetry(): void {
    for (const sent of this.spaces) this.discardSpace(sent.space);
    this.probeTimer.restartedAt = -1;
    this.#resetCongestion(0);
  }

  /**
   * The connection moves to a new path: RTT, window and ECN start over (RFC 9000 §9.4). What is still in flight on the old
   * path is accounted for, but doesn't count for or against the new one.
   */
  resetPath(now: Millis, maxDatagramSize: number): void {
    this.#maxDatagramSize = maxDatagramSize;
    this.#largePacketsLost = 0;
    this.rtt.reset(this.#initialRtt);
    this.ecn.reset();
    this.#loss.pathStartedAt = now;
    this.#acked.pathStartedAt = now;
    this.reordering.reset();
    this.#loss.firstSampleAt = NEVER;
    this.probeTimer.count = 0;
    for (const stretch of this.#stretches) stretch.end();
    this.#resetCongestion(now);
    this.onMetrics?.();
  }

  /** Goes on with another controller, which starts from the initial window; what is in flight counts against it. */
  setCongestion(now: Millis, factory: CongestionControllerFactory): void {
    this.#factory = factory;
    this.#resetCongestion(now);
    this.onMetrics?.();
  }

  /** The path's datagram size changed. */
  onMaxDatagramSize(now: Millis, bytes: number): void {
    this.#maxDatagramSize = bytes;
    this.#largePacketsLost = 0;
    this.congestion.onMaxDatagramSize(bytes);
    this.pacer.onMaxDatagramSize(bytes);
    this.#updatePacing(now);
  }

  /**
   * How many bytes window and pacer allow now: 0, or at least a whole datagram. Probes needn't ask.
   */
  sendAllowance(now: Millis): number {
    const room = this.#windowRoom();
    if (room <= 0) return 0;
    return Math.min(room, this.pacer.allowance(now));
  }

  /** Whether the window has room for a datagram of `bytes`, which may be larger than the others: an MTU probe. */
  hasRoomFor(bytes: number): boolean {
    return this.congestion.window - this.bytesInFlight >= bytes;
  }

  /** When the pacer lets the next datagram go, or NEVER when it isn't the pacer that forbids it. */
  nextSendTime(now: Millis): Millis {
    return this.#windowRoom() <= 0 ? NEVER : this.pacer.nextSendTime(now);
  }

  /**
   * There was nothing more to send although window and pacer would have allowed it (RFC 9002 §7.8). With `isBlocked` there is data,
   * for which the peer gives no credit: where the delivery rate is concerned, that's the path's doing (draft-ietf-ccwg-bbr §4.1.1.3.1).
   */
  onAppLimited(isBlocked = false): void {
    const { window, phase } = this.congestion;
    const bytesInFlight = this.bytesInFlight;
    // In slow start half a window counts as full: the window is about to double, and would never find out otherwise.
    const slack = Math.min(window / 2, FULL_WINDOW_SLACK_DATAGRAMS * this.#maxDatagramSize);
    const full = phase === 'slow_start' ? window / 2 : window - slack;
    this.#appLimited = bytesInFlight < full;
    if (!isBlocked) this.#delivery?.markAppLimited(bytesInFlight);
  }

  /** Room for whole datagrams, so that a nearly full window isn't topped up with tiny ones. */
  #windowRoom(): number {
    const room = this.congestion.window - this.bytesInFlight;
    if (room >= this.#maxDatagramSize) return Math.floor(room);
    this.#appLimited = false;
    return this.#mayExceedWindow ? this.#maxDatagramSize : 0;
  }

  /**
   * Whether an ACK that says to have waited for `ackDelay` is old news, of which the path lost the first copy: probes went out in vain
   * meanwhile. Taken for a sample (RFC 9002 §5.3 would), an outage of a minute made the next probe timeout one.
   */
  #isFromOutage(ackDelay: Millis): boolean {
    return this.probeTimer.count > 0 && ackDelay > this.pto;
  }

  #earliestLossTime(): Millis {
    return Math.min(this.spaces[0]!.lossTime, this.spaces[1]!.lossTime, this.spaces[2]!.lossTime);
  }

  #detectLoss(now: Millis, sent: SentPackets, sink: SentFramesSink): void {
    const lost = this.#loss.tally;
    this.#loss.detect(now, sent, this.#stretches[sent.space]!, this.probeTimer.maxAckDelay, sink);
    if (lost.packets === 0) return;
    this.counters.packetsLost += lost.packets;
    this.counters.bytesLost += lost.bytes;
    if (lost.ect0 > 0) this.ecn.onMarkedLost(lost.ect0);
    if (lost.congestionPackets === 0) return;
    this.#largePacketsLost += lost.largePackets;
    if (lost.beginsEvent) this.#countEvent();
    this.congestion.onCongestionEvent(now, lost.largestSentAt, lost.congestionBytes, false);
    if (!lost.persistent) return;
    this.counters.persistentCongestionEvents++;
    this.#events.onPersistent();
    this.rtt.forgetMin();
    this.congestion.onPersistentCongestion(now);
  }

  #countEvent(): void {
    this.reordering.onCongestionEvent();
    this.counters.congestionEvents++;
    this.#mayExceedWindow = true;
  }

  #onSpuriousLoss(now: Millis, space: Space): void {
    this.counters.spuriousLosses += this.#acked.spurious;
    this.#stretches[space]!.end();
    for (let later = this.#events.takeSpurious(); later >= 0; later = this.#events.takeSpurious()) {
      this.congestion.onSpuriousCongestionEvent?.(now, later);
    }
  }

  #processEcn(now: Millis, space: Space, ack: AckFrame): void {
    const ce = this.ecn.onAck(space, this.#acked.ect0, ack);
    if (ce === 0) return;
    this.counters.ecnCeEvents += ce;
    const sentAt = this.#acked.largestSentAt;
    if (this.#events.onCe(now, sentAt)) this.#countEvent();
    this.congestion.onCongestionEvent(now, sentAt, 0, true);
  }

  /** Owes probes, and hands back what they should carry, in every space that has something in flight (RFC 9002 §6.2.4). */
  #oweProbes(sink: SentFramesSink): void {
    if (this.probeTimer.mustUnblockPeer(this.spaces)) {
      this.probes[this.probeTimer.hasHandshakeKeys ? Space.HANDSHAKE : Space.INITIAL] = PROBES;
      return;
    }
    for (const sent of this.spaces) {
      if (sent.ackElicitingInFlight === 0) continue;
      this.probes[sent.space] = PROBES;
      sent.handBackOldest(PROBES, sink);
    }
  }

  /** Gives the controller the sample of the ACK that has been applied, if it wants one and there is one. */
  #sample(now: Millis): void {
    const { congestion, rtt } = this;
    if (this.#delivery?.endAck(rtt.min) !== true) return;
    congestion.onSample?.(now, this.#delivery.sample, rtt, this.bytesInFlight);
  }

  /** Measures what the new controller wants to know of the packets that are sent from now on: most want nothing. */
  #measure(): void {
    const { delivery } = this.congestion;
    this.#delivery = delivery;
    this.#loss.measuring = delivery === undefined ? undefined : this.congestion;
    for (const sent of this.spaces) sent.snapshots = delivery && new SendSnapshots(sent.capacity);
  }

  #updatePacing(now: Millis): void {
    const { window, pacingRate, phase } = this.congestion;
    if (this.slowStartEndedAt < 0 && phase !== 'slow_start') this.slowStartEndedAt = now;
    const gain = phase === 'slow_start' ? SLOW_START_PACING_GAIN : PACING_GAIN;
    this.pacer.setRate(now, pacingRate > 0 ? pacingRate : (gain * window) / this.rtt.smoothed, window);
  }

  #resetCongestion(now: Millis): void {
    this.congestion = this.#factory(this.#maxDatagramSize, this.#random);
    this.#measure();
    this.slowStartEndedAt = -1;
    this.#events.reset();
    this.#appLimited = false;
    this.#mayExceedWindow = false;
    this.pacer.onMaxDatagramSize(this.#maxDatagramSize);
    this.#updatePacing(now);
  }
}
