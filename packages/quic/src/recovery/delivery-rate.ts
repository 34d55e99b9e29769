import type { Millis } from '../base/time.ts';
import type { SendSnapshots } from './send-snapshots.ts';

/** What one ACK says about how fast the path delivers, draft-ietf-ccwg-bbr §2.3. Bytes and milliseconds. */
export interface RateSample {
  /** RS.delivery_rate: bytes a millisecond; 0 when the interval is too short to tell. */
  readonly deliveryRate: number;
  /** Whether the application was the limit at some time of the interval: the path may deliver faster than that. */
  readonly isAppLimited: boolean;
  /** Bytes delivered since the newest packet that it acknowledges was sent. */
  readonly delivered: number;
  /** Bytes delivered in all when that packet was sent. */
  readonly priorDelivered: number;
  /** Bytes that it acknowledges for the first time. */
  readonly newlyAcked: number;
  /** Bytes declared lost since that packet was sent. */
  readonly lost: number;
  /** Bytes in flight when that packet was sent, itself included. */
  readonly txInFlight: number;
  /** Bytes in flight when the ACK arrived. */
  readonly priorInFlight: number;
  /** How long ago that packet was sent. */
  readonly rtt: Millis;
  /** When that packet was sent. */
  readonly sentAt: Millis;
}

/** A packet that was declared lost, and what was known when it was sent. Bytes. */
export interface LostPacket {
  readonly packetNumber: number;
  readonly sentAt: Millis;
  readonly size: number;
  /** Bytes in flight when it was sent, itself included. */
  readonly txInFlight: number;
  /** Bytes declared lost since it was sent, itself included. */
  readonly lost: number;
  readonly isAppLimited: boolean;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Measures how fast the path delivers: the delivery rate samples of draft-ietf-ccwg-bbr §4.1. A congestion controller that
 * has one is told of every sample and every loss; Recovery feeds it. Allocates nothing.
 */
export class DeliveryRate {
  /** C.delivered: bytes in flight that arrived, since the controller began. */
  delivered = 0;
  /** C.lost: bytes declared lost, since the controller began. */
  lost = 0;
  /** What the last ACK said; one object, reused. */
  readonly sample: RateSample;
  /** The packet last lost; one object, reused. */
  readonly lostPacket: LostPacket;
  readonly #sample: Mutable<RateSample> & { interval: Millis; packetNumber: number };
  readonly #lostPacket: Mutable<LostPacket>;
  /** C.delivered_time. */
  #deliveredAt: Millis = -1;
  /** C.first_send_time; -1 before anything was sent. */
  #firstSentAt: Millis = -1;
  /** C.app_limited: once more than this is delivered, the gap that the application left is through; 0 without one. */
  #appLimitedUntil = 0;

  constructor() {
    this.#sample = {
      deliveryRate: 0,
      isAppLimited: false,
      delivered: 0,
      priorDelivered: 0,
      newlyAcked: 0,
      lost: 0,
      txInFlight: 0,
      priorInFlight: 0,
      rtt: 0,
      sentAt: 0,
      interval: 0,
      packetNumber: -1,
    };
    this.#lostPacket = { packetNumber: -1, sentAt: 0, size: 0, txInFlight: 0, lost: 0, isAppLimited: false };
    this.sample = this.#sample;
    this.lostPacket = this.#lostPacket;
  }

  /** Whether packets sent now will give samples of the application's rate rather than of the path's. */
  get isAppLimited(): boolean {
    return this.#appLimitedUntil > 0;
  }

  /** There is room but nothing to send: what is sent until this gap is through, says nothing of the path (§4.1.2.4). @internal */
  markAppLimited(inFlight: number): void {
    this.#appLimitedUntil = Math.max(this.delivered + inFlight, 1);
  }

  /** A packet of `size` bytes goes out; `inFlight` includes it (§4.1.2.2). @internal */
  onPacketSent(now: Millis, snapshots: SendSnapshots, pn: number, size: number, inFlight: number): void {
    if (inFlight <= size || this.#firstSentAt < 0) {
      this.#firstSentAt = now;
      this.#deliveredAt = now;
    }
    const isAppLimited = this.#appLimitedUntil > 0;
    snapshots.set(pn, this.delivered, this.#deliveredAt, this.#firstSentAt, this.lost, inFlight, isAppLimited);
  }

  /** An ACK is about to be applied; `inFlight` is from before it. @internal */
  beginAck(inFlight: number): void {
    this.#sample.packetNumber = -1;
    this.#sample.newlyAcked = 0;
    this.#sample.priorInFlight = inFlight;
  }

  /** The ACK acknowledges a packet that was in flight, declared lost or not: each once, in ascending order (§4.1.2.3). @internal */
  onPacketAcked(now: Millis, snapshots: SendSnapshots, pn: number, sentAt: Millis, size: number): void {
    if (!snapshots.has(pn)) return;
    const sample = this.#sample;
    this.delivered += size;
    this.#deliveredAt = now;
    sample.newlyAcked += size;
    // The newest so far: what one ACK acknowledges is of one space, and comes in order.
    sample.packetNumber = pn;
    sample.priorDelivered = snapshots.delivered(pn);
    sample.isAppLimited = snapshots.isAppLimited(pn);
    sample.txInFlight = snapshots.inFlight(pn);
    // Taken off at the end, when this ACK's losses are known.
    sample.lost = snapshots.lost(pn);
    sample.interval = Math.max(sentAt - snapshots.firstSentAt(pn), now - snapshots.deliveredAt(pn));
    sample.rtt = now - sentAt;
    sample.sentAt = sentAt;
    this.#firstSentAt = sentAt;
  }

  /**
   * The ACK has been applied, and the losses that it shows declared. Returns whether there is a sample. One over less than
   * `minRtt`, the path's smallest round-trip time, has no rate.
   * @internal
   */
  endAck(minRtt: Millis): boolean {
    if (this.#appLimitedUntil > 0 && this.delivered > this.#appLimitedUntil) this.#appLimitedUntil = 0;
    const sample = this.#sample;
    if (sample.packetNumber < 0) return false;
    sample.delivered = this.delivered - sample.priorDelivered;
    sample.lost = this.lost - sample.lost;
    const isReliable = sample.interval > 0 && sample.interval >= minRtt;
    sample.deliveryRate = isReliable ? sample.delivered / sample.interval : 0;
    return true;
  }

  /** A packet was declared lost. Returns whether anything is known of it; then `lostPacket` describes it. @internal */
  onPacketLost(snapshots: SendSnapshots, pn: number, sentAt: Millis, size: number): boolean {
    if (!snapshots.has(pn)) return false;
    this.lost += size;
    const packet = this.#lostPacket;
    packet.packetNumber = pn;
    packet.sentAt = sentAt;
    packet.size = size;
    packet.txInFlight = snapshots.inFlight(pn);
    packet.lost = this.lost - snapshots.lost(pn);
    packet.isAppLimited = snapshots.isAppLimited(pn);
    return true;
  }
}
