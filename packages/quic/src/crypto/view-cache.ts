/** How many views are kept: a power of two, several times what one 64 KiB arena of full packets asks for. */
const ENTRIES_LOG2 = 10;
/** 2^32 over the golden ratio: spreads the evenly spaced offsets of equal-sized packets over the entries. */
const SPREAD = 0x9e3779b1;
/** Of how many arenas views are kept: one direction of a few endpoints. */
const MOST_ARENAS = 8;
const NONE = new Uint8Array(0);

/**
 * Views of arenas, made once and found again by offset. node:crypto takes nothing but views, and packets of a batch lie at
 * the same offsets every time: without this every packet would cost two or three short-lived typed arrays. Views keep
 * their arenas alive, those of the latest MOST_ARENAS at most: endpoints come and go.
 */
export class ViewCache {
  readonly #views: Uint8Array[] = new Array(1 << ENTRIES_LOG2).fill(NONE);
  /** A ring: the next to go is at `#oldest`. */
  readonly #arenas: ArrayBufferLike[] = [];
  #oldest = 0;
  #latest: ArrayBufferLike = NONE.buffer;

  /** The view of `bytes` from `start` on, `length` bytes long: a known one where there is one. */
  view(bytes: Uint8Array, start: number, length: number): Uint8Array {
    const offset = bytes.byteOffset + start;
    const entry = Math.imul(offset, SPREAD) >>> (32 - ENTRIES_LOG2);
    const known = this.#views[entry]!;
    if (known.byteOffset === offset && known.length === length && known.buffer === bytes.buffer) return known;
    const view = bytes.subarray(start, start + length);
    if (bytes.buffer !== this.#latest) this.#keep(bytes.buffer);
    this.#views[entry] = view;
    return view;
  }

  #keep(arena: ArrayBufferLike): void {
    this.#latest = arena;
    if (this.#arenas.includes(arena)) return;
    const gone = this.#arenas[this.#oldest];
    this.#arenas[this.#oldest] = arena;
    this.#oldest = (this.#oldest + 1) % MOST_ARENAS;
    if (gone === undefined) return;
    for (let i = 0; i < this.#views.length; i++) if (this.#views[i]!.buffer === gone) this.#views[i] = NONE;
  }
}
