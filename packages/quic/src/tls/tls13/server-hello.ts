import { sameBytes } from '../../base/cursor.ts';
import { TlsAlert } from '../session.ts';
import { ExtensionType, HandshakeType, LEGACY_VERSION, TLS_1_3 } from './code-points.ts';
import {
  allowOnly,
  type Extensions,
  type KeyShareEntry,
  readExtensions,
  readKeyShareEntry,
  requireExtension,
  writeExtension,
  writeKeyShareEntry,
} from './extensions.ts';
import { refuse } from './refuse.ts';
import { expectEnd, readVector, structureReader } from './vectors.ts';
import { handshakeMessage, type StructureWriter } from './writer.ts';

/** The random that makes a ServerHello a HelloRetryRequest, RFC 9846 §4.2.3: SHA-256 of "HelloRetryRequest". */
const RETRY_RANDOM = Uint8Array.of(
  ...[0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91],
  ...[0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c],
);

/** What a server chose, RFC 9846 §4.2.3. */
export interface ServerHello {
  readonly kind: 'hello';
  readonly cipherSuite: number;
  readonly keyShare: KeyShareEntry;
}

/** What a server asks a client to send again, RFC 9846 §4.2.4. One of the two at the end is there. */
export interface HelloRetryRequest {
  readonly kind: 'retry';
  readonly cipherSuite: number;
  readonly group: number | undefined;
  readonly cookie: Uint8Array | undefined;
}

/** A ServerHello message. */
export function encodeServerHello(random: Uint8Array, cipherSuite: number, keyShare: KeyShareEntry): Uint8Array {
  return encodeHello(random, cipherSuite, (block) => {
    writeExtension(block, ExtensionType.KEY_SHARE, (w) => writeKeyShareEntry(w, keyShare));
  });
}

/** A HelloRetryRequest message that asks for a share of `group`. */
export function encodeHelloRetryRequest(cipherSuite: number, group: number): Uint8Array {
  return encodeHello(RETRY_RANDOM, cipherSuite, (block) => {
    writeExtension(block, ExtensionType.KEY_SHARE, (w) => w.u16(group));
  });
}

function encodeHello(random: Uint8Array, cipherSuite: number, extensions: (w: StructureWriter) => void): Uint8Array {
  return handshakeMessage(HandshakeType.SERVER_HELLO, (hello) => {
    hello.u16(LEGACY_VERSION).bytes(random).u8(0).u16(cipherSuite).u8(0);
    hello.vector(2, (block) => {
      writeExtension(block, ExtensionType.SUPPORTED_VERSIONS, (w) => w.u16(TLS_1_3));
      extensions(block);
    });
  });
}

/**
 * Reads a ServerHello or HelloRetryRequest and checks everything that does not depend on what was offered.
 */
export function decodeServerHello(body: Uint8Array): ServerHello | HelloRetryRequest {
  const reader = structureReader(body, 'ServerHello');
  // RFC 9846 §4.2.3.
  if (reader.u16() !== LEGACY_VERSION) refuse(TlsAlert.PROTOCOL_VERSION, 'ServerHello: legacy_version is not 0x0303');
  const isRetry = sameBytes(reader.view(32), RETRY_RANDOM);
  const sessionId = readVector(reader, 1, 0, 32);
  const cipherSuite = reader.u16();
  const compression = reader.u8();
  const extensions: Extensions = reader.remaining === 0 ? new Map() : readExtensions(reader);
  expectEnd(reader);
  requireTls13(extensions);
  if (sessionId.length > 0) refuse(TlsAlert.ILLEGAL_PARAMETER, 'ServerHello: not the session ID that was sent');
  if (compression !== 0) refuse(TlsAlert.ILLEGAL_PARAMETER, 'ServerHello: compression');
  return isRetry ? readRetry(cipherSuite, extensions) : readHello(cipherSuite, extensions);
}

function requireTls13(extensions: Extensions): void {
  const bytes = extensions.get(ExtensionType.SUPPORTED_VERSIONS);
  if (bytes === undefined) refuse(TlsAlert.PROTOCOL_VERSION, 'ServerHello: not TLS 1.3');
  const reader = structureReader(bytes, 'supported_versions');
  if (reader.u16() !== TLS_1_3) refuse(TlsAlert.ILLEGAL_PARAMETER, 'ServerHello: a version that was not offered');
  expectEnd(reader);
}

const IN_HELLO = new Set<number>([ExtensionType.SUPPORTED_VERSIONS, ExtensionType.KEY_SHARE]);

function readHello(cipherSuite: number, extensions: Extensions): ServerHello {
  allowOnly(extensions, IN_HELLO, 'ServerHello');
  const reader = structureReader(requireExtension(extensions, ExtensionType.KEY_SHARE, 'ServerHello'), 'key_share');
  const keyShare = readKeyShareEntry(reader);
  expectEnd(reader);
  return { kind: 'hello', cipherSuite, keyShare };
}

const IN_RETRY = new Set<number>([...IN_HELLO, ExtensionType.COOKIE]);

function readRetry(cipherSuite: number, extensions: Extensions): HelloRetryRequest {
  allowOnly(extensions, IN_RETRY, 'HelloRetryRequest');
  const share = extensions.get(ExtensionType.KEY_SHARE);
  const cookie = extensions.get(ExtensionType.COOKIE);
  // RFC 9846 §4.2.4: a request that changes nothing in the ClientHello.
  if (share === undefined && cookie === undefined) {
    refuse(TlsAlert.ILLEGAL_PARAMETER, 'HelloRetryRequest: asks for nothing new');
  }
  return {
    kind: 'retry',
    cipherSuite,
    group: share === undefined ? undefined : readGroup(share),
    cookie: cookie === undefined ? undefined : readCookie(cookie),
  };
}

function readGroup(bytes: Uint8Array): number {
  const reader = structureReader(bytes, 'key_share');
  const group = reader.u16();
  expectEnd(reader);
  return group;
}

/** The longest cookie taken: the ClientHello that carries it back has other extensions too, and 65,535 bytes for all of them. */
const MAX_COOKIE_LENGTH = 0x8000;

function readCookie(bytes: Uint8Array): Uint8Array {
  const reader = structureReader(bytes, 'cookie');
  const cookie = readVector(reader, 2, 1);
  expectEnd(reader);
  if (cookie.length > MAX_COOKIE_LENGTH) {
    refuse(
      TlsAlert.ILLEGAL_PARAMETER,
      `HelloRetryRequest: a cookie of ${cookie.length} bytes does not fit a ClientHello`,
    );
  }
  return cookie;
}
