import { Ecn } from '../base/batch.ts';
import { Ranges } from '../base/ranges.ts';
import { type Millis, NEVER } from '../base/time.ts';
import { writeAck } from '../wire/frames.ts';

/** How many ack-eliciting packets an ACK answers at most, RFC 9000 §13.2.2. */
const ACK_THRESHOLD = 2;
/** How many ranges of packet numbers an ACK frame names at most. */
const MAX_RANGES = 64;
/** How many are remembered, to tell what is late from what is there twice. */
const MAX_REMEMBERED_RANGES = 256;

export interface AckTrackerOptions {
  /** How long an ACK may be put off; 0 for Initial and Handshake packets, which are acknowledged at once. */
  readonly maxAckDelay: Millis;
  /** How many ack-eliciting packets may wait for one ACK. */
  readonly threshold?: number;
  /** How many ranges of packet numbers are reported. */
  readonly maxRanges?: number;
  /** How many are remembered. >= maxRanges. */
  readonly maxRemembered?: number;
}

/** Which packets of one space arrived, and when that must be acknowledged: RFC 9000 §13.2. */
export class AckTracker {
  /** The largest packet number received, -1 for none. */
  largest = -1;
  /** When that one was received. */
  largestReceivedAt: Millis = 0;
  /** The largest packet number that the ACK frame written last acknowledges, -1 for none. */
  sent = -1;
  /** How many ack-eliciting packets may wait for one ACK. */
  threshold: number;
  /** How many packets arrived with each ECN codepoint; duplicates not counted. */
  readonly ecn: { ect0: number; ect1: number; ce: number } = { ect0: 0, ect1: 0, ce: 0 };
  readonly #maxAckDelay: Millis;
  readonly #maxRanges: number;
  readonly #maxRemembered: number;
  readonly #received = new Ranges();
  /** Everything below counts as received: its ranges are forgotten. */
  #floor = 0;
  /** What was received below, the peer knows. #floor <= #unknownFrom, but for numbers that nobody asks about. */
  #unknownFrom = 0;
  /** The largest packet number received when one below #unknownFrom was: no ACK up to there need have named that. */
  #lateAt = -1;
  /** Ack-eliciting packets received since the last ACK was written. */
  #waiting = 0;
  /** When the ACK must go; NEVER while none waits. */
  #deadline: Millis = NEVER;

  constructor(options: AckTrackerOptions) {
    this.#maxAckDelay = options.maxAckDelay;
    this.threshold = options.threshold ?? ACK_THRESHOLD;
    this.#maxRanges = Math.max(1, options.maxRanges ?? MAX_RANGES);
    this.#maxRemembered = options.maxRemembered ?? Math.max(this.#maxRanges, MAX_REMEMBERED_RANGES);
  }

  /** Whether the packet was received before, or is so old that this is no longer known. Ask before processing it. */
  isDuplicate(pn: number): boolean {
    if (pn > this.largest) return false;
    return pn < this.#floor || this.#received.has(pn);
  }

  /** A packet that isn't a duplicate was received and processed. */
  onPacketReceived(now: Millis, pn: number, ackEliciting: boolean, ecn: number): void {
    const inOrder = pn === this.largest + 1;
    if (this.#received.add(pn, pn + 1) === 0) return;
    if (pn > this.largest) {
      this.largest = pn;
      this.largestReceivedAt = now;
    }
    if (pn < this.#unknownFrom) {
      this.#unknownFrom = pn;
      this.#lateAt = this.largest;
    }
    if (this.#received.count > this.#maxRemembered) {
      this.#floor = this.#received.end(0);
      this.#received.dropLowest(1);
    }
    if (ecn === Ecn.ECT0) this.ecn.ect0++;
    else if (ecn === Ecn.ECT1) this.ecn.ect1++;
    else if (ecn === Ecn.CE) this.ecn.ce++;
    if (!ackEliciting) return;
    this.#waiting++;
    // Gaps and CE marks are news that the sender acts on; so is the end of a gap (§13.2.1).
    if (!inOrder || ecn === Ecn.CE || this.#waiting >= this.threshold) this.#deadline = Math.min(this.#deadline, now);
    else if (this.#deadline === NEVER) this.#deadline = now + this.#maxAckDelay;
  }

  /** Whether ack-eliciting packets wait for an ACK: one should go along with whatever is sent. */
  get hasPending(): boolean {
    return this.#waiting > 0;
  }

  /** Whether an ACK must be sent even if nothing else is. */
  isDue(now: Millis): boolean {
    return this.#waiting > 0 && now >= this.#deadline;
  }

  /** When an ACK must be sent; NEVER when none waits. */
  timeout(): Millis {
    return this.#deadline;
  }

  /**
   * Writes an ACK frame at `at`, not beyond `end`, and returns the offset behind it: `at` itself when nothing was received
   * or it doesn't fit. Nothing waits afterwards. `ackDelayExponent` is the one we announced.
   */
  write(bytes: Uint8Array, at: number, end: number, now: Millis, ackDelayExponent: number): number {
    if (this.largest < 0) return at;
    const delay = Math.max(0, Math.floor(((now - this.largestReceivedAt) * 1000) / 2 ** ackDelayExponent));
    const { ect0, ect1, ce } = this.ecn;
    const counts = ect0 + ect1 + ce > 0 ? this.ecn : undefined;
    const unknown = this.#received.count - this.#received.indexAfter(this.#unknownFrom);
    const next = writeAck(bytes, at, end, this.#received, delay, Math.min(unknown, this.#maxRanges), counts);
    if (next === at) return at;
    this.sent = this.largest;
    this.#waiting = 0;
    this.#deadline = NEVER;
    return next;
  }

  /**
   * An ACK frame that acknowledged up to `largest` was received: ranges up to there needn't be repeated (§13.2.4). The gaps below stay
   * open all the same: what was held up on the way may arrive later than that, and is no duplicate.
   */
  onAckAcked(largest: number): void {
    if (largest <= this.#lateAt) return;
    const received = this.#received;
    // The topmost range stays, for `largest` must be in every ACK.
    const n = Math.min(received.indexAfter(largest + 1), received.count - 1);
    if (n > 0) this.#unknownFrom = Math.max(this.#unknownFrom, received.end(n - 1));
  }
}
