import { MAX_CHUNK_BYTES } from './plan.ts';

const ZEROS = new Uint8Array(MAX_CHUNK_BYTES);

/** Whether all of the bytes, at most a chunk, are zero. Ends at the first that isn't. */
export function isZero(bytes: Uint8Array): boolean {
  return Buffer.compare(bytes, ZEROS.subarray(0, bytes.length)) === 0;
}
