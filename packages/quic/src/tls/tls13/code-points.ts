/** Handshake message types, RFC 9846 §4. */
export const HandshakeType = {
  CLIENT_HELLO: 1,
  SERVER_HELLO: 2,
  NEW_SESSION_TICKET: 4,
  END_OF_EARLY_DATA: 5,
  ENCRYPTED_EXTENSIONS: 8,
  CERTIFICATE: 11,
  CERTIFICATE_REQUEST: 13,
  CERTIFICATE_VERIFY: 15,
  FINISHED: 20,
  KEY_UPDATE: 24,
  MESSAGE_HASH: 254,
} as const;

/** Extension types, RFC 9846 §4.3 and RFC 9001 §8.2. */
export const ExtensionType = {
  SERVER_NAME: 0,
  MAX_FRAGMENT_LENGTH: 1,
  STATUS_REQUEST: 5,
  SUPPORTED_GROUPS: 10,
  SIGNATURE_ALGORITHMS: 13,
  ALPN: 16,
  SIGNED_CERTIFICATE_TIMESTAMP: 18,
  PADDING: 21,
  PRE_SHARED_KEY: 41,
  EARLY_DATA: 42,
  SUPPORTED_VERSIONS: 43,
  COOKIE: 44,
  PSK_KEY_EXCHANGE_MODES: 45,
  CERTIFICATE_AUTHORITIES: 47,
  OID_FILTERS: 48,
  POST_HANDSHAKE_AUTH: 49,
  SIGNATURE_ALGORITHMS_CERT: 50,
  KEY_SHARE: 51,
  QUIC_TRANSPORT_PARAMETERS: 57,
} as const;

/** The only version that QUIC may negotiate here, RFC 9001 §4.2. */
export const TLS_1_3 = 0x0304;

/** What stands in the version fields that TLS 1.3 froze, RFC 9846 §4.2.2. */
export const LEGACY_VERSION = 0x0303;

/** The name of a handshake message type, for reasons: `ClientHello`, `type 99`. */
export function messageName(type: number): string {
  for (const [name, value] of Object.entries(HandshakeType)) {
    if (value === type) return name.toLowerCase().replace(/(?:^|_)(.)/g, (_, letter: string) => letter.toUpperCase());
  }
  return `type ${type}`;
}
