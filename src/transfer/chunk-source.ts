import { sha256 } from './hash.ts';
import { ChunkLedger, type ChunkPlan } from './plan.ts';
import { encodeRecordHeader } from './records.ts';
import type { SourceFile } from './storage.ts';

/** A chunk ready to go: its record header and its bytes. */
export interface Chunk {
  readonly header: Uint8Array;
  readonly bytes: Uint8Array;
}

/**
 * Hands out the chunks of one iteration, in file order, to whichever stream asks: a stream with room takes the next one, so a
 * slow stream holds up nothing but the chunk it carries. Reads and hashes ahead.
 */
export class ChunkSource {
  readonly #file: SourceFile;
  readonly #plan: ChunkPlan;
  readonly #ledger: ChunkLedger;
  readonly #depth: number;
  /** Chunks being read, next one first. At most #depth. */
  readonly #ahead: Promise<Chunk>[] = [];
  #next = 0;

  /** @param depth how many chunks to read ahead, at least 1. */
  constructor(file: SourceFile, plan: ChunkPlan, depth: number) {
    this.#file = file;
    this.#plan = plan;
    this.#ledger = new ChunkLedger(plan.count);
    this.#depth = depth;
  }

  /** The next chunk, or undefined when all have been taken. @throws TransferError `source`. */
  take(): Promise<Chunk> | undefined {
    this.#fill();
    const chunk = this.#ahead.shift();
    this.#fill();
    return chunk;
  }

  /** The digest of the whole file; valid when every chunk that was taken has resolved. */
  digest(): Promise<Uint8Array> {
    return sha256(this.#ledger.hashes);
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
    // Its own memory: the transport keeps it until it is acknowledged.
    const bytes = Buffer.allocUnsafeSlow(length);
    await this.#file.readAt(bytes, offset);
    const hash = await sha256(bytes);
    this.#ledger.claim(index, hash);
    return { header: encodeRecordHeader({ offset, length, hash }), bytes };
  }
}
