/** A TLS 1.3 cipher suite as QUIC uses it: RFC 9846 (TLS 1.3) appendix B.4, RFC 9001 §5.3, §5.4 and §6.6. */
export interface CipherSuite {
  /** The code on the wire. */
  readonly id: number;
  readonly name: 'TLS_AES_128_GCM_SHA256' | 'TLS_AES_256_GCM_SHA384' | 'TLS_CHACHA20_POLY1305_SHA256';
  readonly hash: 'sha256' | 'sha384';
  readonly hashLength: 32 | 48;
  /** node:crypto's name of the AEAD. */
  readonly aead: 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305';
  readonly keyLength: 16 | 32;
  /** node:crypto's name of the cipher that makes header-protection masks. */
  readonly headerCipher: 'aes-128-ecb' | 'aes-256-ecb' | 'chacha20';
  /** How many packets one key may protect, RFC 9001 §6.6. */
  readonly confidentialityLimit: number;
  /** How many packets may fail to open in a connection, RFC 9001 §6.6. */
  readonly integrityLimit: number;
}

export const TLS_AES_128_GCM_SHA256: CipherSuite = {
  id: 0x1301,
  name: 'TLS_AES_128_GCM_SHA256',
  hash: 'sha256',
  hashLength: 32,
  aead: 'aes-128-gcm',
  keyLength: 16,
  headerCipher: 'aes-128-ecb',
  confidentialityLimit: 2 ** 23,
  integrityLimit: 2 ** 52,
};

export const TLS_AES_256_GCM_SHA384: CipherSuite = {
  id: 0x1302,
  name: 'TLS_AES_256_GCM_SHA384',
  hash: 'sha384',
  hashLength: 48,
  aead: 'aes-256-gcm',
  keyLength: 32,
  headerCipher: 'aes-256-ecb',
  confidentialityLimit: 2 ** 23,
  integrityLimit: 2 ** 52,
};

export const TLS_CHACHA20_POLY1305_SHA256: CipherSuite = {
  id: 0x1303,
  name: 'TLS_CHACHA20_POLY1305_SHA256',
  hash: 'sha256',
  hashLength: 32,
  aead: 'chacha20-poly1305',
  keyLength: 32,
  headerCipher: 'chacha20',
  // RFC 9001 §6.6: larger than the number of packets a connection can send; 2^53-1 is where packet numbers stop here.
  confidentialityLimit: Number.MAX_SAFE_INTEGER,
  integrityLimit: 2 ** 36,
};

/** Every suite, in the order of preference where AES is in hardware. */
export const CIPHER_SUITES: readonly CipherSuite[] = [
  TLS_AES_128_GCM_SHA256,
  TLS_AES_256_GCM_SHA384,
  TLS_CHACHA20_POLY1305_SHA256,
];
