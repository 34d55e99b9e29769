import { BASE_DATAGRAM_SIZE } from '../base/datagram-size.ts';
import { TransportError, TransportErrorCode } from '../base/errors.ts';
import type { Millis } from '../base/time.ts';
import type { AckFrame } from '../wire/frame-handler.ts';
import { FrameType } from '../wire/frame-type.ts';
import type { SentFramesSink } from '../wire/sent-frames.ts';
import type { CongestionEvents } from './congestion-events.ts';
import type { DeliveryRate } from './delivery-rate.ts';
import type { Reordering } from './reordering.ts';
import { PacketFlag, type SentPackets } from './sent-packets.ts';

/** What one ACK frame brought; one object, reused. */
export class AckTally {
  /** Outstanding packets that were acknowledged. */
  packets = 0;
  /** Bytes of those that were in flight. */
  bytes = 0;
  /** How many of those in flight were sent with ECT(0). */
  ect0 = 0;
  /** When the newest packet was sent that arrived, late or not, and is larger than every path must carry; -1 for none. */
  largeSentAt: Millis = -1;
  /** Whether one of them was ack-eliciting. */
  ackEliciting = false;
  /** The largest of them, -1 for none. */
  largest = -1;
  /** When the largest was sent. */
  largestSentAt: Millis = 0;
  /** Packets that had been declared lost before. */
  spurious = 0;
  /** Packets sent before this say nothing about the present path. */
  pathStartedAt: Millis = -1;
  readonly #reordering: Reordering;
  readonly #events: CongestionEvents;

  /** `reordering` and `events` hear of each packet of the present path that was taken for lost. */
  constructor(reordering: Reordering, events: CongestionEvents) {
    this.#reordering = reordering;
    this.#events = events;
  }

  clear(): void {
    this.packets = 0;
    this.bytes = 0;
    this.ect0 = 0;
    this.largeSentAt = -1;
    this.ackEliciting = false;
    this.largest = -1;
    this.largestSentAt = 0;
    this.spurious = 0;
  }

  /** A packet arrives that had been declared lost; it was sent at `sentAt`. */
  onLate(now: Millis, sentAt: Millis, flags: number): void {
    this.spurious++;
    if (sentAt < this.pathStartedAt) return;
    this.#reordering.onMistake(now - sentAt);
    // The loss of an MTU probe was not held against anybody.
    if ((flags & PacketFlag.MTU_PROBE) === 0) this.#events.onSpurious(sentAt);
  }
}

/**
 * Applies an ACK frame to the sent packets in ascending order, tells the sink of every record it acknowledges, and tallies.
 * `delivery` hears of every packet that was in flight.
 * Throws PROTOCOL_VIOLATION when it acknowledges a packet that was never sent (RFC 9000 §13.1, §21.4). Costs O(ranges that
 * reach into what is kept + newly acknowledged).
 */
export function acknowledge(
  now: Millis,
  sent: SentPackets,
  ack: AckFrame,
  sink: SentFramesSink,
  tally: AckTally,
  delivery: DeliveryRate | undefined,
): void {
  tally.clear();
  if (ack.largest >= sent.nextPacketNumber) refuse(ack.largest);
  let i = 0;
  while (i < ack.rangeCount && ack.rangeEnd[i]! >= sent.base) i++;
  for (i--; i >= 0; i--) {
    const start = ack.rangeStart[i]!;
    const end = ack.rangeEnd[i]!;
    if (sent.isAcked(start, end)) continue;
    for (let pn = sent.find(start); pn <= end; pn = sent.find(pn + 1)) {
      if (delivery !== undefined && (sent.flags(pn) & PacketFlag.IN_FLIGHT) !== 0) {
        delivery.onPacketAcked(now, sent.snapshots!, pn, sent.sentAt(pn), sent.size(pn));
      }
      acknowledgeOne(now, sent, pn, sink, tally);
    }
  }
  if (ack.largest > sent.largestAcked) sent.largestAcked = ack.largest;
}

function acknowledgeOne(now: Millis, sent: SentPackets, pn: number, sink: SentFramesSink, tally: AckTally): void {
  const flags = sent.flags(pn);
  if ((flags & PacketFlag.SKIPPED) !== 0) refuse(pn);
  if ((flags & PacketFlag.OUTSTANDING) !== 0) {
    tally.packets++;
    tally.largest = pn;
    tally.largestSentAt = sent.sentAt(pn);
    if ((flags & PacketFlag.ACK_ELICITING) !== 0) tally.ackEliciting = true;
    if ((flags & PacketFlag.IN_FLIGHT) !== 0) tally.bytes += sent.size(pn);
    if ((flags & PacketFlag.ECT0) !== 0) tally.ect0++;
  } else if ((flags & PacketFlag.IN_FLIGHT) !== 0) {
    tally.onLate(now, sent.sentAt(pn), flags);
  }
  if (sent.size(pn) > BASE_DATAGRAM_SIZE) tally.largeSentAt = sent.sentAt(pn);
  sent.markAcked(pn);
  sent.reportAcked(pn, sink);
}

function refuse(pn: number): never {
  throw new TransportError(
    TransportErrorCode.PROTOCOL_VIOLATION,
    `acknowledges packet ${pn}, never sent`,
    FrameType.ACK,
  );
}
