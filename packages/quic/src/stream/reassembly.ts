import { Deque } from '../base/deque.ts';
import { Ranges } from '../base/ranges.ts';
import { KEPT_SLAB, SlabPool } from './slab-pool.ts';

/**
 * Slabs double from the first to the last size, so that a small stream costs little and a large one few allocations; larger
 * ones would be no faster, and a thousand streams hold a part of a slab each.
 */
const FIRST_SLAB = 4 << 10;
const LAST_SLAB = KEPT_SLAB;

/** A stretch of the stream; its memory is taken when the first byte of it arrives. */
interface Slab {
  readonly start: number;
  readonly end: number;
  bytes: Uint8Array | undefined;
  /** Whether `read` has handed out views: the memory is the reader's. */
  isLent: boolean;
}

/**
 * Puts the data of one stream in order. Each byte is copied once, into a slab; reads are views of slabs, and a byte that
 * was handed out is never written again; or they copy, and the slab goes back to the pool. Where data overlaps, what came first stays. Memory spans at most from the first
 * byte not read to the highest received, which flow control bounds, rounded up to a slab.
 */
export class Reassembly {
  /** Adjacent and ascending; the first holds `readOffset`. */
  readonly #slabs = new Deque<Slab>(2);
  /** The last of the slabs, where almost all data goes. */
  #last: Slab | undefined;
  #nextSize = FIRST_SLAB;
  /** Where the stream ends, once known: no slab goes beyond it. */
  #finalSize = Number.POSITIVE_INFINITY;
  /** First byte not handed out. readOffset <= contiguous. */
  #readOffset = 0;
  /** First byte missing. */
  #contiguous = 0;
  /** What arrived above `contiguous`. */
  readonly #ahead = new Ranges();
  readonly #pool: SlabPool;
  /** Nothing will be read any more: data is only accounted for. */
  #isDiscarding = false;

  constructor(pool: SlabPool = new SlabPool()) {
    this.#pool = pool;
  }

  get readOffset(): number {
    return this.#readOffset;
  }

  /** First byte missing: all below has arrived. */
  get contiguous(): number {
    return this.#contiguous;
  }

  /** Bytes that can be read now. */
  get readable(): number {
    return this.#contiguous - this.#readOffset;
  }

  /** How many separate stretches wait behind a gap. */
  get gaps(): number {
    return this.#ahead.count;
  }

  set finalSize(size: number) {
    this.#finalSize = size;
  }

  /** Takes bytes[start, start + length) as the stream's [offset, offset + length); answers how many of them were new. */
  insert(offset: number, bytes: Uint8Array, start: number, length: number): number {
    const end = offset + length;
    const from = this.#contiguous;
    if (end <= from) return 0;
    if (offset > from || !this.#ahead.isEmpty) return this.#insertAhead(offset, bytes, start, end);
    this.#store(from, bytes, start + (from - offset), end - from);
    this.#contiguous = end;
    if (this.#isDiscarding) this.#readOffset = end;
    return end - from;
  }

  /** The next piece in order, or undefined when there is none: a view that is never written again. */
  read(): Uint8Array | undefined {
    const from = this.#readOffset;
    if (this.#contiguous === from) return undefined;
    const slab = this.#slabs.at(0)!;
    slab.isLent = true;
    const end = Math.min(this.#contiguous, slab.end);
    const piece = slab.bytes!.subarray(from - slab.start, end - slab.start);
    this.#advance(slab, end);
    return piece;
  }

  /** Copies what is there in order into `target`, as far as it has room; answers how many bytes. */
  readInto(target: Uint8Array): number {
    let count = 0;
    while (count < target.length && this.#contiguous > this.#readOffset) {
      const slab = this.#slabs.at(0)!;
      const from = this.#readOffset;
      const end = Math.min(this.#contiguous, slab.end, from + target.length - count);
      target.set(slab.bytes!.subarray(from - slab.start, end - slab.start), count);
      count += end - from;
      this.#advance(slab, end);
    }
    return count;
  }

  /**
   * All below `end`, which is in the first slab, has been handed out. A stream of which all that came has been read holds on to
   * no memory that the pool takes back: the next stream finds it warm, and a thousand streams don't need a thousand slabs.
   */
  #advance(slab: Slab, end: number): void {
    this.#readOffset = end;
    const isDrained =
      end === this.#contiguous && this.#ahead.isEmpty && slab.bytes!.length === KEPT_SLAB && !slab.isLent;
    if (end < slab.end && !isDrained) return;
    this.#slabs.shift();
    if (slab === this.#last) this.#last = undefined;
    if (!slab.isLent) this.#pool.give(slab.bytes!);
  }

  /** Lets go of all memory; from now on data is counted, not kept. */
  discard(): void {
    this.#isDiscarding = true;
    this.#readOffset = this.#contiguous;
    for (let slab = this.#slabs.shift(); slab !== undefined; slab = this.#slabs.shift()) {
      if (slab.bytes !== undefined && !slab.isLent) this.#pool.give(slab.bytes);
    }
    this.#last = undefined;
  }

  /** The general case: there is a gap, or data behind one. */
  #insertAhead(offset: number, bytes: Uint8Array, start: number, end: number): number {
    const ahead = this.#ahead;
    const from = Math.max(offset, this.#contiguous);
    let at = from;
    let count = 0;
    for (let i = ahead.indexAfter(from); at < end; i++) {
      const gapEnd = i < ahead.count ? Math.min(end, ahead.start(i)) : end;
      if (gapEnd > at) {
        this.#store(at, bytes, start + (at - offset), gapEnd - at);
        count += gapEnd - at;
      }
      at = i < ahead.count ? ahead.end(i) : end;
    }
    if (count === 0) return 0;
    ahead.add(from, end);
    if (ahead.start(0) === this.#contiguous) {
      this.#contiguous = ahead.end(0);
      ahead.dropLowest(1);
      if (this.#isDiscarding) this.#readOffset = this.#contiguous;
    }
    return count;
  }

  /** Copies bytes to the stream's [offset, offset + length), none of which was written before. */
  #store(offset: number, bytes: Uint8Array, start: number, length: number): void {
    if (this.#isDiscarding) return;
    const last = this.#last;
    if (last?.bytes !== undefined && offset >= last.start && offset + length <= last.end) {
      last.bytes.set(bytes.subarray(start, start + length), offset - last.start);
      return;
    }
    this.#cover(offset + length);
    let i = this.#slabAt(offset);
    for (let done = 0; done < length; i++) {
      const slab = this.#slabs.at(i)!;
      slab.bytes ??= this.#pool.take(slab.end - slab.start);
      const at = offset + done - slab.start;
      const count = Math.min(length - done, slab.end - slab.start - at);
      slab.bytes.set(bytes.subarray(start + done, start + done + count), at);
      done += count;
    }
  }

  /** Lays out slabs up to offset `end`. */
  #cover(end: number): void {
    let start = this.#last === undefined ? this.#readOffset : this.#last.end;
    while (start < end) {
      const slabEnd = Math.min(start + this.#nextSize, this.#finalSize);
      const slab: Slab = { start, end: slabEnd, bytes: undefined, isLent: false };
      this.#slabs.push(slab);
      this.#last = slab;
      this.#nextSize = Math.min(this.#nextSize * 2, LAST_SLAB);
      start = slabEnd;
    }
  }

  /** Index of the slab that holds `offset`. */
  #slabAt(offset: number): number {
    let low = 0;
    let high = this.#slabs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#slabs.at(middle)!.start <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
