import { Nonce } from '../nonce.ts';
import type { CipherSuite } from '../suite.ts';
import type { Aead, NativePacket } from './aead.ts';
import { Context } from './context.ts';
import type { Evp } from './evp.ts';
import type { Openssl, Scratch } from './scratch.ts';

/** Bytes of additional data that OpenSSL takes for a TLS record (EVP_AEAD_TLS1_AAD_LEN), and so of header for the short way. */
export const RECORD_HEADER_LENGTH = 13;
/** Bytes in front of a record's payload that hold the end of its nonce (EVP_GCM_TLS_EXPLICIT_IV_LEN). */
const EXPLICIT_NONCE = 8;
/** Where in a header of RECORD_HEADER_LENGTH bytes the explicit nonce lies. */
const EXPLICIT_AT = RECORD_HEADER_LENGTH - EXPLICIT_NONCE;
const TAG = 16;
/** What OpenSSL takes off the length field, the record header's last two bytes, before it authenticates them. */
const SEAL_SURPLUS = EXPLICIT_NONCE;
const OPEN_SURPLUS = EXPLICIT_NONCE + TAG;

/**
 * AES-GCM. The long way is OpenSSL's for messages: five calls to seal, four to open. The short way is its way for records of
 * TLS 1.2, which takes nonce and header in one call and does the rest in another: calls from JavaScript are a tenth of a
 * microsecond each. A record's additional data is 13 bytes, just the header of a packet with an 8-byte connection ID and a
 * 4-byte packet number, with two peculiarities that are undone here: OpenSSL takes the overhead of a record off the last two
 * bytes, and uses the 8 bytes in front of the payload, which are the header's last, for its explicit nonce.
 */
export class AesGcm implements Aead {
  readonly #evp: Evp;
  readonly #scratch: Scratch;
  readonly #context: Context;
  readonly #nonce: Nonce;
  /** Whether the short way works with this OpenSSL. */
  readonly #hasRecords: boolean;
  /** Which way the context is set. */
  #sealing = false;
  /** Whether OpenSSL may use the explicit nonces of records: it must have been given one nonce before. */
  #isPrimed = false;

  constructor(openssl: Openssl, suite: CipherSuite, key: Uint8Array, iv: Uint8Array) {
    this.#evp = openssl.evp;
    this.#scratch = openssl.scratch;
    this.#hasRecords = openssl.hasRecords;
    this.#nonce = new Nonce(iv);
    this.#context = new Context(openssl, suite, suite.aead, key, false);
  }

  seal(packet: NativePacket, headerLength: number, plaintextLength: number, packetNumber: number): boolean {
    if (!this.#turn(true)) return false;
    if (headerLength === RECORD_HEADER_LENGTH && this.#hasRecords) {
      const done = this.#record(packet, plaintextLength, packetNumber, SEAL_SURPLUS);
      if (done !== undefined) return done;
    }
    const evp = this.#evp;
    const scratch = this.#scratch;
    const context = this.#context.address;
    const payload = packet.address + headerLength;
    this.#nonce.writeTo(scratch.bytes, scratch.nonceAt, packetNumber);
    scratch.pointTagAt(payload + plaintextLength);
    return (
      evp.setParams(context, scratch.ivParams) === 1 &&
      evp.cipher(context, 0, packet.address, headerLength) === headerLength &&
      evp.cipher(context, payload, payload, plaintextLength) === plaintextLength &&
      evp.cipher(context, scratch.written, 0, 0) === 0 &&
      evp.getParams(context, scratch.tagParams) === 1
    );
  }

  open(packet: NativePacket, headerLength: number, plaintextLength: number, packetNumber: number): boolean {
    if (!this.#turn(false)) return false;
    if (headerLength === RECORD_HEADER_LENGTH && this.#hasRecords) {
      const done = this.#record(packet, plaintextLength, packetNumber, OPEN_SURPLUS);
      if (done !== undefined) return done;
    }
    const evp = this.#evp;
    const scratch = this.#scratch;
    const context = this.#context.address;
    const payload = packet.address + headerLength;
    this.#nonce.writeTo(scratch.bytes, scratch.nonceAt, packetNumber);
    scratch.pointTagAt(payload + plaintextLength);
    return (
      evp.setParams(context, scratch.ivAndTagParams) === 1 &&
      evp.cipher(context, 0, packet.address, headerLength) === headerLength &&
      evp.cipher(context, payload, payload, plaintextLength) === plaintextLength &&
      evp.cipher(context, scratch.written, 0, 0) === 0
    );
  }

  destroy(): void {
    this.#context.destroy();
  }

  /** Sets the context to seal or to open. */
  #turn(sealing: boolean): boolean {
    if (this.#sealing === sealing) return true;
    if (this.#evp.cipherInit(this.#context.address, 0, 0, 0, sealing ? 1 : 0, 0) !== 1) return false;
    this.#sealing = sealing;
    return true;
  }

  /** The short way; undefined when this packet must go the long way: its length field has no room for the surplus. */
  #record(packet: NativePacket, plaintextLength: number, packetNumber: number, surplus: number): boolean | undefined {
    const { bytes } = packet;
    const at = packet.at + EXPLICIT_AT;
    const last = (bytes[at + 6]! << 8) | bytes[at + 7]!;
    if (last + surplus > 0xffff) return undefined;
    const high = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
    const low = (bytes[at + 4]! << 24) | (bytes[at + 5]! << 16) | last;
    bytes[at + 6] = (last + surplus) >> 8;
    bytes[at + 7] = last + surplus;
    const done = this.#process(packet, plaintextLength, packetNumber, surplus === SEAL_SURPLUS);
    bytes[at] = high >>> 24;
    bytes[at + 1] = high >>> 16;
    bytes[at + 2] = high >>> 8;
    bytes[at + 3] = high;
    bytes[at + 4] = low >>> 24;
    bytes[at + 5] = low >>> 16;
    bytes[at + 6] = last >> 8;
    bytes[at + 7] = last;
    return done;
  }

  #process(
    { address, bytes, at }: NativePacket,
    plaintextLength: number,
    packetNumber: number,
    seal: boolean,
  ): boolean {
    const evp = this.#evp;
    const scratch = this.#scratch;
    const context = this.#context.address;
    const record = address + EXPLICIT_AT;
    const length = EXPLICIT_NONCE + plaintextLength + TAG;
    scratch.pointRecordHeaderAt(address);
    let params = scratch.recordParams;
    if (seal || !this.#isPrimed) {
      this.#nonce.writeTo(scratch.bytes, scratch.nonceAt, packetNumber);
      params = scratch.ivAndRecordParams;
    }
    if (evp.setParams(context, params) !== 1) return false;
    this.#isPrimed = true;
    // To open, OpenSSL takes all but the nonce's first four bytes, which never change, from in front of the payload.
    if (!seal) this.#nonce.writeEnd(bytes, at + EXPLICIT_AT, packetNumber);
    return evp.cipher(context, record, record, length) === length;
  }
}
