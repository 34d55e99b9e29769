import type { CipherSuite } from '../crypto/suite.ts';

/** Encryption levels of CRYPTO data, RFC 9001 §4.1.4. */
export type TlsLevel = 'initial' | 'handshake' | 'application';

/** What a finished handshake agreed on. */
export interface HandshakeSummary {
  readonly suite: CipherSuite;
  /** The key exchange group: `X25519` or `secp256r1`. */
  readonly group: string;
  /** The agreed ALPN protocol; undefined when neither side offered any. */
  readonly alpn: string | undefined;
  /** The server name that the client sent. */
  readonly serverName: string | undefined;
  /** The peer's certificate chain in DER, leaf first; empty when it sent none. */
  readonly peerCertificates: readonly Uint8Array[];
}

/** What the caller must do next, in order. */
export type TlsEvent =
  /** Send these bytes in CRYPTO frames of this level. */
  | { readonly type: 'write'; readonly level: TlsLevel; readonly bytes: Uint8Array }
  /** Packets of this level can be opened from now on, with keys derived from `secret`. */
  | {
      readonly type: 'read_secret';
      readonly level: 'handshake' | 'application';
      readonly suite: CipherSuite;
      readonly secret: Uint8Array;
    }
  /** Packets of this level can be sealed from now on. */
  | {
      readonly type: 'write_secret';
      readonly level: 'handshake' | 'application';
      readonly suite: CipherSuite;
      readonly secret: Uint8Array;
    }
  /** The peer's quic_transport_parameters extension, RFC 9001 §8.2. On a client not authenticated until `complete`. */
  | { readonly type: 'peer_parameters'; readonly bytes: Uint8Array }
  /** Judge the peer's certificate chain (leaf first) and answer through `verdict`. The handshake waits until then. */
  | { readonly type: 'verify'; readonly certificates: readonly Uint8Array[]; readonly serverName: string | undefined }
  /** A line for SSLKEYLOGFILE, without a newline. */
  | { readonly type: 'keylog'; readonly line: string }
  /** The handshake is complete on this side, RFC 9001 §4.1.1. */
  | { readonly type: 'complete'; readonly summary: HandshakeSummary }
  /** The handshake failed: close the connection with CRYPTO_ERROR + alert, RFC 9001 §4.8. */
  | { readonly type: 'alert'; readonly alert: number; readonly reason: string };

/** The answer to a `verify` event: accepted, or refused with a TLS alert number and one line for people. */
export type CertificateVerdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly alert: number; readonly reason: string };

/** The seam to TLS 1.3: bytes and verdicts go in, events come out. Nothing here is asynchronous or reads a clock. */
export interface TlsSession {
  /** Takes in-order handshake bytes that arrived in CRYPTO frames of `level`. */
  provide(level: TlsLevel, bytes: Uint8Array): void;
  /** The next event, or undefined when there is nothing to do until more input comes. */
  poll(): TlsEvent | undefined;
  /** Answers the outstanding `verify` event. */
  verdict(verdict: CertificateVerdict): void;
}

/** TLS alert numbers, RFC 9846 §6. */
export const TlsAlert = {
  CLOSE_NOTIFY: 0,
  UNEXPECTED_MESSAGE: 10,
  HANDSHAKE_FAILURE: 40,
  BAD_CERTIFICATE: 42,
  UNSUPPORTED_CERTIFICATE: 43,
  CERTIFICATE_REVOKED: 44,
  CERTIFICATE_EXPIRED: 45,
  CERTIFICATE_UNKNOWN: 46,
  ILLEGAL_PARAMETER: 47,
  UNKNOWN_CA: 48,
  ACCESS_DENIED: 49,
  DECODE_ERROR: 50,
  DECRYPT_ERROR: 51,
  PROTOCOL_VERSION: 70,
  INSUFFICIENT_SECURITY: 71,
  INTERNAL_ERROR: 80,
  MISSING_EXTENSION: 109,
  UNSUPPORTED_EXTENSION: 110,
  UNRECOGNIZED_NAME: 112,
  BAD_CERTIFICATE_STATUS_RESPONSE: 113,
  CERTIFICATE_REQUIRED: 116,
  NO_APPLICATION_PROTOCOL: 120,
} as const;
