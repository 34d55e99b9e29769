/** How many bytes a packet number takes in a header. */
export type PacketNumberLength = 1 | 2 | 3 | 4;

/**
 * How many bytes of `packetNumber` the peer needs to recover all of it, when `largestAcked` (-1: none) is the largest number
 * it is known to have received: enough to represent twice the distance (RFC 9000 §17.1, A.2).
 */
export function packetNumberLength(packetNumber: number, largestAcked: number): PacketNumberLength {
  const distance = packetNumber - largestAcked;
  if (distance <= 0x80) return 1;
  if (distance <= 0x8000) return 2;
  if (distance <= 0x800000) return 3;
  return 4;
}

/**
 * The full packet number closest to the one expected next, given the `length` low bytes of it and `largest`, the largest
 * number received in that space so far (-1: none). RFC 9000 A.3, with 2^53-1 in the place of 2^62-1.
 */
export function decodePacketNumber(largest: number, truncated: number, length: number): number {
  const expected = largest + 1;
  const unused = 32 - 8 * length;
  // The distance from `expected`, modulo the window and sign-extended from its top bit: no 64-bit masks needed.
  const distance = ((truncated - expected) << unused) >> unused;
  // `**` would be a call for each packet, and a shift by 32 is none.
  const window = 0x100 * (length === 4 ? 0x1000000 : 1 << (8 * (length - 1)));
  const number = expected + distance;
  // The window is (expected - half, expected + half]: its lower edge belongs to the upper end.
  if ((number < 0 || distance === -window / 2) && number + window <= Number.MAX_SAFE_INTEGER) return number + window;
  return number > Number.MAX_SAFE_INTEGER ? number - window : number;
}

/** The unsigned integer in the `length` (1 to 4) bytes at `at`. */
export function readTruncated(bytes: Uint8Array, at: number, length: number): number {
  let value = bytes[at]!;
  for (let i = 1; i < length; i++) value = (value << 8) | bytes[at + i]!;
  return value >>> 0;
}

/** Writes the `length` (1 to 4) low bytes of `packetNumber` at `at` and returns the offset behind them. */
export function writePacketNumber(bytes: Uint8Array, at: number, packetNumber: number, length: number): number {
  for (let i = length - 1; i >= 0; i--) bytes[at++] = packetNumber >>> (8 * i);
  return at;
}
