/**
 * A fixed number of equal buffers, made when first needed. Whoever finds none waits; that is how a slow disk holds back the
 * network. With at least one buffer more than there are streams nobody waits forever: each stream holds at most one, and the
 * others are on their way to the disk.
 */
export class BufferPool {
  readonly #make: () => ArrayBuffer;
  readonly #free: ArrayBuffer[] = [];
  readonly #waiting: { resolve: (buffer: ArrayBuffer) => void; reject: (error: unknown) => void }[] = [];
  /** How many more may be made. */
  #unmade: number;
  #error: unknown;

  /** @param count at least one. @param make makes one. */
  constructor(count: number, make: () => ArrayBuffer) {
    this.#unmade = count;
    this.#make = make;
  }

  /** A buffer with whatever content; give it back with `release`. Rejects after `fail`. */
  acquire(): ArrayBuffer | Promise<ArrayBuffer> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    const buffer = this.#free.pop();
    if (buffer !== undefined) return buffer;
    if (this.#unmade > 0) {
      this.#unmade--;
      return this.#make();
    }
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  release(buffer: ArrayBuffer): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(buffer);
    else next.resolve(buffer);
  }

  /** Ends all waits, also later ones, with this error. */
  fail(error: unknown): void {
    this.#error ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#error);
  }
}
