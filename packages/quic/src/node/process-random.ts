import { randomFillSync } from 'node:crypto';
import type { Random } from '../base/random.ts';

/** What is drawn from the system's generator at a time. Bytes. */
const POOL_BYTES = 4096;

/**
 * The process's randomness, node:crypto's. A connection draws some ten times on each side, mostly a few bytes, and each call costs 2 µs and more however
 * little it asks for, 0.4 from here; so they are drawn ahead. What was handed out is erased.
 */
export class ProcessRandom implements Random {
  readonly #pool = new Uint8Array(POOL_BYTES);
  /** First byte that has not been handed out. */
  #next = POOL_BYTES;

  fill(bytes: Uint8Array): void {
    if (bytes.length > POOL_BYTES / 8) return void randomFillSync(bytes);
    if (bytes.length > POOL_BYTES - this.#next) {
      randomFillSync(this.#pool);
      this.#next = 0;
    }
    const end = this.#next + bytes.length;
    bytes.set(this.#pool.subarray(this.#next, end));
    this.#pool.fill(0, this.#next, end);
    this.#next = end;
  }
}
