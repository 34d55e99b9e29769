import type { Reader } from '../base/cursor.ts';

/** The largest stream count, as stream IDs end at 2^62-1: RFC 9000 §4.6. */
export const MAX_STREAM_COUNT = 2 ** 60;

/**
 * Reads a stream count (MAX_STREAMS, STREAMS_BLOCKED, initial_max_streams_*), saturated at 2^53-1. One above 2^60 fails with
 * the reader's error code: RFC 9000 §4.6, §19.11, §19.14.
 */
export function readStreamCount(reader: Reader): number {
  const count = reader.varint();
  // A float cannot tell 2^60 from its neighbours: the eight bytes can.
  if (count >= MAX_STREAM_COUNT && exceeds(reader.bytes, reader.at - 8)) reader.fail('stream count above 2^60');
  return Math.min(count, Number.MAX_SAFE_INTEGER);
}

/** Whether the eight-byte integer at `at` exceeds 2^60. */
function exceeds(bytes: Uint8Array, at: number): boolean {
  const top = bytes[at]! & 0x3f;
  if (top !== 0x10) return top > 0x10;
  for (let i = 1; i < 8; i++) if (bytes[at + i] !== 0) return true;
  return false;
}
