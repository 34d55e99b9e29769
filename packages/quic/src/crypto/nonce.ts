/**
 * Builds packet nonces in one reused buffer: the IV with the packet number, left-padded, exclusive-ored into it.
 * RFC 9001 §5.3. Packet numbers stay below 2^53 (design: numbers, not BigInt), so the first five bytes never change.
 */
export class Nonce {
  /** Valid until the next `set`. */
  readonly bytes: Uint8Array;
  /** The last eight bytes of the IV as two unsigned 32-bit integers. */
  readonly #high: number;
  readonly #low: number;

  /** @param iv 12 bytes; copied. */
  constructor(iv: Uint8Array) {
    this.bytes = Uint8Array.from(iv);
    this.#high = (iv[4]! << 24) | (iv[5]! << 16) | (iv[6]! << 8) | iv[7]!;
    this.#low = (iv[8]! << 24) | (iv[9]! << 16) | (iv[10]! << 8) | iv[11]!;
  }

  /** Fills `bytes` for a packet and returns it. */
  set(packetNumber: number): Uint8Array {
    this.#write(packetNumber, this.bytes, 4);
    return this.bytes;
  }

  /** Writes the 12 bytes of a packet's nonce to `target` from `at` on; `bytes` stays as it is. */
  writeTo(target: Uint8Array, at: number, packetNumber: number): void {
    for (let i = 0; i < 4; i++) target[at + i] = this.bytes[i]!;
    this.#write(packetNumber, target, at + 4);
  }

  /** Writes the last 8 of the 12 bytes, which are those that differ between packets, to `target` from `at` on. */
  writeEnd(target: Uint8Array, at: number, packetNumber: number): void {
    this.#write(packetNumber, target, at);
  }

  #write(packetNumber: number, bytes: Uint8Array, at: number): void {
    const low = this.#low ^ (packetNumber | 0);
    bytes[at + 4] = low >>> 24;
    bytes[at + 5] = low >>> 16;
    bytes[at + 6] = low >>> 8;
    bytes[at + 7] = low;
    const high = this.#high ^ (packetNumber / 4294967296);
    bytes[at] = high >>> 24;
    bytes[at + 1] = high >>> 16;
    bytes[at + 2] = high >>> 8;
    bytes[at + 3] = high;
  }
}
