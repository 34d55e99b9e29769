import type { Millis } from '../base/time.ts';

/**
 * What the connection had delivered and lost when each packet of one space was sent: columns beside those of SentPackets, in
 * the same ring, there only while a congestion controller measures the delivery rate (draft-ietf-ccwg-bbr §4.1.2.1.2).
 */
export class SendSnapshots {
  #mask: number;
  /** C.delivered: bytes delivered before. */
  #delivered: Float64Array;
  /** C.delivered_time; -1 for a packet of which nothing is known, because it was sent before the columns were made. */
  #deliveredAt: Float64Array;
  /** C.first_send_time. */
  #firstSentAt: Float64Array;
  /** C.lost: bytes lost before. */
  #lost: Float64Array;
  /** C.inflight with this packet; negative for one sent while the application was the limit. */
  #inFlight: Float64Array;

  /** `capacity`: that of the ring, a power of two. */
  constructor(capacity: number) {
    this.#mask = capacity - 1;
    this.#delivered = new Float64Array(capacity);
    this.#deliveredAt = new Float64Array(capacity).fill(-1);
    this.#firstSentAt = new Float64Array(capacity);
    this.#lost = new Float64Array(capacity);
    this.#inFlight = new Float64Array(capacity);
  }

  /** Notes how things are as packet `pn` is sent. Bytes and milliseconds; `inFlight` > 0. */
  set(
    pn: number,
    delivered: number,
    deliveredAt: Millis,
    firstSentAt: Millis,
    lost: number,
    inFlight: number,
    isAppLimited: boolean,
  ): void {
    const i = pn & this.#mask;
    this.#delivered[i] = delivered;
    this.#deliveredAt[i] = deliveredAt;
    this.#firstSentAt[i] = firstSentAt;
    this.#lost[i] = lost;
    this.#inFlight[i] = isAppLimited ? -inFlight : inFlight;
  }

  /** Whether anything is known of packet `pn`, which must be kept and in flight. */
  has(pn: number): boolean {
    return this.#deliveredAt[pn & this.#mask]! >= 0;
  }

  /** Bytes delivered before packet `pn` was sent. */
  delivered(pn: number): number {
    return this.#delivered[pn & this.#mask]!;
  }

  /** When the last of those was delivered, or when the flight began. */
  deliveredAt(pn: number): Millis {
    return this.#deliveredAt[pn & this.#mask]!;
  }

  /** When the first packet of the flight was sent that ends with packet `pn`. */
  firstSentAt(pn: number): Millis {
    return this.#firstSentAt[pn & this.#mask]!;
  }

  /** Bytes lost before packet `pn` was sent. */
  lost(pn: number): number {
    return this.#lost[pn & this.#mask]!;
  }

  /** Bytes in flight when packet `pn` was sent, itself included. */
  inFlight(pn: number): number {
    return Math.abs(this.#inFlight[pn & this.#mask]!);
  }

  /** Whether the application was the limit when packet `pn` was sent. */
  isAppLimited(pn: number): boolean {
    return this.#inFlight[pn & this.#mask]! < 0;
  }

  /** Doubles the ring, in which the packets of [base, end) are kept. */
  grow(base: number, end: number): void {
    const oldMask = this.#mask;
    this.#mask = 2 * oldMask + 1;
    this.#delivered = this.#moved(this.#delivered, oldMask, base, end);
    this.#deliveredAt = this.#moved(this.#deliveredAt, oldMask, base, end);
    this.#firstSentAt = this.#moved(this.#firstSentAt, oldMask, base, end);
    this.#lost = this.#moved(this.#lost, oldMask, base, end);
    this.#inFlight = this.#moved(this.#inFlight, oldMask, base, end);
  }

  #moved(column: Float64Array, oldMask: number, base: number, end: number): Float64Array {
    const moved = new Float64Array(this.#mask + 1);
    for (let pn = base; pn < end; pn++) moved[pn & this.#mask] = column[pn & oldMask]!;
    return moved;
  }
}
