import { TlsAlert } from '../session.ts';
import { ExtensionType, HandshakeType } from './code-points.ts';
import {
  allowOnly,
  readAlpn,
  readCodeList,
  readExtensions,
  requireExtension,
  writeAlpn,
  writeCodeList,
  writeExtension,
} from './extensions.ts';
import { refuse } from './refuse.ts';
import { expectEnd, readVector, structureReader } from './vectors.ts';
import { handshakeMessage } from './writer.ts';

/** What EncryptedExtensions say, RFC 9846 §4.4.1. */
export interface EncryptedExtensions {
  /** The protocol that the server chose; undefined when it chose none. */
  readonly alpn: string | undefined;
  readonly transportParameters: Uint8Array;
}

/** An EncryptedExtensions message. `namedByClient`: the client's server_name picked the identity (RFC 6066 §3). */
export function encodeEncryptedExtensions(content: EncryptedExtensions, namedByClient: boolean): Uint8Array {
  return handshakeMessage(HandshakeType.ENCRYPTED_EXTENSIONS, (message) => {
    message.vector(2, (block) => {
      if (namedByClient) writeExtension(block, ExtensionType.SERVER_NAME, () => {});
      if (content.alpn !== undefined) writeAlpn(block, [content.alpn]);
      writeExtension(block, ExtensionType.QUIC_TRANSPORT_PARAMETERS, (w) => w.bytes(content.transportParameters));
    });
  });
}

const IN_ENCRYPTED_EXTENSIONS: ReadonlySet<number> = new Set([
  ExtensionType.SERVER_NAME,
  ExtensionType.SUPPORTED_GROUPS,
  ExtensionType.ALPN,
  ExtensionType.QUIC_TRANSPORT_PARAMETERS,
]);

/** Reads EncryptedExtensions that answer a ClientHello which did or did not carry a server_name and ALPN. */
export function decodeEncryptedExtensions(
  body: Uint8Array,
  offered: { readonly serverName: boolean; readonly alpn: boolean },
): EncryptedExtensions {
  const reader = structureReader(body, 'EncryptedExtensions');
  const extensions = readExtensions(reader);
  expectEnd(reader);
  allowOnly(extensions, IN_ENCRYPTED_EXTENSIONS, 'EncryptedExtensions');
  const name = extensions.get(ExtensionType.SERVER_NAME);
  if (name !== undefined && name.length > 0)
    refuse(TlsAlert.DECODE_ERROR, 'EncryptedExtensions: a server_name with content');
  const alpn = extensions.get(ExtensionType.ALPN);
  // RFC 9846 §4.3: they belong here, but as answers to a client that asked.
  if ((name !== undefined && !offered.serverName) || (alpn !== undefined && !offered.alpn)) {
    refuse(TlsAlert.UNSUPPORTED_EXTENSION, 'EncryptedExtensions: an answer to what was not asked');
  }
  return {
    alpn: alpn === undefined ? undefined : readChosenProtocol(alpn),
    transportParameters: requireExtension(extensions, ExtensionType.QUIC_TRANSPORT_PARAMETERS, 'EncryptedExtensions'),
  };
}

function readChosenProtocol(bytes: Uint8Array): string {
  const protocols = readAlpn(bytes);
  if (protocols.length !== 1) refuse(TlsAlert.DECODE_ERROR, 'EncryptedExtensions: more than one ALPN protocol');
  return protocols[0]!;
}

/** A CertificateRequest message (RFC 9846 §4.4.2), with the empty context that the main handshake has. */
export function encodeCertificateRequest(signatureSchemes: readonly number[]): Uint8Array {
  return handshakeMessage(HandshakeType.CERTIFICATE_REQUEST, (message) => {
    message.u8(0).vector(2, (block) => writeCodeList(block, ExtensionType.SIGNATURE_ALGORITHMS, signatureSchemes));
  });
}

/** Reads a CertificateRequest of the main handshake and returns the signature schemes that the server takes. */
export function decodeCertificateRequest(body: Uint8Array): readonly number[] {
  const reader = structureReader(body, 'CertificateRequest');
  const context = readVector(reader, 1, 0);
  const extensions = readExtensions(reader);
  expectEnd(reader);
  if (context.length > 0) refuse(TlsAlert.ILLEGAL_PARAMETER, 'CertificateRequest: a context in the main handshake');
  return readCodeList(
    requireExtension(extensions, ExtensionType.SIGNATURE_ALGORITHMS, 'CertificateRequest'),
    'signature_algorithms',
  );
}
