/** Where inputs come from: a generator that a seed repeats, as weir-quic's SeededRandom is. */
export interface Random {
  /** 0 to 2^32 - 1. */
  uint32(): number;
  /** 0 to just under 1. */
  unit(): number;
  /** A whole number from one bound to the other, both included. */
  integer(min: number, max: number): number;
  fill(bytes: Uint8Array): void;
}

/** Numbers around which limits lie: sizes of varints, of windows, of what a double still tells apart. */
const EDGES = [0, 1, 2 ** 6, 2 ** 14, 2 ** 16, 2 ** 20, 2 ** 22, 2 ** 30, 2 ** 31, 2 ** 32, 2 ** 53];
/** The largest varint, RFC 9000 §16. */
const MOST = 2n ** 62n - 1n;

/** One of several, each as likely. */
export function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[random.integer(0, choices.length - 1)]!;
}

/** True with this probability. */
export function chance(random: Random, probability: number): boolean {
  return random.unit() < probability;
}

/** A number as fields have it: mostly small, often near an edge, sometimes anything up to 2^62 - 1. */
export function number(random: Random): bigint {
  const kind = random.unit();
  if (kind < 0.5) return BigInt(random.integer(0, 12));
  if (kind < 0.7) return BigInt(random.integer(0, 2000));
  if (kind < 0.9) return clamp(BigInt(pick(random, EDGES)) + BigInt(random.integer(-2, 2)));
  return clamp(MOST - BigInt(random.uint32()) * BigInt(random.integer(0, 2 ** 30)));
}

/** `value` as a varint, sometimes longer than it must be. */
export function varint(random: Random, value: bigint | number): number[] {
  const v = clamp(BigInt(value));
  const least = v < 64n ? 0 : v < 16_384n ? 1 : v < 1n << 30n ? 2 : 3;
  const size = chance(random, 0.1) ? random.integer(least, 3) : least;
  const length = 1 << size;
  const bytes = Array.from({ length }, (_, i) => Number((v >> BigInt(8 * (length - 1 - i))) & 0xffn));
  bytes[0] = bytes[0]! | (size << 6);
  return bytes;
}

/** Random bytes. */
export function noise(random: Random, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  random.fill(bytes);
  return bytes;
}

/** A copy with a few things wrong: bits flipped, bytes replaced, a piece taken out, doubled, or cut off at the end. */
export function mutate(random: Random, bytes: Uint8Array): Uint8Array {
  let result: Uint8Array = bytes.slice();
  for (let times = random.integer(1, 4); times > 0 && result.length > 0; times--) result = mutateOnce(random, result);
  return result;
}

function mutateOnce(random: Random, bytes: Uint8Array): Uint8Array {
  const at = random.integer(0, bytes.length - 1);
  const end = Math.min(bytes.length, at + random.integer(1, chance(random, 0.2) ? bytes.length : 8));
  switch (random.integer(0, 6)) {
    case 0:
      bytes[at]! ^= 1 << random.integer(0, 7);
      return bytes;
    case 1:
      bytes[at] = pick(random, [0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xff]);
      return bytes;
    case 2:
      bytes[at] = random.integer(0, 255);
      return bytes;
    case 3:
      return bytes.slice(0, at);
    case 4:
      return join(bytes.subarray(0, at), bytes.subarray(end));
    case 5:
      return join(bytes.subarray(0, end), bytes.subarray(at));
    default:
      return join(bytes.subarray(0, at), noise(random, random.integer(1, 8)), bytes.subarray(at));
  }
}

/** All of them in a row. */
export function join(...pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces));
}

function clamp(value: bigint): bigint {
  return value < 0n ? 0n : value > MOST ? MOST : value;
}
