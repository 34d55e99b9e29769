import type { KeyObject } from 'node:crypto';
import { TlsAlert } from '../session.ts';
import { HandshakeType } from './code-points.ts';
import { refuse } from './refuse.ts';
import {
  fits,
  OFFERED_SCHEMES,
  type SignatureScheme,
  schemeOf,
  signContent,
  verifyContent,
} from './signature-schemes.ts';
import { expectEnd, readVector, structureReader } from './vectors.ts';
import { handshakeMessage } from './writer.ts';

/** Who signs. */
export type Signer = 'client' | 'server';

/** A CertificateVerify message (RFC 9846 §4.5.2) over the transcript hash up to and with the signer's Certificate. */
export function encodeCertificateVerify(
  signer: Signer,
  scheme: SignatureScheme,
  privateKey: KeyObject,
  transcript: Uint8Array,
): Uint8Array {
  let signature: Uint8Array;
  try {
    signature = signContent(scheme, privateKey, signedContent(signer, transcript));
  } catch {
    // For one, an RSA key that is too short for the scheme. OpenSSL's words are not for the peer.
    refuse(TlsAlert.INTERNAL_ERROR, `the private key cannot make a signature of ${scheme.name}`);
  }
  return handshakeMessage(HandshakeType.CERTIFICATE_VERIFY, (message) => {
    message.u16(scheme.code).vector(2, (w) => w.bytes(signature));
  });
}

/** Checks a CertificateVerify message against the key of the signer's leaf certificate, or refuses it. */
export function checkCertificateVerify(
  body: Uint8Array,
  signer: Signer,
  publicKey: KeyObject,
  transcript: Uint8Array,
): void {
  const reader = structureReader(body, 'CertificateVerify');
  const code = reader.u16();
  const signature = readVector(reader, 2, 0);
  expectEnd(reader);
  const scheme = OFFERED_SCHEMES.includes(code) ? schemeOf(code) : undefined;
  if (scheme === undefined) refuse(TlsAlert.ILLEGAL_PARAMETER, 'CertificateVerify: an algorithm that was not offered');
  if (!fits(scheme, publicKey)) {
    refuse(TlsAlert.ILLEGAL_PARAMETER, `CertificateVerify: ${scheme.name} does not fit the certificate's key`);
  }
  if (!verifyContent(scheme, publicKey, signedContent(signer, transcript), signature)) {
    refuse(TlsAlert.DECRYPT_ERROR, 'CertificateVerify: the signature is wrong');
  }
}

/** What is signed: 64 spaces, who signs what, a zero, the transcript hash (RFC 9846 §4.5.2). */
function signedContent(signer: Signer, transcript: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${' '.repeat(64)}TLS 1.3, ${signer} CertificateVerify\0`, 'latin1'), transcript]);
}
