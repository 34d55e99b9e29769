import { QUIC_V2 } from '../wire/versions.ts';
import type { CryptoEngine, HeaderKey, PacketKey } from './engine.ts';
import { hkdfExpandLabel } from './hkdf.ts';
import type { CipherSuite } from './suite.ts';

const IV_LENGTH = 12;
const NO_CONTEXT = new Uint8Array(0);

/** "quic " or, in version 2, "quicv2 " before every label. RFC 9001 §5.1, RFC 9369 §3.3.2. */
function derive(version: number, suite: CipherSuite, secret: Uint8Array, label: string, length: number): Uint8Array {
  const prefix = version === QUIC_V2 ? 'quicv2' : 'quic';
  return hkdfExpandLabel(suite.hash, secret, `${prefix} ${label}`, NO_CONTEXT, length);
}

/** The key that protects packets under a traffic secret. RFC 9001 §5.1. */
export function packetKeyOf(engine: CryptoEngine, version: number, suite: CipherSuite, secret: Uint8Array): PacketKey {
  const key = derive(version, suite, secret, 'key', suite.keyLength);
  return engine.packetKey(suite, key, derive(version, suite, secret, 'iv', IV_LENGTH));
}

/** The key that protects headers under the first traffic secret of a level; key updates keep it. RFC 9001 §5.4, §6.1. */
export function headerKeyOf(engine: CryptoEngine, version: number, suite: CipherSuite, secret: Uint8Array): HeaderKey {
  return engine.headerKey(suite, derive(version, suite, secret, 'hp', suite.keyLength));
}

/** The traffic secret of the next key phase. RFC 9001 §6.1. */
export function nextSecret(version: number, suite: CipherSuite, secret: Uint8Array): Uint8Array {
  return derive(version, suite, secret, 'ku', suite.hashLength);
}

/** What protects the packets of one direction at an encryption level without key updates: Initial and Handshake. */
export class DirectionKeys {
  readonly packetKey: PacketKey;
  readonly headerKey: HeaderKey;
  /** How many forged packets the AEAD bears. RFC 9001 §6.6. */
  readonly integrityLimit: number;

  /** @param secret The traffic secret; not kept. */
  constructor(engine: CryptoEngine, version: number, suite: CipherSuite, secret: Uint8Array) {
    this.packetKey = packetKeyOf(engine, version, suite, secret);
    this.headerKey = headerKeyOf(engine, version, suite, secret);
    this.integrityLimit = suite.integrityLimit;
  }

  /** Frees both keys; they must not be used afterwards. */
  destroy(): void {
    this.packetKey.destroy();
    this.headerKey.destroy();
  }
}
