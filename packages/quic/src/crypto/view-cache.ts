/** How many views are kept: a power of two, several times what one 64 KiB arena of full packets asks for. */
const ENTRIES_LOG2 = 10;
/** 2^32 over the golden ratio: spreads the evenly spaced offsets of equal-sized packets over the entries. */
const SPREAD = 0x9e3779b1;

/**
 * Views of arenas, made once and found again by offset. node:crypto takes nothing but views, and packets of a batch lie at
 * the same offsets every time: without this every packet would cost two or three short-lived typed arrays. An entry keeps
 * its arena alive until another view takes its place.
 */
export class ViewCache {
  readonly #views: Uint8Array[] = new Array(1 << ENTRIES_LOG2).fill(new Uint8Array(0));

  /** The view of `bytes` from `start` on, `length` bytes long: a known one where there is one. */
  view(bytes: Uint8Array, start: number, length: number): Uint8Array {
    const offset = bytes.byteOffset + start;
    const entry = Math.imul(offset, SPREAD) >>> (32 - ENTRIES_LOG2);
    const known = this.#views[entry]!;
    if (known.byteOffset === offset && known.length === length && known.buffer === bytes.buffer) return known;
    const view = bytes.subarray(start, start + length);
    this.#views[entry] = view;
    return view;
  }
}
