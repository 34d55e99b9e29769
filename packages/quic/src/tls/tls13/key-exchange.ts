import {
  createECDH,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type ECDH,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';
import { type Random, randomBytes } from '../../base/random.ts';
import type { TlsGroup } from '../options.ts';
import { TlsAlert } from '../session.ts';
import { refuse } from './refuse.ts';

/** The codes of the groups, RFC 9846 §4.3.7. */
export const GROUP_CODES: Readonly<Record<TlsGroup, number>> = { X25519: 0x001d, secp256r1: 0x0017 };

/** One ephemeral key pair. Used for one connection only (RFC 9846 §4.3.8). */
export interface KeyShare {
  readonly group: TlsGroup;
  /** The public value, as key_exchange carries it. */
  readonly publicValue: Uint8Array;
  /** The shared secret with the peer's public value; a value that is not one of the group is an illegal_parameter. */
  agree(peerValue: Uint8Array): Uint8Array;
}

/** Makes a key pair of `group` from injected randomness, so that a simulated run can be replayed. */
export function makeKeyShare(group: TlsGroup, random: Random): KeyShare {
  return group === 'X25519' ? new X25519Share(random) : new Secp256r1Share(random);
}

/** DER in front of a raw X25519 private key (RFC 8410 §7). */
const X25519_PKCS8 = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20);
const X25519_LENGTH = 32;

class X25519Share implements KeyShare {
  readonly group = 'X25519';
  readonly publicValue: Uint8Array;
  readonly #privateKey: KeyObject;

  constructor(random: Random) {
    this.#privateKey = x25519PrivateKey(randomBytes(random, X25519_LENGTH));
    // JWK: node:crypto makes and reads it in a ninth of the time that DER takes, or less.
    const { x } = createPublicKey(this.#privateKey).export({ format: 'jwk' });
    this.publicValue = new Uint8Array(Buffer.from(x!, 'base64url'));
  }

  agree(peerValue: Uint8Array): Uint8Array {
    if (peerValue.length !== X25519_LENGTH) refuse(TlsAlert.ILLEGAL_PARAMETER, 'an X25519 share is 32 bytes long');
    let secret: Uint8Array;
    try {
      const publicKey = createPublicKey({ key: x25519Jwk(peerValue), format: 'jwk' });
      secret = diffieHellman({ privateKey: this.#privateKey, publicKey });
    } catch {
      // OpenSSL refuses points of small order, whose shared secret is zero.
      refuse(TlsAlert.ILLEGAL_PARAMETER, 'not a usable X25519 share');
    }
    // RFC 9846 §7.4.2: the all-zero secret MUST be refused, whatever the library does.
    if (secret.every((byte) => byte === 0)) refuse(TlsAlert.ILLEGAL_PARAMETER, 'not a usable X25519 share');
    return secret;
  }
}

/** RFC 8037 §2. */
function x25519Jwk(publicValue: Uint8Array): JsonWebKey {
  return { kty: 'OKP', crv: 'X25519', x: Buffer.from(publicValue).toString('base64url') };
}

/** What stands for the public value of a private key that is read to learn it. */
const NO_PUBLIC_VALUE = new Uint8Array(X25519_LENGTH);

/** Whether private keys are read from JWK whatever public value comes with them. */
let readsJwk = true;

/**
 * The private key with these 32 bytes. Node 20 takes 0.32 ms to read PKCS #8 and 0.04 for JWK, of which it ignores the public value; Node 26
 * compares that, and reads PKCS #8 in 0.04 ms.
 */
function x25519PrivateKey(bytes: Uint8Array): KeyObject {
  if (readsJwk) {
    try {
      return createPrivateKey({
        key: { ...x25519Jwk(NO_PUBLIC_VALUE), d: Buffer.from(bytes).toString('base64url') },
        format: 'jwk',
      });
    } catch {
      readsJwk = false;
    }
  }
  return createPrivateKey({ key: Buffer.concat([X25519_PKCS8, bytes]), format: 'der', type: 'pkcs8' });
}

const SECP256R1_COORDINATE = 32;
const UNCOMPRESSED_POINT = 4;

class Secp256r1Share implements KeyShare {
  readonly group = 'secp256r1';
  readonly publicValue: Uint8Array;
  readonly #ecdh: ECDH;

  constructor(random: Random) {
    this.#ecdh = createECDH('prime256v1');
    this.publicValue = drawScalar(this.#ecdh, random);
  }

  agree(peerValue: Uint8Array): Uint8Array {
    if (peerValue.length !== 1 + 2 * SECP256R1_COORDINATE || peerValue[0] !== UNCOMPRESSED_POINT) {
      refuse(TlsAlert.ILLEGAL_PARAMETER, 'a secp256r1 share is an uncompressed point of 65 bytes');
    }
    try {
      return this.#ecdh.computeSecret(peerValue);
    } catch {
      refuse(TlsAlert.ILLEGAL_PARAMETER, 'the secp256r1 share is not a point of the curve');
    }
  }
}

/** How often to draw: an honest source fails once in 2^32, so the bound only ends a broken one. */
const MAX_DRAWS = 64;

/** Sets a private key drawn uniformly from [1, n-1] by rejection, and returns the public point. */
function drawScalar(ecdh: ECDH, random: Random): Uint8Array {
  for (let draw = 0; draw < MAX_DRAWS; draw++) {
    try {
      ecdh.setPrivateKey(randomBytes(random, SECP256R1_COORDINATE));
      return new Uint8Array(ecdh.getPublicKey());
    } catch {
      // Zero, or not below the group's order: draw again.
    }
  }
  throw new Error('the source of randomness makes no secp256r1 private key');
}
