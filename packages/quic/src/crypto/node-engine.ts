import { type Cipher, createCipheriv, createDecipheriv } from 'node:crypto';
import type { Arena } from '../base/arena.ts';
import {
  type CryptoEngine,
  type HeaderBatch,
  type HeaderKey,
  type PacketKey,
  SAMPLE_LENGTH,
  TAG_LENGTH,
} from './engine.ts';
import { maskHeaders, unmaskHeaders } from './header-mask.ts';
import { Nonce } from './nonce.ts';
import type { CipherSuite } from './suite.ts';
import { ViewCache } from './view-cache.ts';

/** Bytes of a header protection mask. RFC 9001 §5.4.1. */
const MASK_LENGTH = 5;
const ZEROS = new Uint8Array(MASK_LENGTH);
const NOTHING = new Uint8Array(0);
/** node:crypto's AEADs work alike; its types have an overload for each. */
type Aead = 'aes-128-gcm';

// Send and receive arenas have packets at the same offsets: one cache for both would thrash.
const sealViews = new ViewCache();
const openViews = new ViewCache();

/**
 * Packet protection by node:crypto. It has no way to give a cipher object a new nonce, so every packet costs a cipher, the
 * buffer that its output comes in, and a copy back into the arena; nothing else is allocated.
 */
class NodePacketKey implements PacketKey {
  readonly #aead: Aead;
  /** A copy, cleared by `destroy`. */
  readonly #key: Uint8Array;
  readonly #nonce: Nonce;

  constructor(suite: CipherSuite, key: Uint8Array, iv: Uint8Array) {
    this.#aead = suite.aead as Aead;
    this.#key = Uint8Array.from(key);
    this.#nonce = new Nonce(iv);
  }

  seal(arena: Arena, start: number, headerLength: number, plaintextLength: number, packetNumber: number): void {
    const bytes = arena.bytes;
    const payload = start + headerLength;
    const cipher = createCipheriv(this.#aead, this.#key, this.#nonce.set(packetNumber));
    cipher.setAAD(sealViews.view(bytes, start, headerLength));
    const ciphertext = cipher.update(sealViews.view(bytes, payload, plaintextLength));
    cipher.final();
    bytes.set(ciphertext, payload);
    bytes.set(cipher.getAuthTag(), payload + plaintextLength);
  }

  open(arena: Arena, start: number, headerLength: number, ciphertextLength: number, packetNumber: number): boolean {
    const plaintextLength = ciphertextLength - TAG_LENGTH;
    if (plaintextLength < 0) return false;
    const bytes = arena.bytes;
    const payload = start + headerLength;
    const decipher = createDecipheriv(this.#aead, this.#key, this.#nonce.set(packetNumber));
    decipher.setAuthTag(openViews.view(bytes, payload + plaintextLength, TAG_LENGTH));
    decipher.setAAD(openViews.view(bytes, start, headerLength));
    const plaintext = decipher.update(openViews.view(bytes, payload, plaintextLength));
    try {
      decipher.final();
    } catch {
      return false;
    }
    bytes.set(plaintext, payload);
    return true;
  }

  destroy(): void {
    this.#key.fill(0);
  }
}

/** Header protection with AES, RFC 9001 §5.4.3: one cipher for the key's life, one call for a batch of samples. */
class NodeAesHeaderKey implements HeaderKey {
  #cipher: Cipher | undefined;
  /** The samples of a batch, back to back. Grows to the largest batch. */
  #samples = new Uint8Array(64 * SAMPLE_LENGTH);
  /** The part of #samples that the batch before this one filled: batches tend to be equally long. */
  #filled = NOTHING;

  constructor(suite: CipherSuite, hp: Uint8Array) {
    this.#cipher = createCipheriv(suite.headerCipher, hp, null).setAutoPadding(false);
  }

  protect(arena: Arena, batch: HeaderBatch): void {
    if (batch.count > 0) maskHeaders(arena.bytes, batch, this.#masks(arena.bytes, batch), SAMPLE_LENGTH);
  }

  unprotect(arena: Arena, batch: HeaderBatch): void {
    if (batch.count > 0) unmaskHeaders(arena.bytes, batch, this.#masks(arena.bytes, batch), SAMPLE_LENGTH);
  }

  destroy(): void {
    this.#cipher = undefined;
  }

  /** The encrypted samples: the first five bytes of each are a mask. */
  #masks(bytes: Uint8Array, batch: HeaderBatch): Uint8Array {
    const length = batch.count * SAMPLE_LENGTH;
    if (length > this.#samples.length) this.#samples = new Uint8Array(2 * length);
    const samples = this.#samples;
    let at = 0;
    for (let i = 0; i < batch.count; i++) {
      const from = batch.pnOffset[i]! + 4;
      for (let j = 0; j < SAMPLE_LENGTH; j++) samples[at++] = bytes[from + j]!;
    }
    if (this.#filled.length !== length || this.#filled.buffer !== samples.buffer)
      this.#filled = samples.subarray(0, length);
    return this.#cipher!.update(this.#filled);
  }
}

/** Header protection with ChaCha20, RFC 9001 §5.4.4: the sample is counter and nonce, so every packet has its own cipher. */
class NodeChaChaHeaderKey implements HeaderKey {
  readonly #hp: Uint8Array;
  /** The sample at hand. */
  readonly #sample = new Uint8Array(SAMPLE_LENGTH);
  /** The masks of a batch, back to back. Grows to the largest batch. */
  #masks = new Uint8Array(64 * MASK_LENGTH);

  constructor(hp: Uint8Array) {
    this.#hp = Uint8Array.from(hp);
  }

  protect(arena: Arena, batch: HeaderBatch): void {
    maskHeaders(arena.bytes, batch, this.#makeMasks(arena.bytes, batch), MASK_LENGTH);
  }

  unprotect(arena: Arena, batch: HeaderBatch): void {
    unmaskHeaders(arena.bytes, batch, this.#makeMasks(arena.bytes, batch), MASK_LENGTH);
  }

  destroy(): void {
    this.#hp.fill(0);
  }

  #makeMasks(bytes: Uint8Array, batch: HeaderBatch): Uint8Array {
    const length = batch.count * MASK_LENGTH;
    if (length > this.#masks.length) this.#masks = new Uint8Array(2 * length);
    const sample = this.#sample;
    for (let i = 0; i < batch.count; i++) {
      const from = batch.pnOffset[i]! + 4;
      for (let j = 0; j < SAMPLE_LENGTH; j++) sample[j] = bytes[from + j]!;
      this.#masks.set(createCipheriv('chacha20', this.#hp, sample).update(ZEROS), i * MASK_LENGTH);
    }
    return this.#masks;
  }
}

/** The engine that runs everywhere: node:crypto. */
export const nodeCryptoEngine: CryptoEngine = {
  name: 'node-crypto',
  packetKey(suite, key, iv) {
    return new NodePacketKey(suite, key, iv);
  },
  headerKey(suite, hp) {
    return suite.headerCipher === 'chacha20' ? new NodeChaChaHeaderKey(hp) : new NodeAesHeaderKey(suite, hp);
  },
};
