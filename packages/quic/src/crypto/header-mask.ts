import type { HeaderBatch } from './engine.ts';

/** First byte's bits under protection: four of a long header, five of a short one. RFC 9001 §5.4.1. */
const LONG_BITS = 0x0f;
const SHORT_BITS = 0x1f;

/**
 * Applies masks to the headers of a batch: mask i is the five bytes at `masks[i * stride]`. The packet number length is
 * taken from the clear first byte.
 */
export function maskHeaders(bytes: Uint8Array, batch: HeaderBatch, masks: Uint8Array, stride: number): void {
  for (let i = 0; i < batch.count; i++) {
    const start = batch.start[i]!;
    const first = bytes[start]!;
    bytes[start] = first ^ (masks[i * stride]! & protectedBits(first));
    maskPacketNumber(bytes, batch.pnOffset[i]!, first, masks, i * stride);
  }
}

/** Removes the masks that `maskHeaders` applied: the first byte is cleared before the packet number length is read. */
export function unmaskHeaders(bytes: Uint8Array, batch: HeaderBatch, masks: Uint8Array, stride: number): void {
  for (let i = 0; i < batch.count; i++) {
    const start = batch.start[i]!;
    const first = bytes[start]! ^ (masks[i * stride]! & protectedBits(bytes[start]!));
    bytes[start] = first;
    maskPacketNumber(bytes, batch.pnOffset[i]!, first, masks, i * stride);
  }
}

/** The header form is not under protection: it says which bits are. */
function protectedBits(first: number): number {
  return (first & 0x80) === 0 ? SHORT_BITS : LONG_BITS;
}

function maskPacketNumber(
  bytes: Uint8Array,
  pnOffset: number,
  clearFirst: number,
  masks: Uint8Array,
  mask: number,
): void {
  const length = (clearFirst & 0x03) + 1;
  for (let i = 0; i < length; i++) bytes[pnOffset + i]! ^= masks[mask + 1 + i]!;
}
