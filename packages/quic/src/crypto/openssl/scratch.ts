import type { Arena } from '../../base/arena.ts';
import { nativeArena } from '../../native/koffi.ts';
import { TAG_LENGTH } from '../engine.ts';
import type { Evp } from './evp.ts';

/** Longest key of a suite, in bytes. */
const MAX_KEY = 32;
/** Bytes of an OSSL_PARAM: name, type, data, size and returned size, each in 8 bytes. */
const PARAM_BYTES = 40;
const OSSL_PARAM_OCTET_STRING = 5;
/** EVP_AEAD_TLS1_AAD_LEN. */
const RECORD_HEADER_LENGTH = 13;
/** What a packet from the JavaScript heap is copied to: longer than any UDP payload. */
const BOUNCE_BYTES = 64 << 10;

// Where things are in the scratch memory. Everything is aligned to 16 bytes.
const AT_KEY = 0;
const AT_NONCE = 32;
const AT_WRITTEN = 48;
const AT_SAMPLE = 64;
const AT_MASK = 80;
const AT_ZEROS = 96;
const AT_TAG_NAME = 112;
const AT_IV_NAME = 128;
const AT_AAD_NAME = 144;
const AT_SEAL_IV = 160;
const AT_OPEN_IV_TAG = AT_SEAL_IV + 2 * PARAM_BYTES;
const AT_TAG = AT_OPEN_IV_TAG + 3 * PARAM_BYTES;
const AT_IV_RECORD = AT_TAG + 2 * PARAM_BYTES;
const AT_RECORD = AT_IV_RECORD + PARAM_BYTES;
const SCRATCH_BYTES = AT_RECORD + 2 * PARAM_BYTES;

/**
 * Native memory that every key of an engine works with while one of its calls lasts: nothing here outlives a call. Arguments
 * of OpenSSL's functions are written here from JavaScript and passed by address.
 */
export class Scratch {
  readonly #arena = nativeArena(SCRATCH_BYTES);
  readonly #words = new Uint32Array(this.#arena.bytes.buffer);
  readonly bytes = this.#arena.bytes;

  readonly key = this.#arena.address + AT_KEY;
  /** 12 bytes; in `bytes` from `nonceAt` on. */
  readonly nonce = this.#arena.address + AT_NONCE;
  readonly nonceAt = AT_NONCE;
  /** Where OpenSSL writes how much it has written, which nobody reads. */
  readonly written = this.#arena.address + AT_WRITTEN;
  /** 16 bytes; in `bytes` from `sampleAt` on. */
  readonly sample = this.#arena.address + AT_SAMPLE;
  readonly sampleAt = AT_SAMPLE;
  /** The first 5 bytes of 16; in `bytes` from `maskAt` on. */
  readonly mask = this.#arena.address + AT_MASK;
  readonly maskAt = AT_MASK;
  readonly zeros = this.#arena.address + AT_ZEROS;

  /** Parameter list that sets a whole GCM nonce to the 12 bytes at `nonce`. */
  readonly ivParams = this.#arena.address + AT_SEAL_IV;
  /** The same together with the tag to expect, which is where `pointTagAt` said. */
  readonly ivAndTagParams = this.#arena.address + AT_OPEN_IV_TAG;
  /** The tag alone, to set or get. */
  readonly tagParams = this.#arena.address + AT_TAG;

  /** Parameter list with the 13 bytes of header of a record, which are where `pointRecordHeaderAt` said. */
  readonly recordParams = this.#arena.address + AT_RECORD;
  /** The same together with the whole nonce at `nonce`. OpenSSL reads the header first, whatever the order. */
  readonly ivAndRecordParams = this.#arena.address + AT_IV_RECORD;

  #bounce: Arena | undefined;

  constructor() {
    writeName(this.bytes, AT_TAG_NAME, 'tag');
    writeName(this.bytes, AT_IV_NAME, 'tlsivfixed');
    writeName(this.bytes, AT_AAD_NAME, 'tlsaad');
    this.#writeNonceParam(AT_IV_RECORD);
    this.#writeParam(AT_RECORD, AT_AAD_NAME, 0, RECORD_HEADER_LENGTH);
    this.#writeNonceParam(AT_SEAL_IV);
    this.#writeNonceParam(AT_OPEN_IV_TAG);
    this.#writeParam(AT_OPEN_IV_TAG + PARAM_BYTES, AT_TAG_NAME, 0, TAG_LENGTH);
    this.#writeParam(AT_TAG, AT_TAG_NAME, 0, TAG_LENGTH);
  }

  /** Makes `tagParams` and `ivAndTagParams` name the 16 bytes at `address` as the tag. */
  pointTagAt(address: number): void {
    this.#writeAddress(AT_TAG + 16, address);
    this.#writeAddress(AT_OPEN_IV_TAG + PARAM_BYTES + 16, address);
  }

  /** Makes the record parameters name the 13 bytes at `address` as the header. */
  pointRecordHeaderAt(address: number): void {
    this.#writeAddress(AT_RECORD + 16, address);
  }

  /** Puts a key where `key` points, for one call: the caller clears it with `clearKey`. */
  writeKey(key: Uint8Array): void {
    this.bytes.set(key, AT_KEY);
  }

  clearKey(): void {
    this.bytes.fill(0, AT_KEY, AT_KEY + MAX_KEY);
  }

  /** Memory for one packet that lies in the JavaScript heap. Made when it is first needed. */
  get bounce(): Arena {
    this.#bounce ??= nativeArena(BOUNCE_BYTES);
    return this.#bounce;
  }

  /**
   * GCM's "tlsivfixed" with a length of -1 replaces the whole nonce and leaves the key alone, in a call that takes two
   * arguments and looks up nothing: 50 ns less than initialising. (The self check finds out where it doesn't work.)
   */
  #writeNonceParam(at: number): void {
    this.#writeParam(at, AT_IV_NAME, this.#arena.address + AT_NONCE, -1);
  }

  #writeParam(at: number, name: number, data: number, size: number): void {
    this.#writeAddress(at, this.#arena.address + name);
    this.#words[(at + 8) >> 2] = OSSL_PARAM_OCTET_STRING;
    this.#writeAddress(at + 16, data);
    this.#words[(at + 24) >> 2] = size;
    this.#words[(at + 28) >> 2] = size < 0 ? -1 : 0;
  }

  #writeAddress(at: number, address: number): void {
    this.#words[at >> 2] = address;
    this.#words[(at + 4) >> 2] = address / 4294967296;
  }
}

function writeName(bytes: Uint8Array, at: number, name: string): void {
  for (let i = 0; i < name.length; i++) bytes[at + i] = name.charCodeAt(i);
}

/** What the keys of one engine share. */
export interface Openssl {
  readonly evp: Evp;
  readonly scratch: Scratch;
  /** Whether AES-GCM's way for records works: see AesGcm. */
  readonly hasRecords: boolean;
  /** Frees the contexts of keys that nobody destroyed: of connections that were dropped without an end. */
  readonly forgotten: FinalizationRegistry<number>;
}
