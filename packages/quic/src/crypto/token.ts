import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { sameBytes } from '../base/cursor.ts';
import { type Random, randomBytes } from '../base/random.ts';
import type { Millis } from '../base/time.ts';

/** How the client came by a token: from a Retry, for this handshake, or from NEW_TOKEN, for a later one. RFC 9000 §8.1.1. */
export type TokenKind = 'retry' | 'new_token';

/** What `TokenSealer.open` finds in a token of its own. */
export interface OpenedToken {
  readonly kind: TokenKind;
  /** When it was sealed, by the clock that was given then. */
  readonly issuedAt: Millis;
  readonly payload: Uint8Array;
}

const KIND_CODES: Record<TokenKind, number> = { retry: 1, new_token: 2 };
const KEY_LENGTH = 32;
const SALT_LENGTH = 16;
const TAG_LENGTH = 16;
const ISSUED_LENGTH = 8;
/** Kind, salt. */
const CLEAR_LENGTH = 1 + SALT_LENGTH;
/** Every token has its own key, so one nonce does for all. */
const NONCE = new Uint8Array(12);
const UNNAMED = new Uint8Array(0);

/**
 * Makes and checks address validation tokens, RFC 9000 §8.1.4: kind (1 byte), salt (16), sealed with AES-256-GCM: time of
 * issue (8) and payload. Key and tag depend on the server's secret, the salt, the kind and the client's address, which are
 * not in the token. Each token is sealed with a key of its own, so that no number of tokens wears the secret out.
 */
export class TokenSealer {
  readonly #secret: Uint8Array;
  readonly #random: Random;

  /** @param secret 32 random bytes; the same at every server that has to take the tokens. */
  constructor(secret: Uint8Array, random: Random) {
    if (secret.length !== KEY_LENGTH)
      throw new RangeError(`a token secret has ${KEY_LENGTH} bytes, not ${secret.length}`);
    this.#secret = Uint8Array.from(secret);
    this.#random = random;
  }

  /**
   * A token for the client at this address.
   * @param host The client's numeric address.
   * @param port The client's port; 0 for tokens of later connections, which come from other ports.
   * @param name At most 8 random bytes with which the salt starts, for `isNamed`: a salt must still not come twice.
   */
  seal(
    kind: TokenKind,
    host: string,
    port: number,
    issuedAt: Millis,
    payload: Uint8Array,
    name: Uint8Array = UNNAMED,
  ): Uint8Array {
    const salt = randomBytes(this.#random, SALT_LENGTH);
    salt.set(name);
    const plaintext = new Uint8Array(ISSUED_LENGTH + payload.length);
    new DataView(plaintext.buffer).setFloat64(0, issuedAt);
    plaintext.set(payload, ISSUED_LENGTH);

    const cipher = createCipheriv('aes-256-gcm', this.#tokenKey(salt), NONCE);
    cipher.setAAD(associatedData(KIND_CODES[kind], host, port));
    const token = new Uint8Array(CLEAR_LENGTH + plaintext.length + TAG_LENGTH);
    token[0] = KIND_CODES[kind];
    token.set(salt, 1);
    token.set(cipher.update(plaintext), CLEAR_LENGTH);
    cipher.final();
    token.set(cipher.getAuthTag(), CLEAR_LENGTH + plaintext.length);
    return token;
  }

  /**
   * What is in a token, or undefined when it isn't one of this secret's for a client at this address. How old is too old is
   * the caller's to say. `port` only counts for tokens from a Retry.
   */
  open(token: Uint8Array, host: string, port: number): OpenedToken | undefined {
    const kind = kindOf(token);
    if (kind === undefined || token.length < CLEAR_LENGTH + ISSUED_LENGTH + TAG_LENGTH) return undefined;
    const tagAt = token.length - TAG_LENGTH;
    const decipher = createDecipheriv('aes-256-gcm', this.#tokenKey(token.subarray(1, CLEAR_LENGTH)), NONCE);
    decipher.setAuthTag(token.subarray(tagAt));
    decipher.setAAD(associatedData(KIND_CODES[kind], host, kind === 'retry' ? port : 0));
    const plaintext = Uint8Array.from(decipher.update(token.subarray(CLEAR_LENGTH, tagAt)));
    try {
      decipher.final();
    } catch {
      return undefined;
    }
    return {
      kind,
      issuedAt: new DataView(plaintext.buffer).getFloat64(0),
      payload: plaintext.subarray(ISSUED_LENGTH),
    };
  }

  #tokenKey(salt: Uint8Array): Uint8Array {
    return createHmac('sha256', this.#secret).update(salt).digest();
  }
}

/**
 * How a token says that it was given out: readable without the secret, proven only by `open`. undefined for one that this
 * implementation cannot have made.
 */
export function kindOf(token: Uint8Array): TokenKind | undefined {
  if (token[0] === KIND_CODES.retry) return 'retry';
  if (token[0] === KIND_CODES.new_token) return 'new_token';
  return undefined;
}

/** Whether a token of this kind, of whatever secret and for whatever address, was sealed with this name. */
export function isNamed(token: Uint8Array, kind: TokenKind, name: Uint8Array): boolean {
  return kindOf(token) === kind && sameBytes(token.subarray(1, 1 + name.length), name);
}

/** Kind, port and host, so that a token is good for one of each. */
function associatedData(kind: number, host: string, port: number): Uint8Array {
  return Buffer.from(`${kind} ${port} ${host}`);
}

/** The 16-byte stateless reset token of a connection ID. RFC 9000 §10.3.2. `key` is secret and the same after a restart. */
export function statelessResetToken(key: Uint8Array, connectionId: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac('sha256', key).update(connectionId).digest().subarray(0, 16));
}
