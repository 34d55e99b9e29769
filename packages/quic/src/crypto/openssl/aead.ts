import { Nonce } from '../nonce.ts';
import type { CipherSuite } from '../suite.ts';
import { AesGcm } from './aes-gcm.ts';
import { Context } from './context.ts';
import type { Evp } from './evp.ts';
import type { Openssl, Scratch } from './scratch.ts';

/**
 * An AEAD under one key, on packets in native memory: header first, payload behind it, tag behind that. RFC 9001
 * §5.3. One context serves both directions, opening unless it has just sealed.
 */
export interface Aead {
  /** Encrypts in place and writes the tag. False when OpenSSL has failed: the packet must not be sent. */
  seal(packet: NativePacket, headerLength: number, plaintextLength: number, packetNumber: number): boolean;
  /** Decrypts in place; whether the tag was right. The header is as it was, the payload undefined when it wasn't. */
  open(packet: NativePacket, headerLength: number, plaintextLength: number, packetNumber: number): boolean;
  destroy(): void;
}

/** A packet in native memory: its first byte is at `address`, and that is `bytes[at]`. */
export interface NativePacket {
  address: number;
  bytes: Uint8Array;
  at: number;
}

/** The AEAD of a suite. */
export function aeadOf(openssl: Openssl, suite: CipherSuite, key: Uint8Array, iv: Uint8Array): Aead {
  return suite.aead === 'chacha20-poly1305'
    ? new ChaCha20Poly1305(openssl, suite, key, iv)
    : new AesGcm(openssl, suite, key, iv);
}

/** ChaCha20-Poly1305, whose provider takes a new nonce only by initialising and finishes only through EVP's own function. */
class ChaCha20Poly1305 implements Aead {
  readonly #evp: Evp;
  readonly #scratch: Scratch;
  readonly #context: Context;
  readonly #nonce: Nonce;

  constructor(openssl: Openssl, suite: CipherSuite, key: Uint8Array, iv: Uint8Array) {
    this.#evp = openssl.evp;
    this.#scratch = openssl.scratch;
    this.#nonce = new Nonce(iv);
    this.#context = new Context(openssl, suite, suite.aead, key, false);
  }

  seal({ address }: NativePacket, headerLength: number, plaintextLength: number, packetNumber: number): boolean {
    const { tagParams } = this.#scratch;
    const context = this.#context.address;
    const payload = address + headerLength;
    this.#scratch.pointTagAt(payload + plaintextLength);
    return (
      this.#process(context, 1, 0, address, headerLength, plaintextLength, packetNumber) &&
      this.#evp.getParams(context, tagParams) === 1
    );
  }

  open({ address }: NativePacket, headerLength: number, plaintextLength: number, packetNumber: number): boolean {
    const { tagParams } = this.#scratch;
    const context = this.#context.address;
    this.#scratch.pointTagAt(address + headerLength + plaintextLength);
    return this.#process(context, 0, tagParams, address, headerLength, plaintextLength, packetNumber);
  }

  destroy(): void {
    this.#context.destroy();
  }

  #process(
    context: number,
    encrypt: 0 | 1,
    params: number,
    address: number,
    headerLength: number,
    plaintextLength: number,
    packetNumber: number,
  ): boolean {
    const evp = this.#evp;
    const { bytes, nonce, nonceAt, written } = this.#scratch;
    const payload = address + headerLength;
    this.#nonce.writeTo(bytes, nonceAt, packetNumber);
    return (
      evp.cipherInit(context, 0, 0, nonce, encrypt, params) === 1 &&
      evp.update(context, 0, written, address, headerLength) === 1 &&
      evp.update(context, payload, written, payload, plaintextLength) === 1 &&
      evp.final(context, payload + plaintextLength, written) === 1
    );
  }
}
