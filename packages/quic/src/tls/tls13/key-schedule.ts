import { createHash, createHmac } from 'node:crypto';
import { hkdfExpandLabel, hkdfExtract } from '../../crypto/hkdf.ts';
import type { CipherSuite } from '../../crypto/suite.ts';

/** The traffic secrets of one stage, one for each direction. */
export interface TrafficSecrets {
  readonly client: Uint8Array;
  readonly server: Uint8Array;
}

/**
 * The key schedule of RFC 9846 §7.1 without a pre-shared key: Early Secret, Handshake Secret, Main Secret. Holds the
 * current secret only; a stage that was left cannot be derived from again.
 */
export class KeySchedule {
  readonly #hash: CipherSuite['hash'];
  readonly #length: number;
  /** Hash.length zero bytes: the absent PSK, and the input of the Main Secret. */
  readonly #zeros: Uint8Array;
  /** The secret of the current stage. */
  #secret: Uint8Array;

  constructor(suite: Pick<CipherSuite, 'hash' | 'hashLength'>) {
    this.#hash = suite.hash;
    this.#length = suite.hashLength;
    this.#zeros = new Uint8Array(suite.hashLength);
    this.#secret = hkdfExtract(this.#hash, this.#zeros, this.#zeros);
  }

  /** Goes on to the Handshake Secret. `transcript` is the hash of ClientHello to ServerHello. */
  enterHandshake(sharedSecret: Uint8Array, transcript: Uint8Array): TrafficSecrets {
    this.#advance(sharedSecret);
    return { client: this.#derive('c hs traffic', transcript), server: this.#derive('s hs traffic', transcript) };
  }

  /** Goes on to the Main Secret. `transcript` is the hash of ClientHello to the server's Finished. */
  enterApplication(transcript: Uint8Array): TrafficSecrets & { readonly exporter: Uint8Array } {
    this.#advance(this.#zeros);
    return {
      client: this.#derive('c ap traffic', transcript),
      server: this.#derive('s ap traffic', transcript),
      exporter: this.#derive('exp master', transcript),
    };
  }

  /** The verify_data of the Finished of the side whose handshake traffic secret is `baseKey` (RFC 9846 §4.5.3). */
  verifyData(baseKey: Uint8Array, transcript: Uint8Array): Uint8Array {
    const key = hkdfExpandLabel(this.#hash, baseKey, 'finished', new Uint8Array(0), this.#length);
    return createHmac(this.#hash, key).update(transcript).digest();
  }

  #advance(input: Uint8Array): void {
    const salt = this.#derive('derived', createHash(this.#hash).digest());
    this.#secret = hkdfExtract(this.#hash, salt, input);
  }

  #derive(label: string, transcript: Uint8Array): Uint8Array {
    return hkdfExpandLabel(this.#hash, this.#secret, label, transcript, this.#length);
  }
}
