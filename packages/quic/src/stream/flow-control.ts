import type { Millis } from '../base/time.ts';

/**
 * The credit that the peer gives for data on all streams together, RFC 9000 §4.1. It also runs a clock that stands still
 * while there is credit, so that a stream's time spent blocked costs O(1): the difference between two readings.
 */
export class ConnectionCredit {
  /** The largest MAX_DATA received. */
  limit = 0;
  /** Bytes sent for the first time on all streams. used <= limit. */
  used = 0;
  /** When the credit ran out, or -1 while there is some. */
  #blockedSince: Millis = -1;
  /** Milliseconds spent without credit, the running interval excluded. */
  #blockedTotal: Millis = 0;
  /** The limit that the last DATA_BLOCKED frame named, or -1. */
  #reported = -1;

  get available(): number {
    return this.limit - this.used;
  }

  /** Uses `bytes` (at most `available`). */
  spend(now: Millis, bytes: number): void {
    this.used += bytes;
    if (this.used === this.limit && bytes > 0) this.#blockedSince = now;
  }

  /** Takes a new limit; a smaller one than before is ignored. */
  raise(now: Millis, limit: number): void {
    if (limit <= this.limit) return;
    this.#blockedTotal = this.blockedClock(now);
    this.#blockedSince = -1;
    this.limit = limit;
  }

  /** Milliseconds spent without credit so far. */
  blockedClock(now: Millis): Millis {
    return this.#blockedSince < 0 ? this.#blockedTotal : this.#blockedTotal + (now - this.#blockedSince);
  }

  /** Whether the present limit, when it is what holds data back, has yet to be named in a DATA_BLOCKED frame. */
  get isReportDue(): boolean {
    return this.used === this.limit && this.#reported !== this.limit;
  }

  /** Notes that DATA_BLOCKED is sent, and answers the limit that it names. */
  report(): number {
    this.#reported = this.limit;
    return this.limit;
  }

  /** The DATA_BLOCKED frame with this limit was lost: it is due again while it is still true. */
  onReportLost(limit: number): void {
    if (limit === this.#reported) this.#reported = -1;
  }
}

/**
 * How many announcements a window takes. What has been read and is not announced yet is credit that the peer does without: with
 * announcements of half a window, a peer that fills it gets through as little as half a window a round trip, and then looks
 * too slow for the window to grow. This fine, it is 31/32 at least. An announcement is a few bytes beside an acknowledgement.
 */
const ANNOUNCEMENTS_PER_WINDOW = 32;

/**
 * How much the peer may send, on one stream or on all: a window that opens only as the application reads (RFC 9000 §4.2),
 * and that doubles when the application reads half of it within one round trip. A sender that is not held back fills a
 * window of twice its bandwidth-delay product no faster than that, so growth stops there.
 */
export class ReceiveWindow {
  /** The largest maximum announced. received <= announced. */
  announced: number;
  /** The largest offset received; for a connection, the sum of those of its streams. */
  received = 0;
  /** Bytes the application has read, or that were discarded. consumed <= received. */
  consumed = 0;
  /** Bytes that the peer is ahead of the application at most. */
  size: number;
  /** What `size` never exceeds. */
  #largest: number;
  /** When the present half window began to be read, or -1. */
  #epochStart: Millis = -1;
  /** `consumed` at that time. */
  #epochConsumed = 0;
  /** The latest announcement was lost. */
  #isLost = false;

  constructor(size: number, largest: number) {
    this.announced = size;
    this.size = size;
    this.#largest = Math.max(size, largest);
  }

  /** Counts `bytes` as read. `rtt` is the smoothed round-trip time, 0 while unknown. Answers whether the window grew. */
  consume(now: Millis, bytes: number, rtt: Millis): boolean {
    this.consumed += bytes;
    if (this.#epochStart < 0) {
      this.#epochStart = now;
      this.#epochConsumed = this.consumed;
    }
    const read = this.consumed - this.#epochConsumed;
    if (read * 2 < this.size) return false;
    const isFast = (now - this.#epochStart) * this.size < 2 * rtt * read;
    this.#epochStart = now;
    this.#epochConsumed = this.consumed;
    return isFast && this.grow(this.size * 2);
  }

  /** Makes the window at least `size` bytes, as far as it may grow; answers whether it grew. */
  grow(size: number): boolean {
    const target = Math.min(size, this.#largest);
    if (target <= this.size) return false;
    this.size = target;
    return true;
  }

  /** Lets `size` grow to no more than this; what it is already stays. */
  limit(largest: number): void {
    this.#largest = Math.max(this.size, Math.min(largest, this.#largest));
  }

  /** Whether a larger maximum should be announced: enough of the window is used up, or the last announcement was lost. */
  get isDue(): boolean {
    if (this.#isLost) return true;
    const gained = this.consumed + this.size - this.announced;
    return gained > 0 && gained * ANNOUNCEMENTS_PER_WINDOW >= this.size;
  }

  /** Notes that the maximum is announced, and answers it. */
  announce(): number {
    this.announced = Math.max(this.announced, this.consumed + this.size);
    this.#isLost = false;
    return this.announced;
  }

  /** The announcement of this maximum was lost: only the latest matters. */
  onAnnouncementLost(maximum: number): void {
    if (maximum === this.announced) this.#isLost = true;
  }
}
