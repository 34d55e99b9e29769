import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { type Random, randomBytes } from '../base/random.ts';
import type { Millis } from '../base/time.ts';

export type TokenKind = 'retry' | 'new_token';

/** What an address validation token says. */
export interface OpenedToken {
  readonly kind: TokenKind;
  readonly issuedAt: Millis;
  readonly payload: Uint8Array;
}

const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;
const HEAD_LENGTH = 9;

/** Address validation tokens: sealed, so that nobody else can make or read one. RFC 9000 §8.1.4. */
export class TokenSealer {
  readonly #key: Uint8Array;
  readonly #random: Random;

  constructor(key: Uint8Array, random: Random) {
    this.#key = key.slice();
    this.#random = random;
  }

  /** A token for this address; port 0 is any port. `issuedAt` comes back from `open`. */
  seal(kind: TokenKind, host: string, port: number, issuedAt: Millis, payload: Uint8Array): Uint8Array {
    const plain = new Uint8Array(HEAD_LENGTH + payload.length);
    plain[0] = kind === 'retry' ? 1 : 2;
    new DataView(plain.buffer).setFloat64(1, issuedAt);
    plain.set(payload, HEAD_LENGTH);
    const nonce = randomBytes(this.#random, NONCE_LENGTH);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce);
    cipher.setAAD(addressBytes(host, port));
    const sealed = cipher.update(plain);
    cipher.final();
    const token = new Uint8Array(NONCE_LENGTH + sealed.length + TAG_LENGTH);
    token.set(nonce);
    token.set(sealed, NONCE_LENGTH);
    token.set(cipher.getAuthTag(), NONCE_LENGTH + sealed.length);
    return token;
  }

  /** What the token says, or undefined when it isn't ours or is for another address. */
  open(token: Uint8Array, host: string, port: number): OpenedToken | undefined {
    if (token.length < NONCE_LENGTH + HEAD_LENGTH + TAG_LENGTH) return undefined;
    const plain = this.#decrypt(token, addressBytes(host, port)) ?? this.#decrypt(token, addressBytes(host, 0));
    if (plain === undefined) return undefined;
    const view = new DataView(plain.buffer, plain.byteOffset, plain.length);
    const kind = plain[0] === 1 ? 'retry' : 'new_token';
    return { kind, issuedAt: view.getFloat64(1), payload: plain.slice(HEAD_LENGTH) };
  }

  #decrypt(token: Uint8Array, aad: Uint8Array): Uint8Array | undefined {
    const end = token.length - TAG_LENGTH;
    const decipher = createDecipheriv('aes-256-gcm', this.#key, token.subarray(0, NONCE_LENGTH));
    decipher.setAAD(aad);
    decipher.setAuthTag(token.subarray(end));
    const plain = decipher.update(token.subarray(NONCE_LENGTH, end));
    try {
      decipher.final();
    } catch {
      return undefined;
    }
    return plain;
  }
}

function addressBytes(host: string, port: number): Uint8Array {
  return new TextEncoder().encode(`${host} ${port}`);
}

/** The stateless reset token of a connection ID: the same whenever it is asked for. RFC 9000 §10.3.2. */
export function statelessResetToken(key: Uint8Array, cid: Uint8Array): Uint8Array {
  return createHmac('sha256', key).update(cid).digest().subarray(0, 16);
}
