import { TransportError } from './errors.ts';

/**
 * Reads fields from a byte range. Running past the end throws one TransportError with the code that the reader was made
 * for. Reused on the hot path through `reset`.
 */
export class Reader {
  bytes: Uint8Array;
  /** Next byte to read. at <= end. */
  at: number;
  end: number;
  /** The error code of a truncated or malformed field. */
  readonly code: number;
  /** What is being read, for the error's reason. */
  readonly what: string;
  /** The frame type being read, for the error. */
  frameType = 0;

  constructor(bytes: Uint8Array, code: number, what: string, at = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    this.code = code;
    this.what = what;
  }

  reset(bytes: Uint8Array, at: number, end: number): this {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    return this;
  }

  get remaining(): number {
    return this.end - this.at;
  }

  fail(reason: string): never {
    throw new TransportError(this.code, `${this.what}: ${reason}`, this.frameType);
  }

  /** Moves past `length` bytes and returns where they start. */
  skip(length: number): number {
    const start = this.at;
    if (length > this.end - start) this.fail('truncated');
    this.at = start + length;
    return start;
  }

  u8(): number {
    if (this.at >= this.end) this.fail('truncated');
    return this.bytes[this.at++]!;
  }

  u16(): number {
    const i = this.skip(2);
    return (this.bytes[i]! << 8) | this.bytes[i + 1]!;
  }

  u24(): number {
    const i = this.skip(3);
    return (this.bytes[i]! << 16) | (this.bytes[i + 1]! << 8) | this.bytes[i + 2]!;
  }

  u32(): number {
    const i = this.skip(4);
    const b = this.bytes;
    return ((b[i]! << 24) | (b[i + 1]! << 16) | (b[i + 2]! << 8) | b[i + 3]!) >>> 0;
  }

  /** A view (not a copy) of the next `length` bytes. */
  view(length: number): Uint8Array {
    const start = this.skip(length);
    return this.bytes.subarray(start, start + length);
  }

  /**
   * A variable-length integer, RFC 9000 §16. Values above 2^53-1 lose their low bits (they are limits and codes that
   * saturate, or offsets that the caller refuses because they exceed 2^53-1).
   */
  varint(): number {
    const at = this.at;
    if (at >= this.end) this.fail('truncated');
    const b = this.bytes;
    const first = b[at]!;
    const length = 1 << (first >>> 6);
    if (length > this.end - at) this.fail('truncated');
    this.at = at + length;
    if (length === 1) return first;
    if (length === 2) return ((first & 0x3f) << 8) | b[at + 1]!;
    const high = ((first & 0x3f) << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!;
    if (length === 4) return high;
    return high * 4294967296 + (((b[at + 4]! << 24) | (b[at + 5]! << 16) | (b[at + 6]! << 8) | b[at + 7]!) >>> 0);
  }
}

/** How many bytes the shortest encoding of `value` takes: 1, 2, 4 or 8. */
export function varintSize(value: number): 1 | 2 | 4 | 8 {
  if (value < 0x40) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x40000000) return 4;
  return 8;
}

/** Writes the shortest encoding of `value` at `at` and returns the offset behind it. The caller has checked the room. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  if (value < 0x40) {
    bytes[at] = value;
    return at + 1;
  }
  if (value < 0x4000) return writeVarint2(bytes, at, value);
  if (value < 0x40000000) {
    bytes[at] = 0x80 | (value >>> 24);
    bytes[at + 1] = value >>> 16;
    bytes[at + 2] = value >>> 8;
    bytes[at + 3] = value;
    return at + 4;
  }
  const high = Math.floor(value / 4294967296);
  const low = value % 4294967296;
  bytes[at] = 0xc0 | (high >>> 24);
  bytes[at + 1] = high >>> 16;
  bytes[at + 2] = high >>> 8;
  bytes[at + 3] = high;
  bytes[at + 4] = low >>> 24;
  bytes[at + 5] = low >>> 16;
  bytes[at + 6] = low >>> 8;
  bytes[at + 7] = low;
  return at + 8;
}

/** Writes `value` (below 16,384) as a two-byte integer, for lengths that are patched in after the fact. */
export function writeVarint2(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = 0x40 | (value >>> 8);
  bytes[at + 1] = value;
  return at + 2;
}

export function writeU16(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
  return at + 2;
}

export function writeU32(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
  return at + 4;
}

/** Copies `source` to `at` and returns the offset behind it. */
export function writeBytes(bytes: Uint8Array, at: number, source: Uint8Array): number {
  bytes.set(source, at);
  return at + source.length;
}

/** Lower-case hexadecimal, two digits a byte. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** Bytes from hexadecimal text; white space is ignored. */
export function fromHex(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, '');
  const bytes = new Uint8Array(digits.length >> 1);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** Whether both hold the same bytes. Not constant-time: not for secrets. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
