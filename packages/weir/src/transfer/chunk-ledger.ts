import { createHash } from 'node:crypto';
import { TransferError } from '../peer/index.ts';
import { TAG_BYTES } from './tag.ts';

/** Chunks of one page of a ledger. */
const PAGE_CHUNKS = 4096;

/**
 * Pages that are begun and not complete, or wait for one that is not: 16 MiB of tags, a million chunks between the first that is missing and the last
 * that has come. Streams that take turns are never so far apart.
 */
const MAX_PAGES = 256;

/** The tags of PAGE_CHUNKS chunks in file order, and which of them have come. */
interface Page {
  readonly tags: Uint8Array;
  readonly claimed: Uint8Array;
  /** How many are still to come. */
  missing: number;
}

/**
 * Which chunks have come, and the tag of each, for the digest of the whole. A page that is complete, as all before it, goes into the digest and is
 * forgotten: what a ledger holds depends on how far chunks are out of order, not on the size of the file.
 */
export class ChunkLedger {
  readonly #count: number;
  readonly #pages = new Map<number, Page>();
  /** SHA-256 over the tags in file order: what stands for the file. */
  readonly #hash = createHash('sha256');
  /** Pages that are in #hash. */
  #hashed = 0;
  #claims = 0;

  constructor(count: number) {
    this.#count = count;
  }

  /** Marks a chunk as taken; false when it was already. @throws TransferError `protocol` when too many before it are missing. */
  claim(index: number, tag: Uint8Array): boolean {
    const number = Math.floor(index / PAGE_CHUNKS);
    if (number < this.#hashed) return false;
    const page = this.#pages.get(number) ?? this.#begin(number);
    const at = index % PAGE_CHUNKS;
    if (page.claimed[at] !== 0) return false;
    page.claimed[at] = 1;
    page.tags.set(tag, at * TAG_BYTES);
    page.missing--;
    this.#claims++;
    if (page.missing === 0) this.#hashComplete();
    return true;
  }

  get isComplete(): boolean {
    return this.#claims === this.#count;
  }

  get missing(): number {
    return this.#count - this.#claims;
  }

  /** The digest of the file, hexadecimal; call it when complete. */
  get digest(): string {
    return this.#hash.copy().digest('hex');
  }

  #begin(number: number): Page {
    if (this.#pages.size === MAX_PAGES)
      throw new TransferError('protocol', `the chunks come too far out of order: ${this.missing} are missing`);
    const chunks = Math.min(PAGE_CHUNKS, this.#count - number * PAGE_CHUNKS);
    const page = { tags: new Uint8Array(chunks * TAG_BYTES), claimed: new Uint8Array(chunks), missing: chunks };
    this.#pages.set(number, page);
    return page;
  }

  #hashComplete(): void {
    for (let page = this.#pages.get(this.#hashed); page?.missing === 0; page = this.#pages.get(this.#hashed)) {
      this.#hash.update(page.tags);
      this.#pages.delete(this.#hashed++);
    }
  }
}
