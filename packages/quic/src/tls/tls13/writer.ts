/** Builds TLS structures (RFC 9846 §3): big-endian numbers and vectors with a length in front, in a buffer that grows. */
export class StructureWriter {
  #bytes = new Uint8Array(512);
  /** Bytes written so far. */
  #length = 0;

  u8(value: number): this {
    return this.#number(value, 1);
  }

  u16(value: number): this {
    return this.#number(value, 2);
  }

  u24(value: number): this {
    return this.#number(value, 3);
  }

  bytes(source: Uint8Array): this {
    this.#reserve(source.length);
    this.#bytes.set(source, this.#length);
    this.#length += source.length;
    return this;
  }

  /** A vector: what `body` writes, behind its length in `lengthBytes` bytes. Throws a RangeError when it is too long for that. */
  vector(lengthBytes: 1 | 2 | 3, body: (writer: this) => void): this {
    const at = this.#length;
    this.#number(0, lengthBytes);
    body(this);
    const end = this.#length;
    const length = end - at - lengthBytes;
    if (length >= 256 ** lengthBytes) throw new RangeError(`${length} bytes do not fit a TLS vector`);
    this.#length = at;
    this.#number(length, lengthBytes);
    this.#length = end;
    return this;
  }

  /** A copy of everything written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #number(value: number, width: number): this {
    this.#reserve(width);
    for (let shift = 8 * (width - 1); shift >= 0; shift -= 8) this.#bytes[this.#length++] = value >>> shift;
    return this;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + more));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/** A whole handshake message, header included: what `body` writes, as a message of `type` (RFC 9846 §4). */
export function handshakeMessage(type: number, body: (writer: StructureWriter) => void): Uint8Array {
  return new StructureWriter().u8(type).vector(3, body).finish();
}
