import { type KeyObject, X509Certificate } from 'node:crypto';
import { TlsAlert } from '../session.ts';
import { HandshakeType } from './code-points.ts';
import { allowOnly, readExtensions } from './extensions.ts';
import { refuse } from './refuse.ts';
import { expectEnd, readVector, structureReader } from './vectors.ts';
import { handshakeMessage } from './writer.ts';

/** How many certificates a chain may have; more is an attack on whoever validates it. */
const MAX_CERTIFICATES = 32;

/** No extension of a CertificateEntry is asked for, so none may come (RFC 9846 §4.5.1). */
const IN_ENTRY: ReadonlySet<number> = new Set();

/** A Certificate message (RFC 9846 §4.5.1) with the empty context of the main handshake. `certificates` may be empty on a client. */
export function encodeCertificate(certificates: readonly Uint8Array[]): Uint8Array {
  return handshakeMessage(HandshakeType.CERTIFICATE, (message) => {
    message.u8(0).vector(3, (list) => {
      for (const der of certificates) list.vector(3, (w) => w.bytes(der)).u16(0);
    });
  });
}

/** Reads a Certificate message of the main handshake: the chain in DER, leaf first, possibly empty. */
export function decodeCertificate(body: Uint8Array): Uint8Array[] {
  const reader = structureReader(body, 'Certificate');
  const context = readVector(reader, 1, 0);
  const list = structureReader(readVector(reader, 3, 0), 'Certificate');
  expectEnd(reader);
  if (context.length > 0) refuse(TlsAlert.ILLEGAL_PARAMETER, 'Certificate: a context in the main handshake');
  const certificates: Uint8Array[] = [];
  while (list.remaining > 0) {
    if (certificates.length === MAX_CERTIFICATES) {
      refuse(TlsAlert.BAD_CERTIFICATE, `more than ${MAX_CERTIFICATES} certificates in the chain`);
    }
    certificates.push(readVector(list, 3, 1));
    allowOnly(readExtensions(list), IN_ENTRY, 'Certificate');
  }
  return certificates;
}

/** The last certificate that was read, and its key: who connects again and again is mostly shown the same, and reading it takes 0.2 ms. */
let lastRead: { readonly der: Uint8Array; readonly publicKey: KeyObject } | undefined;

/** The public key of a certificate in DER; bad_certificate when it cannot be read, unsupported_certificate when its key cannot. */
export function publicKeyOf(der: Uint8Array): KeyObject {
  if (lastRead === undefined || Buffer.compare(lastRead.der, der) !== 0) {
    lastRead = { der: new Uint8Array(der), publicKey: readPublicKey(der) };
  }
  return lastRead.publicKey;
}

function readPublicKey(der: Uint8Array): KeyObject {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(der);
  } catch {
    refuse(TlsAlert.BAD_CERTIFICATE, 'the certificate cannot be read');
  }
  try {
    return certificate.publicKey;
  } catch {
    refuse(TlsAlert.UNSUPPORTED_CERTIFICATE, 'the public key of the certificate is of an unknown type');
  }
}
