/**
 * As much QPACK (RFC 9204) as one GET needs: the static table's few entries by number, no dynamic table (its capacity is 0
 * until SETTINGS say otherwise), Huffman coding read for the symbols of eight bits and less, never written.
 */

const staticAuthority = 0;
const staticPath = 1;
const staticContentLength = 4;
const staticMethodGet = 17;
const staticSchemeHttps = 23;
const staticStatus200 = 25;
/** Entries of the static table whose name is :status, with their values (RFC 9204 appendix A). */
const staticStatuses = new Map([
  [24, 103],
  [25, 200],
  [26, 304],
  [27, 404],
  [28, 503],
  [63, 100],
  [64, 204],
  [65, 206],
  [66, 302],
  [67, 400],
  [68, 403],
  [69, 421],
  [70, 425],
  [71, 500],
]);

/** Symbols of the canonical Huffman code of RFC 7541 appendix B, by the length of their codes in bits. */
const huffmanSymbols: readonly (readonly [number, string])[] = [
  [5, '012aceiost'],
  [6, ' %-./3456789=A_bdfghlmnpru'],
  [7, ':BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz'],
  [8, '&*,;XZ'],
];

/** The field section of a GET. */
export function encodeRequest(path: string, authority: string): Uint8Array {
  return Uint8Array.of(
    0,
    0,
    0xc0 | staticMethodGet,
    0xc0 | staticSchemeHttps,
    ...literal(staticAuthority, authority),
    ...literal(staticPath, path),
  );
}

/** The field section of a 200 with a content-length. */
export function encodeResponse(contentLength: number): Uint8Array {
  return Uint8Array.of(0, 0, 0xc0 | staticStatus200, ...literal(staticContentLength, String(contentLength)));
}

/** :path of a request; undefined when it has none. */
export function readPath(section: Uint8Array): string | undefined {
  for (const field of fields(section)) {
    if (field.nameIndex === staticPath) return field.value ?? '/';
  }
  return undefined;
}

/** :status of a response; throws when it has none. */
export function readStatus(section: Uint8Array): number {
  for (const field of fields(section)) {
    const status = staticStatuses.get(field.nameIndex);
    if (status !== undefined) return field.value === undefined ? status : Number(field.value);
  }
  throw new Error('a response without :status');
}

interface Field {
  /** Number of the static entry that gives the name; -1 when the name is spelled out. */
  readonly nameIndex: number;
  /** Undefined when the static entry gives the value too. */
  readonly value: string | undefined;
}

/** A literal field line with the name of a static entry (RFC 9204 §4.5.4). */
function literal(nameIndex: number, value: string): number[] {
  const bytes = new TextEncoder().encode(value);
  if (bytes.length >= 127) throw new RangeError('a value too long for a one-byte length');
  return [0x50 | nameIndex, bytes.length, ...bytes];
}

function* fields(section: Uint8Array): Generator<Field> {
  const reader = new PrefixReader(section);
  const insertCount = reader.integer(8);
  reader.integer(7);
  if (insertCount !== 0) throw new Error('a field section that needs the dynamic table');
  while (!reader.done) {
    const first = reader.peek();
    if ((first & 0xc0) === 0xc0) yield { nameIndex: reader.integer(6), value: undefined };
    else if ((first & 0xd0) === 0x50) yield { nameIndex: reader.integer(4), value: reader.string(7) };
    else if ((first & 0xe0) === 0x20) {
      reader.string(3);
      yield { nameIndex: -1, value: reader.string(7) };
    } else throw new Error('a field line that needs the dynamic table');
  }
}

class PrefixReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  peek(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new Error('a field section is cut off');
    return byte;
  }

  /** An integer whose first byte gives `prefix` bits (RFC 7541 §5.1). */
  integer(prefix: number): number {
    const full = 2 ** prefix - 1;
    let value = this.peek() & full;
    this.#at++;
    if (value < full) return value;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.peek();
      this.#at++;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  /** A string whose length has `prefix` bits in its first byte, and whose Huffman bit is the one above them. */
  string(prefix: number): string {
    const huffman = (this.peek() & (1 << prefix)) !== 0;
    const length = this.integer(prefix);
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    if (bytes.length < length) throw new Error('a string is cut off');
    this.#at += length;
    return huffman ? decodeHuffman(bytes) : new TextDecoder().decode(bytes);
  }
}

/** Reads codes up to eight bits; a symbol with a longer code is given as U+FFFD and ends the text. */
function decodeHuffman(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let length = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      bits = (bits << 1) | ((byte >>> bit) & 1);
      length++;
      const symbol = huffmanSymbol(bits, length);
      if (symbol !== undefined) {
        text += symbol;
        bits = 0;
        length = 0;
      } else if (length > 8) return `${text}\ufffd`;
    }
  }
  return text; // fewer than eight bits are left: the padding
}

function huffmanSymbol(code: number, length: number): string | undefined {
  let first = 0;
  let lastLength = 5;
  for (const [symbolLength, symbols] of huffmanSymbols) {
    first <<= symbolLength - lastLength;
    lastLength = symbolLength;
    if (symbolLength === length) return symbols[code - first];
    first += symbols.length;
  }
  return undefined;
}
