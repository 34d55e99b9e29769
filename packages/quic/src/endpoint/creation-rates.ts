import type { Millis } from '../base/time.ts';
import type { EndpointLimits } from './limits.ts';
import { TokenBucket } from './token-bucket.ts';

/** Remote hosts that are remembered; the one that was idle longest goes first. */
const MOST_HOSTS = 1024;

/** How fast each remote host may start connections. */
export class CreationRates {
  readonly #limits: EndpointLimits;
  /** By host, the one that came last at the end. */
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(limits: EndpointLimits) {
    this.#limits = limits;
  }

  /** Whether the host may start another connection now; counts it as started. */
  take(now: Millis, host: string): boolean {
    const { sessionCreationRate: rate, sessionCreationBurst: burst } = this.#limits;
    if (rate === 0) return true;
    const bucket = this.#buckets.get(host) ?? new TokenBucket(rate, burst);
    this.#buckets.delete(host);
    this.#buckets.set(host, bucket);
    if (this.#buckets.size > MOST_HOSTS) this.#buckets.delete(this.#buckets.keys().next().value!);
    return bucket.take(now);
  }
}
