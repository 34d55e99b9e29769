import type { Arena } from '../../base/arena.ts';
import { nativeArena } from '../../native/koffi.ts';
import { type HeaderBatch, type HeaderKey, SAMPLE_LENGTH } from '../engine.ts';
import { maskHeaders, unmaskHeaders } from '../header-mask.ts';
import type { CipherSuite } from '../suite.ts';
import { Context } from './context.ts';
import type { Openssl } from './scratch.ts';

/** Bytes of a header protection mask. RFC 9001 §5.4.1. */
const MASK_LENGTH = 5;
/** What a batch usually holds at most. */
const USUAL_BATCH = 64;

/** The samples of one batch, and then their masks, back to back in native memory: what all AES header keys share. */
export class MaskMemory {
  /** 16 bytes an entry. The masks take the samples' place. */
  arena: Arena = nativeArena(USUAL_BATCH * SAMPLE_LENGTH);
  #words = new Int32Array(this.arena.bytes.buffer);
  /** A view of the arena that samples were last taken from: reading words is ten times faster than reading bytes. */
  #source: DataView = new DataView(new ArrayBuffer(0));

  /** Copies the samples of a batch here. */
  gather(bytes: Uint8Array, batch: HeaderBatch): void {
    const { count } = batch;
    if (count * SAMPLE_LENGTH > this.arena.bytes.length) {
      this.arena = nativeArena(2 * count * SAMPLE_LENGTH);
      this.#words = new Int32Array(this.arena.bytes.buffer);
    }
    const words = this.#words;
    const source = this.#viewOf(bytes);
    for (let i = 0, at = 0; i < count; i++, at += 4) {
      const from = batch.pnOffset[i]! + 4;
      // Little-endian, as the words of the systems are that this runs on.
      words[at] = source.getInt32(from, true);
      words[at + 1] = source.getInt32(from + 4, true);
      words[at + 2] = source.getInt32(from + 8, true);
      words[at + 3] = source.getInt32(from + 12, true);
    }
  }

  #viewOf(bytes: Uint8Array): DataView {
    const view = this.#source;
    if (view.buffer === bytes.buffer && view.byteOffset === bytes.byteOffset && view.byteLength === bytes.byteLength) {
      return view;
    }
    this.#source = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return this.#source;
  }
}

/** Header protection with AES, RFC 9001 §5.4.3: one call for all samples of a batch. */
export class OpensslAesHeaderKey implements HeaderKey {
  readonly #openssl: Openssl;
  readonly #context: Context;
  readonly #memory: MaskMemory;

  /** @param hp Copied. */
  constructor(openssl: Openssl, memory: MaskMemory, suite: CipherSuite, hp: Uint8Array) {
    this.#openssl = openssl;
    this.#memory = memory;
    this.#context = new Context(openssl, suite, suite.headerCipher, hp, true);
    openssl.evp.setPadding(this.#context.address, 0);
  }

  protect(arena: Arena, batch: HeaderBatch): void {
    if (batch.count > 0) maskHeaders(arena.bytes, batch, this.#masks(arena.bytes, batch), SAMPLE_LENGTH);
  }

  unprotect(arena: Arena, batch: HeaderBatch): void {
    if (batch.count > 0) unmaskHeaders(arena.bytes, batch, this.#masks(arena.bytes, batch), SAMPLE_LENGTH);
  }

  destroy(): void {
    this.#context.destroy();
  }

  /** The encrypted samples: the first five bytes of each are a mask. */
  #masks(bytes: Uint8Array, batch: HeaderBatch): Uint8Array {
    const memory = this.#memory;
    memory.gather(bytes, batch);
    const { address } = memory.arena;
    const length = batch.count * SAMPLE_LENGTH;
    if (this.#openssl.evp.cipher(this.#context.address, address, address, length) !== length) fail();
    return memory.arena.bytes;
  }
}

/** Header protection with ChaCha20, RFC 9001 §5.4.4: the sample is counter and nonce, so every packet has its own run. */
export class OpensslChaChaHeaderKey implements HeaderKey {
  readonly #openssl: Openssl;
  readonly #context: Context;
  /** The masks of a batch, back to back. Grows to the largest batch. */
  #masks = new Uint8Array(USUAL_BATCH * MASK_LENGTH);

  /** @param hp Copied. */
  constructor(openssl: Openssl, suite: CipherSuite, hp: Uint8Array) {
    this.#openssl = openssl;
    this.#context = new Context(openssl, suite, suite.headerCipher, hp, true);
  }

  protect(arena: Arena, batch: HeaderBatch): void {
    maskHeaders(arena.bytes, batch, this.#makeMasks(arena.bytes, batch), MASK_LENGTH);
  }

  unprotect(arena: Arena, batch: HeaderBatch): void {
    unmaskHeaders(arena.bytes, batch, this.#makeMasks(arena.bytes, batch), MASK_LENGTH);
  }

  destroy(): void {
    this.#context.destroy();
  }

  #makeMasks(bytes: Uint8Array, batch: HeaderBatch): Uint8Array {
    const { evp, scratch } = this.#openssl;
    const context = this.#context.address;
    const { count } = batch;
    if (count * MASK_LENGTH > this.#masks.length) this.#masks = new Uint8Array(2 * count * MASK_LENGTH);
    const masks = this.#masks;
    for (let i = 0; i < count; i++) {
      const from = batch.pnOffset[i]! + 4;
      for (let j = 0; j < SAMPLE_LENGTH; j++) scratch.bytes[scratch.sampleAt + j] = bytes[from + j]!;
      if (evp.cipherInit(context, 0, 0, scratch.sample, 1, 0) !== 1) fail();
      if (evp.cipher(context, scratch.mask, scratch.zeros, MASK_LENGTH) !== MASK_LENGTH) fail();
      for (let j = 0; j < MASK_LENGTH; j++) masks[i * MASK_LENGTH + j] = scratch.bytes[scratch.maskAt + j]!;
    }
    return masks;
  }
}

function fail(): never {
  throw new Error('OpenSSL failed to make header protection masks');
}
