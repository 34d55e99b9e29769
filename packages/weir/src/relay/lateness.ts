import type { Millis } from 'weir-quic/sim';

/** How much later than the link said datagrams left the relay. Milliseconds. */
export interface LatenessSummary {
  readonly mean: number;
  readonly p99: number;
  readonly maximum: number;
}

const BUCKETS_PER_MS = 20;
const BUCKETS = 50 * BUCKETS_PER_MS;

/** Counts lateness in steps of 0.05 ms up to 50 ms: constant memory, however long the relay runs. */
export class Lateness {
  readonly #counts = new Uint32Array(BUCKETS + 1);
  #total = 0;
  #sum = 0;
  #maximum = 0;

  add(late: Millis): void {
    this.#total++;
    this.#sum += late;
    if (late > this.#maximum) this.#maximum = late;
    const bucket = Math.min(BUCKETS, Math.floor(late * BUCKETS_PER_MS));
    this.#counts[bucket]!++;
  }

  /** Zeros before the first. The 99th percentile is rounded up to a step, but never beyond the maximum. */
  summary(): LatenessSummary {
    if (this.#total === 0) return { mean: 0, p99: 0, maximum: 0 };
    let left = Math.ceil(this.#total * 0.99);
    let bucket = 0;
    for (; left > this.#counts[bucket]!; bucket++) left -= this.#counts[bucket]!;
    const edge = bucket === BUCKETS ? this.#maximum : (bucket + 1) / BUCKETS_PER_MS;
    return { mean: this.#sum / this.#total, p99: Math.min(edge, this.#maximum), maximum: this.#maximum };
  }
}
