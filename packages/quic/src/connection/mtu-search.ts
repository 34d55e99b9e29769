/** How often a size is tried before it counts as too large: MAX_PROBES of RFC 8899 §5.1.2. */
const MAX_PROBES = 3;
/** The search ends when it knows the size to so many bytes, or to this part of it. */
const STEP = 16;
const STEP_SHIFT = 7;
/** MTUs of links that are common, largest first: jumbo frames, Ethernet, PPPoE, WireGuard, IPv6's least. */
const COMMON_MTUS: readonly number[] = [9000, 1500, 1492, 1420, 1280];

/**
 * The search for the largest datagram that a path carries, RFC 8899 §5.3: the most there can be first, for that is what most paths
 * carry; then what common links leave, from above, and a little more than what arrived of those; then halves. Knows sizes only: neither time nor packets. Sizes are bytes
 * of UDP payload.
 */
export class MtuSearch {
  /** The largest size that has arrived. */
  #low: number;
  /** The largest size that may still be tried. >= #low. */
  #high: number;
  /** Whether a size was found too large: then #high is just below it. */
  #bounded = false;
  /** The size tried last. */
  #tried = 0;
  /** How often that was lost. < MAX_PROBES. */
  #losses = 0;
  /** Bytes of IP and UDP headers on this path. */
  readonly #headers: number;

  constructor(low: number, high: number, headers: number) {
    this.#low = low;
    this.#high = Math.max(low, high);
    this.#headers = headers;
  }

  /** The largest size known to arrive. */
  get found(): number {
    return this.#low;
  }

  /** Whether there is nothing left to find out. */
  get isDone(): boolean {
    return this.#high === this.#low || (this.#bounded && this.#high - this.#low < this.#step);
  }

  get #step(): number {
    return Math.max(STEP, this.#low >> STEP_SHIFT);
  }

  /** The size to try next, up to `limit`; 0 when there is none. */
  next(limit: number): number {
    if (this.isDone) return 0;
    if (!this.#bounded && this.#high <= limit) return this.#high;
    for (const mtu of COMMON_MTUS) {
      const size = mtu - this.#headers;
      if (size <= this.#low) break;
      if (size <= this.#high && size <= limit) return size;
    }
    // A path that carries what a common link does carries no more as a rule: one size tells, where halves would take many.
    const isCommon = COMMON_MTUS.includes(this.#low + this.#headers);
    const size = isCommon ? this.#low + this.#step : (this.#low + this.#high + 1) >> 1;
    return this.#bounded && size <= limit ? size : 0;
  }

  /** A datagram of `size` bytes arrived. */
  onArrived(size: number): void {
    if (size > this.#low) this.#low = size;
    // What was lost before may have been lost to something else.
    if (size > this.#high) this.#high = size;
    this.#losses = 0;
  }

  /** A datagram of `size` bytes was lost. */
  onLost(size: number): void {
    if (size !== this.#tried) this.#losses = 0;
    this.#tried = size;
    if (++this.#losses < MAX_PROBES || size <= this.#low) return;
    this.#losses = 0;
    this.#high = Math.max(this.#low, size - 1);
    this.#bounded = true;
  }
}
