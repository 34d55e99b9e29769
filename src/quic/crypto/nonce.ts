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
    const bytes = this.bytes;
    const low = this.#low ^ (packetNumber | 0);
    bytes[8] = low >>> 24;
    bytes[9] = low >>> 16;
    bytes[10] = low >>> 8;
    bytes[11] = low;
    const high = this.#high ^ (packetNumber / 4294967296);
    bytes[4] = high >>> 24;
    bytes[5] = high >>> 16;
    bytes[6] = high >>> 8;
    bytes[7] = high;
    return bytes;
  }
}
