/** Bytes of the slabs that are kept: a stream's largest, which almost all data of a large stream goes through. */
export const KEPT_SLAB = 64 << 10;

/** How many slabs wait to be used again, at most: a large window's worth. */
const MOST_KEPT = 128;

/**
 * Memory for what streams receive. Slabs whose bytes were copied out, and which nobody has a view of, are used again: fresh
 * memory must be mapped by the kernel and swept by the garbage collector, which costs as much as half the decryption.
 */
export class SlabPool {
  readonly #free: Uint8Array[] = [];

  /** At least `size` bytes, of any content: only bytes that were written must ever be handed out. */
  take(size: number): Uint8Array {
    if (size === KEPT_SLAB) {
      const kept = this.#free.pop();
      if (kept !== undefined) return kept;
    }
    return new Uint8Array(Buffer.allocUnsafeSlow(size).buffer);
  }

  /** Takes back a slab that nobody has a view of. */
  give(slab: Uint8Array): void {
    if (slab.length === KEPT_SLAB && this.#free.length < MOST_KEPT) this.#free.push(slab);
  }
}

/** The process's: what one connection has read, the next may fill. */
export const sharedSlabs = new SlabPool();
