import { TransportError, TransportErrorCode } from '../../base/errors.ts';
import { TlsAlert } from '../session.ts';
import { ExtensionType, HandshakeType, LEGACY_VERSION, TLS_1_3 } from './code-points.ts';
import {
  type Extensions,
  type KeyShareEntry,
  readCodeList,
  readExtensions,
  readKeyShareEntry,
  requireExtension,
  writeAlpn,
  writeCodeList,
  writeExtension,
  writeKeyShareEntry,
  writeServerName,
} from './extensions.ts';
import { refuse } from './refuse.ts';
import { expectEnd, readU16Vector, readVector, structureReader } from './vectors.ts';
import { handshakeMessage } from './writer.ts';

/** What a ClientHello of ours says. */
export interface ClientHelloContent {
  readonly random: Uint8Array;
  readonly cipherSuites: readonly number[];
  readonly groups: readonly number[];
  readonly signatureSchemes: readonly number[];
  readonly keyShares: readonly KeyShareEntry[];
  readonly alpn: readonly string[];
  readonly hostName: string | undefined;
  readonly transportParameters: Uint8Array;
  /** From a HelloRetryRequest; undefined otherwise. */
  readonly cookie: Uint8Array | undefined;
}

/** A ClientHello message, RFC 9846 §4.2.2. The session ID stays empty: QUIC has no compatibility mode (RFC 9001 §8.4). */
export function encodeClientHello(content: ClientHelloContent): Uint8Array {
  return handshakeMessage(HandshakeType.CLIENT_HELLO, (hello) => {
    hello.u16(LEGACY_VERSION).bytes(content.random).u8(0);
    hello.vector(2, (suites) => {
      for (const suite of content.cipherSuites) suites.u16(suite);
    });
    hello.u8(1).u8(0);
    hello.vector(2, (block) => {
      if (content.hostName !== undefined) writeServerName(block, content.hostName);
      writeCodeList(block, ExtensionType.SUPPORTED_GROUPS, content.groups);
      writeCodeList(block, ExtensionType.SIGNATURE_ALGORITHMS, content.signatureSchemes);
      if (content.alpn.length > 0) writeAlpn(block, content.alpn);
      writeExtension(block, ExtensionType.SUPPORTED_VERSIONS, (w) => w.u8(2).u16(TLS_1_3));
      const { cookie } = content;
      if (cookie !== undefined) {
        writeExtension(block, ExtensionType.COOKIE, (w) => w.vector(2, (value) => value.bytes(cookie)));
      }
      writeExtension(block, ExtensionType.KEY_SHARE, (w) => {
        w.vector(2, (list) => {
          for (const share of content.keyShares) writeKeyShareEntry(list, share);
        });
      });
      writeExtension(block, ExtensionType.QUIC_TRANSPORT_PARAMETERS, (w) => w.bytes(content.transportParameters));
    });
  });
}

/** A client's ClientHello, with every extension that matters here read. */
export interface ClientHello {
  readonly random: Uint8Array;
  /** Codes, unknown ones and GREASE included; so in the two lists below. */
  readonly cipherSuites: readonly number[];
  readonly groups: readonly number[];
  readonly signatureSchemes: readonly number[];
  readonly keyShares: readonly KeyShareEntry[];
  readonly transportParameters: Uint8Array;
  /** All of them; the others (server_name, ALPN) are read where they are needed. */
  readonly extensions: Extensions;
}

/** Reads a ClientHello and holds it to what RFC 9846 §4.2.2, §4.3 and §9.2 and RFC 9001 §8 demand. Unknown values are passed over. */
export function decodeClientHello(body: Uint8Array): ClientHello {
  const reader = structureReader(body, 'ClientHello');
  // RFC 9846 §4.2.2.
  if (reader.u16() !== LEGACY_VERSION) refuse(TlsAlert.PROTOCOL_VERSION, 'ClientHello: legacy_version is not 0x0303');
  const random = reader.view(32);
  const sessionId = readVector(reader, 1, 0, 32);
  const cipherSuites = readU16Vector(reader, 2, 2);
  const compression = readVector(reader, 1, 1);
  // A ClientHello of TLS 1.2 may end here.
  const extensions: Extensions = reader.remaining === 0 ? new Map() : readExtensions(reader);
  expectEnd(reader);
  requireTls13(extensions);
  if (sessionId.length > 0) {
    throw new TransportError(TransportErrorCode.PROTOCOL_VIOLATION, 'ClientHello: legacy_session_id is not empty');
  }
  if (compression.length !== 1 || compression[0] !== 0) {
    refuse(TlsAlert.ILLEGAL_PARAMETER, 'ClientHello: compression is offered');
  }
  checkPsk(extensions);
  const groups = readCodeList(
    requireExtension(extensions, ExtensionType.SUPPORTED_GROUPS, 'ClientHello'),
    'supported_groups',
  );
  return {
    random,
    cipherSuites,
    groups,
    signatureSchemes: readCodeList(
      requireExtension(extensions, ExtensionType.SIGNATURE_ALGORITHMS, 'ClientHello'),
      'signature_algorithms',
    ),
    keyShares: readKeyShares(requireExtension(extensions, ExtensionType.KEY_SHARE, 'ClientHello'), groups),
    transportParameters: requireExtension(extensions, ExtensionType.QUIC_TRANSPORT_PARAMETERS, 'ClientHello'),
    extensions,
  };
}

function requireTls13(extensions: Extensions): void {
  const bytes = extensions.get(ExtensionType.SUPPORTED_VERSIONS);
  if (bytes === undefined) refuse(TlsAlert.PROTOCOL_VERSION, 'ClientHello: TLS 1.3 is not offered');
  const reader = structureReader(bytes, 'supported_versions');
  const versions = readU16Vector(reader, 1, 2);
  expectEnd(reader);
  if (!versions.includes(TLS_1_3)) refuse(TlsAlert.PROTOCOL_VERSION, 'ClientHello: TLS 1.3 is not offered');
}

/**
 * RFC 9846 §4.3.11: pre_shared_key is the last extension; §4.3.9: psk_key_exchange_modes goes with it. (Resumption is not
 * offered here; both are otherwise ignored.)
 */
function checkPsk(extensions: Extensions): void {
  if (!extensions.has(ExtensionType.PRE_SHARED_KEY)) return;
  if ([...extensions.keys()].at(-1) !== ExtensionType.PRE_SHARED_KEY) {
    refuse(TlsAlert.ILLEGAL_PARAMETER, 'ClientHello: pre_shared_key is not the last extension');
  }
  requireExtension(extensions, ExtensionType.PSK_KEY_EXCHANGE_MODES, 'ClientHello');
}

/** Sets, because a ClientHello has room for thousands of both: looking each share up in a list takes a tenth of a second. */
function readKeyShares(bytes: Uint8Array, groups: readonly number[]): KeyShareEntry[] {
  const offered = new Set(groups);
  const seen = new Set<number>();
  const reader = structureReader(bytes, 'key_share');
  const list = structureReader(readVector(reader, 2, 0), 'key_share');
  expectEnd(reader);
  const shares: KeyShareEntry[] = [];
  while (list.remaining > 0) {
    const share = readKeyShareEntry(list);
    if (!offered.has(share.group)) refuse(TlsAlert.ILLEGAL_PARAMETER, 'key_share: a group that is not offered');
    if (seen.has(share.group)) refuse(TlsAlert.ILLEGAL_PARAMETER, 'key_share: two shares of one group');
    seen.add(share.group);
    shares.push(share);
  }
  return shares;
}
