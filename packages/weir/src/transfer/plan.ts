/** The largest chunk in bytes: one read, one tag, one write. */
export const MAX_CHUNK_BYTES = 1 << 20;

/** The smallest: a chunk costs a header, a tag and a write. */
export const MIN_CHUNK_BYTES = 1 << 10;

/** What the chunks under way on all streams may hold in the receiver's memory, in bytes. */
export const CHUNK_MEMORY_BYTES = 64 << 20;

/** Chunks for each stream to aim at, so that a slow stream's last one is a small part of the whole. */
const CHUNKS_PER_STREAM = 16;

/**
 * The chunk size for a file: a power of two from 1 KiB to 1 MiB. Small files are cut finer so that every stream gets some;
 * many streams make chunks smaller so that the receiver's memory stays bounded.
 */
export function chunkBytesFor(size: number, streams: number): number {
  const most = Math.min(MAX_CHUNK_BYTES, powerOfTwoUpTo(CHUNK_MEMORY_BYTES / streams));
  let bytes = MIN_CHUNK_BYTES;
  while (bytes < most && bytes * streams * CHUNKS_PER_STREAM < size) bytes *= 2;
  return bytes;
}

/** Whether a sender may use chunks of this size on so many streams. */
export function isChunkSizeAllowed(chunkBytes: number, streams: number): boolean {
  return chunkBytes >= MIN_CHUNK_BYTES && chunkBytes <= MAX_CHUNK_BYTES && chunkBytes * streams <= CHUNK_MEMORY_BYTES;
}

/** A file cut into chunks: all of `chunkBytes`, the last one what is left. An empty file has none. */
export class ChunkPlan {
  readonly size: number;
  readonly chunkBytes: number;
  readonly count: number;

  constructor(size: number, chunkBytes: number) {
    this.size = size;
    this.chunkBytes = chunkBytes;
    this.count = Math.ceil(size / chunkBytes);
  }

  offsetOf(index: number): number {
    return index * this.chunkBytes;
  }

  lengthOf(index: number): number {
    return Math.min(this.chunkBytes, this.size - index * this.chunkBytes);
  }

  /** The index of the chunk at exactly this offset and length, or -1 when the plan has no such chunk. */
  indexOf(offset: number, length: number): number {
    const index = offset / this.chunkBytes;
    if (!Number.isInteger(index) || index < 0 || index >= this.count) return -1;
    return this.lengthOf(index) === length ? index : -1;
  }
}

function powerOfTwoUpTo(limit: number): number {
  return 2 ** Math.floor(Math.log2(limit));
}
