import type { CarrierWriter } from '../peer/index.ts';
import { ChunkLedger } from './chunk-ledger.ts';
import type { ChunkPlan } from './plan.ts';
import { encodeRecordHeader } from './records.ts';
import type { SourceFile } from './storage.ts';
import { chunkTag } from './tag.ts';

/** A chunk ready to go: its record header and its bytes. */
export interface Chunk {
  readonly header: Uint8Array;
  readonly bytes: Uint8Array;
}

/** The memory of chunks that a stream has taken and may still have to send again, in its order. */
interface Lent {
  readonly writer: CarrierWriter;
  /** `end` is the offset behind the chunk in the stream. */
  readonly chunks: { readonly memory: ArrayBuffer; readonly end: number }[];
}

/**
 * Hands out the chunks of one iteration, in file order, to whichever stream asks: a stream with room takes the next one, so a
 * slow stream holds up nothing but the chunk it carries. Reads ahead, into memory that it uses again as soon as the
 * stream that took it needs it no more: what it holds is what it has read ahead and what is not acknowledged.
 */
export class ChunkSource {
  readonly #file: SourceFile;
  readonly #plan: ChunkPlan;
  readonly #key: Uint8Array;
  readonly #ledger: ChunkLedger;
  readonly #depth: number;
  /** Chunks being read, next one first. At most #depth. */
  readonly #ahead: Promise<Chunk>[] = [];
  readonly #free: ArrayBuffer[] = [];
  readonly #lent = new Map<CarrierWriter, Lent>();
  #next = 0;
  /** Chunks that are being read from the disk. */
  #reading = 0;

  /** @param key for the chunks' tags. @param depth how many chunks to read ahead, at least 1. */
  constructor(file: SourceFile, plan: ChunkPlan, key: Uint8Array, depth: number) {
    this.#file = file;
    this.#plan = plan;
    this.#key = key;
    this.#ledger = new ChunkLedger(plan.count);
    this.#depth = depth;
  }

  /** Whether the disk is at work. */
  get isReading(): boolean {
    return this.#reading > 0;
  }

  /** The next chunk, or undefined when all have been taken. @throws TransferError `source`. */
  take(): Promise<Chunk> | undefined {
    this.#fill();
    const chunk = this.#ahead.shift();
    this.#fill();
    return chunk;
  }

  /** A stream was given the bytes of a chunk; `end` is the stream's offset behind them. */
  lend(bytes: Uint8Array, writer: CarrierWriter, end: number): void {
    let lent = this.#lent.get(writer);
    if (lent === undefined) {
      lent = { writer, chunks: [] };
      this.#lent.set(writer, lent);
    }
    lent.chunks.push({ memory: bytes.buffer as ArrayBuffer, end });
  }

  /** The digest of the whole file; valid when every chunk that was taken has resolved. */
  get digest(): string {
    return this.#ledger.digest;
  }

  #fill(): void {
    while (this.#ahead.length < this.#depth && this.#next < this.#plan.count) {
      const chunk = this.#read(this.#next++);
      // Whoever takes it hears of the error; nobody may.
      chunk.catch(() => undefined);
      this.#ahead.push(chunk);
    }
  }

  async #read(index: number): Promise<Chunk> {
    const offset = this.#plan.offsetOf(index);
    const length = this.#plan.lengthOf(index);
    const bytes = new Uint8Array(this.#memory(), 0, length);
    this.#reading++;
    await this.#file.readAt(bytes, offset).finally(() => this.#reading--);
    const tag = chunkTag(this.#key, offset, bytes);
    this.#ledger.claim(index, tag);
    return { header: encodeRecordHeader({ offset, length, tag }), bytes };
  }

  /** Memory for one chunk, used or new. */
  #memory(): ArrayBuffer {
    if (this.#free.length === 0) this.#reclaim();
    return this.#free.pop() ?? new ArrayBuffer(Math.min(this.#plan.chunkBytes, this.#plan.size));
  }

  /** Takes back what the streams have let go of. */
  #reclaim(): void {
    for (const { writer, chunks } of this.#lent.values()) {
      const released = writer.bytesReleased ?? 0;
      let count = 0;
      while (count < chunks.length && chunks[count]!.end <= released) this.#free.push(chunks[count++]!.memory);
      if (count > 0) chunks.splice(0, count);
    }
  }
}
