import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';

/** What an endpoint proves who it is with. */
export interface TlsIdentity {
  /** The certificate chain in DER, leaf first. Never empty. */
  readonly certificates: readonly Uint8Array[];
  /** The private key of the leaf. */
  readonly privateKey: KeyObject;
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/**
 * Reads an identity from PEM text: the chain (leaf first; other PEM blocks are passed over) and the leaf's private key
 * (PKCS #8, PKCS #1 or SEC 1, not encrypted). Throws an Error that says what is wrong when either cannot be read, when the
 * key is of a type that TLS 1.3 does not sign with, or when it is not the leaf's.
 */
export function loadIdentity(certPem: string, keyPem: string): TlsIdentity {
  const chain = readCertificates(certPem);
  const leaf = chain[0];
  if (leaf === undefined) throw new Error('no certificate found: the text has no "BEGIN CERTIFICATE" block');
  const privateKey = readPrivateKey(keyPem);
  const publicKey = publicKeyOf(leaf);
  if (!leaf.checkPrivateKey(privateKey)) {
    throw new Error(
      `the private key (${describeKey(privateKey)}) does not belong to the certificate of ${subjectOf(leaf)} (${describeKey(publicKey)})`,
    );
  }
  return { certificates: chain.map((certificate) => new Uint8Array(certificate.raw)), privateKey };
}

/** Every certificate of PEM text, in order. Throws an Error that names the first one which cannot be read. */
export function readCertificates(pem: string): X509Certificate[] {
  return (pem.match(PEM_CERTIFICATE) ?? []).map((block, i) => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      throw new Error(`certificate ${i + 1} of the PEM text cannot be read`, { cause });
    }
  });
}

function readPrivateKey(pem: string): KeyObject {
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) {
    throw new Error('no private key found: the text has no "BEGIN PRIVATE KEY" block');
  }
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(pem)) {
    throw new Error('the private key is encrypted; decrypt it first');
  }
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw new Error('the private key cannot be read', { cause });
  }
  if (!['ec', 'rsa', 'rsa-pss', 'ed25519', 'ed448'].includes(key.asymmetricKeyType ?? '')) {
    throw new Error(`a private key of type ${describeKey(key)} cannot sign a TLS 1.3 handshake`);
  }
  return key;
}

function publicKeyOf(certificate: X509Certificate): KeyObject {
  try {
    return certificate.publicKey;
  } catch (cause) {
    throw new Error(`the certificate of ${subjectOf(certificate)} has a public key of an unknown type`, { cause });
  }
}

function subjectOf(certificate: X509Certificate): string {
  return (certificate.subject || certificate.subjectAltName || 'an unnamed subject').replaceAll('\n', ', ');
}

function describeKey(key: KeyObject): string {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  return curve === undefined ? `${key.asymmetricKeyType}` : `${key.asymmetricKeyType} ${curve}`;
}
