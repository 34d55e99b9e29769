import type { X509Certificate } from 'node:crypto';
import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';
import { type CertificateVerdict, TlsAlert } from '../session.ts';
import { checkExtensions, ExtensionId, extensionOf } from './extensions.ts';
import { ExtendedKeyUsage, KeyUsage } from './issue.ts';
import { checkNameConstraints } from './name-constraints.ts';
import { oneLine } from './one-line.ts';
import { refusal } from './refusal.ts';

/** What a chain has to be good for: to authenticate a server or a client. */
export type Purpose = 'server' | 'client';

/**
 * What RFC 5280 and RFC 9846 §4.5.1 demand of a path (leaf first, trusted certificate last, the same certificates twice)
 * and the validation library leaves out: dates, algorithms, key sizes, purposes, path lengths, critical extensions, and the names that
 * are allowed, which it takes for allowed as soon as one of them is.
 * @internal
 */
export function checkPath(
  path: readonly X509Certificate[],
  parsed: readonly pkijs.Certificate[],
  now: Date,
  purpose: Purpose,
): CertificateVerdict {
  for (const [i, certificate] of parsed.entries()) {
    const isAnchor = i === parsed.length - 1;
    const verdict =
      checkExtensions(certificate, nameOf(path, i)) ??
      checkDates(certificate, now, nameOf(path, i)) ??
      checkKey(path[i]!, nameOf(path, i)) ??
      (isAnchor ? undefined : checkSignature(certificate, nameOf(path, i))) ??
      checkPurpose(certificate, purpose, nameOf(path, i)) ??
      (i === 0 ? checkLeaf(certificate) : checkPathLength(certificate, parsed.slice(1, i), nameOf(path, i)));
    if (verdict !== undefined) return verdict;
  }
  return checkNameConstraints(parsed, (i) => nameOf(path, i)) ?? { ok: true };
}

function nameOf(path: readonly X509Certificate[], i: number): string {
  return i === 0 ? 'the certificate' : `the CA certificate ${oneLine(path[i]!.subject)}`;
}

type Refusal = CertificateVerdict | undefined;

function checkDates(certificate: pkijs.Certificate, now: Date, name: string): Refusal {
  const { notBefore, notAfter } = certificate;
  if (now < notBefore.value) {
    return refusal(TlsAlert.CERTIFICATE_EXPIRED, `${name} is not valid before ${notBefore.value.toISOString()}`);
  }
  if (now > notAfter.value) {
    return refusal(TlsAlert.CERTIFICATE_EXPIRED, `${name} expired on ${notAfter.value.toISOString()}`);
  }
  return undefined;
}

/** The CA/Browser Forum's minimum. */
const MIN_RSA_BITS = 2048;

function checkKey(certificate: X509Certificate, name: string): Refusal {
  const bits = certificate.publicKey.asymmetricKeyDetails?.modulusLength;
  if (bits === undefined || bits >= MIN_RSA_BITS) return undefined;
  return refusal(TlsAlert.BAD_CERTIFICATE, `${name} has an RSA key of only ${bits} bits`);
}

/** md5, sha1 and ecdsa-with-SHA1 signatures: RFC 9846 §4.5.1.4 has them refused, but for that of the trusted certificate. */
const BROKEN_ALGORITHMS = new Set([
  '1.2.840.113549.1.1.2',
  '1.2.840.113549.1.1.3',
  '1.2.840.113549.1.1.4',
  '1.2.840.113549.1.1.5',
  '1.3.14.3.2.29',
  '1.2.840.10045.4.1',
  '1.2.840.10040.4.3',
]);

function checkSignature(certificate: pkijs.Certificate, name: string): Refusal {
  if (!BROKEN_ALGORITHMS.has(certificate.signatureAlgorithm.algorithmId)) return undefined;
  return refusal(TlsAlert.BAD_CERTIFICATE, `${name} is signed with a broken algorithm (MD5 or SHA-1)`);
}

/** RFC 5280 §4.2.1.12; on CA certificates it narrows what they may issue for, as all implementations have it. */
function checkPurpose(certificate: pkijs.Certificate, purpose: Purpose, name: string): Refusal {
  const usage = extensionOf(certificate, ExtensionId.EXTENDED_KEY_USAGE, pkijs.ExtKeyUsage);
  if (usage === undefined) return undefined;
  const wanted = purpose === 'server' ? ExtendedKeyUsage.SERVER_AUTH : ExtendedKeyUsage.CLIENT_AUTH;
  if (usage.keyPurposes.includes(wanted) || usage.keyPurposes.includes(ExtendedKeyUsage.ANY)) return undefined;
  return refusal(TlsAlert.UNSUPPORTED_CERTIFICATE, `${name} is not meant for ${purpose} authentication`);
}

/** RFC 9846 §4.5.1.3: the key signs. */
function checkLeaf(certificate: pkijs.Certificate): Refusal {
  const bits = keyUsage(certificate);
  if (bits === undefined || (bits & KeyUsage.DIGITAL_SIGNATURE) !== 0) return undefined;
  return refusal(TlsAlert.UNSUPPORTED_CERTIFICATE, "the certificate's key is not meant for signatures");
}

/** RFC 5280 §4.2.1.9: how many CA certificates may stand below, those that issue themselves not counted. */
function checkPathLength(certificate: pkijs.Certificate, below: readonly pkijs.Certificate[], name: string): Refusal {
  const constraints = extensionOf(certificate, ExtensionId.BASIC_CONSTRAINTS, pkijs.BasicConstraints);
  if (constraints?.pathLenConstraint === undefined) return undefined;
  const limit = constraints.pathLenConstraint;
  const length = below.filter((ca) => !ca.subject.isEqual(ca.issuer)).length;
  if (typeof limit === 'number' && length <= limit) return undefined;
  return refusal(TlsAlert.BAD_CERTIFICATE, `${name} does not allow so long a chain`);
}

function keyUsage(certificate: pkijs.Certificate): number | undefined {
  return extensionOf(certificate, ExtensionId.KEY_USAGE, asn1js.BitString)?.valueBlock.valueHexView[0];
}
