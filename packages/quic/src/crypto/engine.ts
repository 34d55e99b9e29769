import type { Arena } from '../base/arena.ts';
import type { CipherSuite } from './suite.ts';

/** Bytes by which a sealed payload is longer than its plaintext; the same in every suite. RFC 9001 §5.3. */
export const TAG_LENGTH = 16;

/** Bytes of ciphertext that header protection samples. RFC 9001 §5.4.2. */
export const SAMPLE_LENGTH = 16;

/** Seals and opens packets of one direction and key phase, in place. AEAD of RFC 9001 §5.3; the tag is 16 bytes. */
export interface PacketKey {
  /**
   * Encrypts in place. The header is [start, start+headerLength); the plaintext follows it; the 16-byte tag is written
   * behind the plaintext, where the caller has left room.
   */
  seal(arena: Arena, start: number, headerLength: number, plaintextLength: number, packetNumber: number): void;
  /**
   * Decrypts in place and returns whether the tag was right. `ciphertextLength` includes the 16-byte tag. When it returns
   * false the contents of the range are undefined.
   */
  open(arena: Arena, start: number, headerLength: number, ciphertextLength: number, packetNumber: number): boolean;
  /** Frees what the engine holds; the key must not be used afterwards. */
  destroy(): void;
}

/** Which packets of an arena a header key works on. Entry i: first byte at start[i], packet number field at pnOffset[i]. */
export interface HeaderBatch {
  count: number;
  readonly start: Int32Array;
  readonly pnOffset: Int32Array;
}

/** Header protection of one direction, RFC 9001 §5.4. The sample is the 16 bytes at pnOffset + 4. */
export interface HeaderKey {
  /** Applies protection; the packet number length is read from the (still clear) first byte. */
  protect(arena: Arena, batch: HeaderBatch): void;
  /** Removes protection: first byte and packet number bytes become clear. */
  unprotect(arena: Arena, batch: HeaderBatch): void;
  destroy(): void;
}

/**
 * Makes keys. Engines: openssl-ffi (where native code can be called), node-crypto (everywhere), null (for
 * measuring what encryption costs).
 */
export interface CryptoEngine {
  readonly name: string;
  /** `key` and `iv` as derived from the traffic secret ("quic key", "quic iv"). */
  packetKey(suite: CipherSuite, key: Uint8Array, iv: Uint8Array): PacketKey;
  /** `hp` as derived from the traffic secret ("quic hp"). */
  headerKey(suite: CipherSuite, hp: Uint8Array): HeaderKey;
}
