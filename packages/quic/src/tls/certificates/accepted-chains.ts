import { createHash } from 'node:crypto';

/** How many chains are remembered. The oldest goes first. */
const CAPACITY = 256;

/** From when until when an accepted chain is good: while all certificates of its path are valid. Milliseconds since 1970. */
export interface Validity {
  readonly from: number;
  readonly until: number;
}

/**
 * Chains that were accepted, so that a client's next connection to the same server need not judge the same certificates again:
 * that costs several times what the rest of the handshake does. A verdict depends on nothing but what the key is made of, and on
 * the time. Refusals are not kept.
 */
export class AcceptedChains {
  readonly #known = new Map<string, Validity>();

  has(key: string, now: Date): boolean {
    const validity = this.#known.get(key);
    return validity !== undefined && validity.from <= now.getTime() && now.getTime() <= validity.until;
  }

  add(key: string, validity: Validity): void {
    this.#known.delete(key);
    this.#known.set(key, validity);
    if (this.#known.size > CAPACITY) this.#known.delete(this.#known.keys().next().value!);
  }
}

/** A key of everything that a verdict depends on but the time: no two different lists of parts have the same. */
export function chainKey(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part;
    hash.update(`${bytes.length}:`);
    hash.update(bytes);
  }
  return hash.digest('base64');
}
