/** Names for options, in the shape of node:quic's `constants`. */
export const constants = {
  /** Congestion control algorithms for the `cc` option: NewReno of RFC 9002 §7, CUBIC of RFC 9438, BBR of draft-ietf-ccwg-bbr. */
  cc: { RENO: 'reno', CUBIC: 'cubic', BBR: 'bbr' },
  /** Cipher suites offered when `ciphers` is not given, preferred first, joined by colons. */
  DEFAULT_CIPHERS: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
  /** Key exchange groups offered when `groups` is not given, preferred first, joined by colons. */
  DEFAULT_GROUPS: 'X25519:P-256',
} as const;

/** Bytes that a stream's writer buffers before it reports being full, unless the `budget` option says otherwise. */
export const DEFAULT_BUDGET = 256 << 10;

/** Milliseconds until a handshake is given up, unless the `handshakeTimeout` option says otherwise. */
export const DEFAULT_HANDSHAKE_TIMEOUT = 10_000;

/** Milliseconds before the next address of a host name is tried beside one that has not answered: RFC 8305 §5. */
export const CONNECTION_ATTEMPT_DELAY = 250;
