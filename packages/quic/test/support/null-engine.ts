import type { Arena } from '../../src/base/arena.ts';
import { type CryptoEngine, type HeaderKey, type PacketKey, TAG_LENGTH } from '../../src/crypto/engine.ts';

const IV_LENGTH = 12;

/**
 * No protection at all: the payload stays clear. The tag is the IV and the packet number's low 32 bits, so that opening with
 * another key or packet number fails as it would with an AEAD; a changed header or payload goes unnoticed.
 */
class NullPacketKey implements PacketKey {
  readonly #iv: Uint8Array;

  constructor(iv: Uint8Array) {
    this.#iv = Uint8Array.from(iv);
  }

  seal(arena: Arena, start: number, headerLength: number, plaintextLength: number, packetNumber: number): void {
    const bytes = arena.bytes;
    const iv = this.#iv;
    let at = start + headerLength + plaintextLength;
    for (let i = 0; i < IV_LENGTH; i++) bytes[at++] = iv[i]!;
    bytes[at++] = packetNumber >>> 24;
    bytes[at++] = packetNumber >>> 16;
    bytes[at++] = packetNumber >>> 8;
    bytes[at] = packetNumber;
  }

  open(arena: Arena, start: number, headerLength: number, ciphertextLength: number, packetNumber: number): boolean {
    if (ciphertextLength < TAG_LENGTH) return false;
    const bytes = arena.bytes;
    const iv = this.#iv;
    let at = start + headerLength + ciphertextLength - TAG_LENGTH;
    let difference = 0;
    for (let i = 0; i < IV_LENGTH; i++) difference |= bytes[at++]! ^ iv[i]!;
    difference |=
      ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) ^ (packetNumber | 0);
    return difference === 0;
  }

  destroy(): void {}
}

const nullHeaderKey: HeaderKey = {
  protect() {},
  unprotect() {},
  destroy() {},
};

/**
 * The engine that protects nothing, on both ends of a connection: for measuring what protection costs. Never for use on a
 * network.
 */
export const nullCryptoEngine: CryptoEngine = {
  name: 'null',
  packetKey(_suite, _key, iv) {
    return new NullPacketKey(iv);
  },
  headerKey() {
    return nullHeaderKey;
  },
};
