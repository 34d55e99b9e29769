import { Deque } from '../base/deque.ts';
import { Ranges } from '../base/ranges.ts';

/** A piece of the application's memory at its place in the stream. Kept until acknowledged, never copied or changed. */
interface Chunk {
  readonly bytes: Uint8Array;
  /** Stream offset of `bytes[0]`. */
  readonly start: number;
}

/**
 * What one stream has to send: the application's chunks by reference, with what of them was sent, acknowledged and lost.
 * Every byte below `next` is acknowledged, in flight, or in `lost`.
 */
export class SendBuffer {
  /** Ascending and adjacent; the first holds `base`, the last ends at `end`. */
  readonly #chunks = new Deque<Chunk>(2);
  /** First offset not acknowledged; all below is. base <= next. */
  #base = 0;
  /** First offset never sent. base <= next <= end. */
  #next = 0;
  /** First offset never written. */
  #end = 0;
  /** Acknowledged ranges above `base`. */
  readonly #acked = new Ranges();
  /** Ranges to be sent again; disjoint from the acknowledged ones, all below `next`. */
  readonly #lost = new Ranges();
  /** Bytes acknowledged, each once. */
  #ackedBytes = 0;
  /** Which chunk holds `next`, counted from the first; the number of chunks when next = end. */
  #nextChunk = 0;

  get next(): number {
    return this.#next;
  }

  get end(): number {
    return this.#end;
  }

  /** Bytes written and never sent. */
  get unsent(): number {
    return this.#end - this.#next;
  }

  /** Bytes sent and not acknowledged. */
  get unacked(): number {
    return this.#next - this.#ackedBytes;
  }

  get hasLost(): boolean {
    return !this.#lost.isEmpty;
  }

  /** Start of the lowest lost range; there must be one. */
  get lostStart(): number {
    return this.#lost.start(0);
  }

  /** End of the lowest lost range; there must be one. */
  get lostEnd(): number {
    return this.#lost.end(0);
  }

  /** Offset below which every byte is acknowledged: chunks that end there have been let go of. */
  get released(): number {
    return this.#base;
  }

  /** Whether every byte written has been acknowledged. */
  get isAllAcked(): boolean {
    return this.#base === this.#end;
  }

  /** Appends a chunk of at least one byte. */
  push(bytes: Uint8Array): void {
    this.#chunks.push({ bytes, start: this.#end });
    this.#end += bytes.length;
  }

  /** Copies [next, next + length) to `at` and counts it as sent. */
  takeFresh(length: number, bytes: Uint8Array, at: number): void {
    this.#nextChunk = this.#copy(this.#nextChunk, this.#next, length, bytes, at);
    this.#next += length;
  }

  /** Copies the first `length` bytes of the lowest lost range to `at` and counts them as sent again. */
  takeLost(length: number, bytes: Uint8Array, at: number): void {
    const start = this.#lost.start(0);
    this.#copy(this.#chunkAt(start), start, length, bytes, at);
    this.#lost.remove(start, start + length);
  }

  /** Notes that [start, end) arrived at the peer, and answers how many of those bytes were not yet acknowledged. */
  onAcked(start: number, end: number): number {
    if (end <= this.#base) return 0;
    if (!this.#lost.isEmpty) this.#lost.remove(start, end);
    let count: number;
    if (start <= this.#base && this.#acked.isEmpty) {
      count = end - this.#base;
      this.#base = end;
    } else {
      count = this.#acked.add(Math.max(start, this.#base), end);
      if (this.#acked.start(0) <= this.#base) {
        this.#base = this.#acked.end(0);
        this.#acked.dropLowest(1);
      }
    }
    this.#ackedBytes += count;
    this.#release();
    return count;
  }

  /** Notes that a packet with [start, end) was lost: what of it is not acknowledged is to be sent again. */
  onLost(start: number, end: number): void {
    let at = Math.max(start, this.#base);
    if (at >= end) return;
    const acked = this.#acked;
    for (let i = acked.indexAfter(at); at < end && i < acked.count; i++) {
      this.#lost.add(at, Math.min(end, acked.start(i)));
      at = Math.max(at, acked.end(i));
    }
    this.#lost.add(at, end);
  }

  /** Lets go of all memory: nothing will be sent any more. */
  discard(): void {
    this.#chunks.clear();
    this.#lost.clear();
    this.#acked.clear();
    this.#end = this.#next;
    this.#nextChunk = 0;
  }

  /** Lets go of the chunks that are acknowledged whole. */
  #release(): void {
    const chunks = this.#chunks;
    for (let first = chunks.at(0); first !== undefined; first = chunks.at(0)) {
      if (first.start + first.bytes.length > this.#base) return;
      chunks.shift();
      this.#nextChunk--;
    }
  }

  /** Index of the chunk that holds `offset`. */
  #chunkAt(offset: number): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#chunks.at(middle)!.start <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Copies [offset, offset + length), which begins in chunk `index`; answers the index of the chunk behind the copy. */
  #copy(index: number, offset: number, length: number, bytes: Uint8Array, at: number): number {
    let i = index;
    let from = offset;
    let to = at;
    let left = length;
    while (left > 0) {
      const chunk = this.#chunks.at(i)!;
      const start = from - chunk.start;
      const room = chunk.bytes.length - start;
      const count = Math.min(left, room);
      bytes.set(count === chunk.bytes.length ? chunk.bytes : chunk.bytes.subarray(start, start + count), to);
      if (count === room) i++;
      from += count;
      to += count;
      left -= count;
    }
    return i;
  }
}
