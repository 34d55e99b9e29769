import { BASE_DATAGRAM_SIZE } from '../base/datagram-size.ts';
import { type Millis, NEVER } from '../base/time.ts';
import type { SentFramesSink } from '../wire/sent-frames.ts';
import type { CongestionController } from './congestion/controller.ts';
import type { CongestionEvents } from './congestion-events.ts';
import { type LossStretch, PERSISTENT_CONGESTION_THRESHOLD } from './persistent-congestion.ts';
import type { Reordering } from './reordering.ts';
import type { RttEstimator } from './rtt.ts';
import { PacketFlag, type SentPackets } from './sent-packets.ts';

/** Why a packet was declared lost. */
export type LossTrigger = 'reordering_threshold' | 'time_threshold';

/** Hears of each packet that is declared lost, for qlog. */
export type LossListener = (space: number, packetNumber: number, trigger: LossTrigger) => void;

/** What one look for losses found; one object, reused. */
export class LossTally {
  /** Packets declared lost, MTU probes included. */
  packets = 0;
  /** Their bytes. */
  bytes = 0;
  /** Those sent with ECT(0). */
  ect0 = 0;
  /** Packets that are signs of congestion: not MTU probes, and sent on this path. */
  congestionPackets = 0;
  congestionBytes = 0;
  /** Those of them that are larger than every path must carry, none of which that was sent later has arrived. */
  largePackets = 0;
  /** When the newest of those was sent. */
  largestSentAt: Millis = -1;
  /** Whether they begin a congestion event. */
  beginsEvent = false;
  /** Whether the losses establish persistent congestion. */
  persistent = false;

  clear(): void {
    this.packets = 0;
    this.bytes = 0;
    this.ect0 = 0;
    this.congestionPackets = 0;
    this.congestionBytes = 0;
    this.largePackets = 0;
    this.largestSentAt = -1;
    this.beginsEvent = false;
    this.persistent = false;
  }
}

/** Declares packets lost, RFC 9002 §6.1. */
export class LossDetector {
  /** Only losses of packets sent after this can establish persistent congestion: the first RTT sample's time (§7.6.2). */
  firstSampleAt: Millis = NEVER;
  /** Losses of packets sent before this say nothing about the present path. */
  pathStartedAt: Millis = -1;
  /** When the newest packet larger than BASE_DATAGRAM_SIZE was sent of those that arrived; -1 for none. */
  largeArrivedAt: Millis = -1;
  onPacketLost: LossListener | undefined;
  /** The controller that hears of each lost packet which is a sign of congestion; undefined unless it measures the delivery rate. */
  measuring: CongestionController | undefined;
  readonly tally = new LossTally();
  readonly #rtt: RttEstimator;
  readonly #reordering: Reordering;
  readonly #events: CongestionEvents;

  constructor(rtt: RttEstimator, reordering: Reordering, events: CongestionEvents) {
    this.#rtt = rtt;
    this.#reordering = reordering;
    this.#events = events;
  }

  /**
   * Declares lost what must be in one space, hands the records to the sink, sets the space's lossTime and fills `tally`.
   * Losses form a prefix of what is outstanding, so this costs O(lost + 1).
   */
  detect(now: Millis, sent: SentPackets, stretch: LossStretch, maxAckDelay: Millis, sink: SentFramesSink): void {
    const { packetThreshold, timeThreshold } = this.#reordering;
    const persistence = this.#rtt.pto(maxAckDelay) * PERSISTENT_CONGESTION_THRESHOLD;
    this.tally.clear();
    sent.lossTime = NEVER;
    while (sent.oldest < sent.largestAcked) {
      const pn = sent.oldest;
      if ((sent.flags(pn) & PacketFlag.IN_FLIGHT) === 0) {
        // It carried only an ACK. Nobody waits for its fate.
        sent.markOldestLost();
        continue;
      }
      const overtaken = sent.largestAcked >= pn + packetThreshold;
      // Compared just as lossTime is computed: a rounding difference would let the timer fire without effect, forever.
      const lostAt = sent.sentAt(pn) + timeThreshold;
      if (!overtaken && lostAt > now) {
        sent.lossTime = lostAt;
        return;
      }
      if (sent.passedAcked) stretch.end();
      this.#declareLost(now, sent, pn, overtaken, stretch, persistence, sink);
    }
  }

  #declareLost(
    now: Millis,
    sent: SentPackets,
    pn: number,
    overtaken: boolean,
    stretch: LossStretch,
    persistence: Millis,
    sink: SentFramesSink,
  ): void {
    const tally = this.tally;
    const flags = sent.flags(pn);
    const size = sent.size(pn);
    const sentAt = sent.sentAt(pn);
    sent.passedAcked = false;
    sent.markOldestLost();
    tally.packets++;
    tally.bytes += size;
    if ((flags & PacketFlag.ECT0) !== 0) tally.ect0++;
    if ((flags & PacketFlag.MTU_PROBE) === 0 && sentAt >= this.pathStartedAt) {
      tally.congestionPackets++;
      tally.congestionBytes += size;
      if (size > BASE_DATAGRAM_SIZE && sentAt > this.largeArrivedAt) tally.largePackets++;
      tally.largestSentAt = sentAt;
      if (this.#events.onLost(now, sentAt)) tally.beginsEvent = true;
      if (this.measuring?.delivery?.onPacketLost(sent.snapshots!, pn, sentAt, size) === true) {
        this.measuring.onPacketLost?.(now, this.measuring.delivery.lostPacket);
      }
      if ((flags & PacketFlag.ACK_ELICITING) !== 0 && sentAt > this.firstSampleAt) {
        if (stretch.onLost(sentAt, persistence)) tally.persistent = true;
      }
    }
    this.onPacketLost?.(sent.space, pn, overtaken ? 'reordering_threshold' : 'time_threshold');
    sent.reportLost(pn, sink);
  }
}
