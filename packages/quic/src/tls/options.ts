import type { Random } from '../base/random.ts';
import type { CipherSuite } from '../crypto/suite.ts';
import type { TlsIdentity } from './identity.ts';

export { loadIdentity, type TlsIdentity } from './identity.ts';

/** A key exchange group, by the name of RFC 9846 §4.3.7 (x25519 is spelled as node:crypto has it). */
export type TlsGroup = 'X25519' | 'secp256r1';

/** What a client's handshake needs to know. */
export interface TlsClientOptions {
  readonly random: Random;
  /** ALPN protocols, preferred first. Empty only where the application agrees on one by other means (RFC 9001 §8.1). */
  readonly alpn: readonly string[];
  /** The host name that the server's certificate must be for; it goes into server_name unless it is an IP address. */
  readonly serverName: string | undefined;
  /** The encoded quic_transport_parameters, RFC 9001 §8.2. */
  readonly transportParameters: Uint8Array;
  /** Suites to offer, preferred first; default all. */
  readonly cipherSuites?: readonly CipherSuite[];
  /** Groups to offer, preferred first; a share of the first goes into the first ClientHello. Default X25519, secp256r1. */
  readonly groups?: readonly TlsGroup[];
  /** What to answer a CertificateRequest with. */
  readonly certificate?: TlsIdentity;
  /** Whether to emit `keylog` events. They give the connection's secrets away: for debugging only. */
  readonly keylog?: boolean;
}

/** What a server's handshake needs to know. */
export interface TlsServerOptions {
  readonly random: Random;
  /** ALPN protocols, preferred first. Empty only where the application agrees on one by other means (RFC 9001 §8.1). */
  readonly alpn: readonly string[];
  /** The encoded quic_transport_parameters, or what makes them from the client's; it may throw a TransportError. */
  readonly transportParameters: Uint8Array | ((clientParameters: Uint8Array) => Uint8Array);
  /** The server's identity, or what picks it by the client's server_name; undefined refuses with unrecognized_name. */
  readonly identity: TlsIdentity | ((serverName: string | undefined) => TlsIdentity | undefined);
  /** Whether to ask for a client certificate, and whether to go on without one. Default 'no'. */
  readonly requestClientCertificate?: 'no' | 'request' | 'require';
  /** Suites to choose from, preferred first; default all. */
  readonly cipherSuites?: readonly CipherSuite[];
  /** Groups to choose from, preferred first. Default X25519, secp256r1. */
  readonly groups?: readonly TlsGroup[];
  /** Whether to emit `keylog` events. They give the connection's secrets away: for debugging only. */
  readonly keylog?: boolean;
}

/** The groups that both sides offer unless they are told otherwise. */
export const DEFAULT_GROUPS: readonly TlsGroup[] = ['X25519', 'secp256r1'];
