import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';

/** What to put into a certificate. */
export interface CertificateRequest {
  /** The subject's common name: for people, names are checked against `names` only. */
  readonly commonName: string;
  /** Host names and IP addresses for the subjectAltName. */
  readonly names: readonly string[];
  readonly publicKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Whether it may sign certificates, and how many of its descendants may too. Default: it may not. */
  readonly authority?: { readonly pathLength?: number };
  /** The extendedKeyUsage by object identifier; absent when empty. Default server and client authentication. */
  readonly extendedKeyUsage?: readonly string[];
  /** The keyUsage bits of RFC 5280 §4.2.1.3, first bit first. Default: what the kind of certificate needs. */
  readonly keyUsage?: number;
}

/** Who signs a certificate. */
export interface Issuer {
  readonly commonName: string;
  readonly privateKey: KeyObject;
}

/** Object identifiers of RFC 5280 §4.2.1.12. */
export const ExtendedKeyUsage = {
  ANY: '2.5.29.37.0',
  SERVER_AUTH: '1.3.6.1.5.5.7.3.1',
  CLIENT_AUTH: '1.3.6.1.5.5.7.3.2',
} as const;

/** keyUsage bits (RFC 5280 §4.2.1.3) as the first byte of the BIT STRING has them. */
export const KeyUsage = { DIGITAL_SIGNATURE: 0x80, KEY_CERT_SIGN: 0x04, CRL_SIGN: 0x02 } as const;

/** Makes an X.509 v3 certificate (RFC 5280) in DER, signed by `issuer` with P-256, P-384, RSA (PKCS #1 v1.5) or Ed25519. */
export function issueCertificate(request: CertificateRequest, issuer: Issuer): Uint8Array {
  const certificate = new pkijs.Certificate({ version: 2 });
  certificate.serialNumber = new asn1js.Integer({ valueHex: toBuffer(serialNumber()) });
  setName(certificate.subject, request.commonName);
  setName(certificate.issuer, issuer.commonName);
  certificate.notBefore = toTime(request.notBefore);
  certificate.notAfter = toTime(request.notAfter);
  certificate.subjectPublicKeyInfo = pkijs.PublicKeyInfo.fromBER(toBuffer(exportSpki(request.publicKey)));
  certificate.extensions = makeExtensions(request, issuer);
  const algorithm = signatureAlgorithm(issuer.privateKey);
  certificate.signature = algorithm.identifier;
  certificate.signatureAlgorithm = algorithm.identifier;
  certificate.tbsView = new Uint8Array(certificate.encodeTBS().toBER(false));
  const signature = sign(algorithm.hash, certificate.tbsView, issuer.privateKey);
  certificate.signatureValue = new asn1js.BitString({ valueHex: toBuffer(signature) });
  return new Uint8Array(certificate.toSchema().toBER(false));
}

/** The PEM text of a certificate in DER. */
export function toPem(der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .match(/.{1,64}/g);
  return `-----BEGIN CERTIFICATE-----\n${(lines ?? []).join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** Whether a subject name is an IP address rather than a host name. */
export function isIpAddress(name: string): boolean {
  return name.includes(':') || /^\d+(\.\d+){3}$/.test(name);
}

function makeExtensions(request: CertificateRequest, issuer: Issuer): pkijs.Extension[] {
  const { authority } = request;
  const isAuthority = authority !== undefined;
  const constraints = new pkijs.BasicConstraints({
    cA: isAuthority,
    ...(authority?.pathLength === undefined ? {} : { pathLenConstraint: authority.pathLength }),
  });
  const usage =
    request.keyUsage ?? (isAuthority ? KeyUsage.KEY_CERT_SIGN | KeyUsage.CRL_SIGN : KeyUsage.DIGITAL_SIGNATURE);
  const purposes =
    request.extendedKeyUsage ?? (isAuthority ? [] : [ExtendedKeyUsage.SERVER_AUTH, ExtendedKeyUsage.CLIENT_AUTH]);
  const extensions = [
    extension('2.5.29.19', true, constraints.toSchema()),
    extension('2.5.29.15', true, bitString(usage)),
    extension('2.5.29.14', false, new asn1js.OctetString({ valueHex: keyIdentifier(request.publicKey) })),
    extension('2.5.29.35', false, authorityKeyIdentifier(issuer.privateKey)),
  ];
  if (purposes.length > 0) {
    extensions.push(extension('2.5.29.37', false, new pkijs.ExtKeyUsage({ keyPurposes: [...purposes] }).toSchema()));
  }
  if (request.names.length > 0) {
    const altNames = request.names.map(generalName);
    extensions.push(extension('2.5.29.17', false, new pkijs.GeneralNames({ names: altNames }).toSchema()));
  }
  return extensions;
}

function extension(
  extnID: string,
  critical: boolean,
  value: { toBER(sizeOnly?: boolean): ArrayBuffer },
): pkijs.Extension {
  return new pkijs.Extension({ extnID, critical, extnValue: value.toBER(false) });
}

function bitString(bits: number): asn1js.BitString {
  const unusedBits = bits === 0 ? 0 : 31 - Math.clz32(bits & -bits);
  return new asn1js.BitString({ valueHex: toBuffer(Uint8Array.of(bits)), unusedBits });
}

function authorityKeyIdentifier(issuerKey: KeyObject): asn1js.Sequence {
  const keyId = new asn1js.OctetString({ valueHex: keyIdentifier(createPublicKey(issuerKey)) });
  return new pkijs.AuthorityKeyIdentifier({ keyIdentifier: keyId }).toSchema();
}

/** RFC 7093 §2 (1): the first 160 bits of the SHA-256 of the public key. */
function keyIdentifier(publicKey: KeyObject): ArrayBuffer {
  const info = pkijs.PublicKeyInfo.fromBER(toBuffer(exportSpki(publicKey)));
  return toBuffer(sha256(info.subjectPublicKey.valueBlock.valueHexView).subarray(0, 20));
}

const DNS_NAME = 2;
const IP_ADDRESS = 7;

function generalName(name: string): pkijs.GeneralName {
  if (!isIpAddress(name)) return new pkijs.GeneralName({ type: DNS_NAME, value: name });
  const bytes = toBuffer(ipAddressBytes(name));
  return new pkijs.GeneralName({ type: IP_ADDRESS, value: new asn1js.OctetString({ valueHex: bytes }) });
}

/** The address bytes in network order. Throws a TypeError for a text that is no address. */
function ipAddressBytes(name: string): Uint8Array {
  if (!name.includes(':')) return Uint8Array.from(name.split('.'), Number);
  // URL writes an IPv6 address in hexadecimal groups, an embedded IPv4 address included.
  const [head, tail] = new URL(`http://[${name}]`).hostname.slice(1, -1).split('::');
  const first = groups(head);
  const last = groups(tail);
  const zeros = new Array<number>(8 - first.length - last.length).fill(0);
  return Uint8Array.from([...first, ...zeros, ...last].flatMap((group) => [group >> 8, group & 0xff]));
}

function groups(text: string | undefined): number[] {
  return text === undefined || text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

const COMMON_NAME = '2.5.4.3';

function setName(name: pkijs.RelativeDistinguishedNames, commonName: string): void {
  const value = new asn1js.Utf8String({ value: commonName });
  name.typesAndValues.push(new pkijs.AttributeTypeAndValue({ type: COMMON_NAME, value }));
}

/** RFC 5280 §4.1.2.5: UTCTime to 2049, GeneralizedTime from 2050. Seconds are the finest that either holds. */
function toTime(date: Date): pkijs.Time {
  const value = new Date(Math.floor(date.getTime() / 1000) * 1000);
  return new pkijs.Time({ type: value.getUTCFullYear() < 2050 ? 0 : 1, value });
}

/** RFC 5280 §4.1.2.2: positive, unpredictable, at most 20 bytes. */
function serialNumber(): Uint8Array {
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  return serial;
}

interface SignatureAlgorithm {
  readonly identifier: pkijs.AlgorithmIdentifier;
  readonly hash: string | undefined;
}

function signatureAlgorithm(key: KeyObject): SignatureAlgorithm {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.asymmetricKeyType === 'ed25519') return algorithm('1.3.101.112', undefined);
  if (curve === 'prime256v1') return algorithm('1.2.840.10045.4.3.2', 'sha256');
  if (curve === 'secp384r1') return algorithm('1.2.840.10045.4.3.3', 'sha384');
  if (key.asymmetricKeyType !== 'rsa')
    throw new Error(`a key of type ${key.asymmetricKeyType} does not sign certificates here`);
  const identifier = new pkijs.AlgorithmIdentifier({
    algorithmId: '1.2.840.113549.1.1.11',
    algorithmParams: new asn1js.Null(),
  });
  return { identifier, hash: 'sha256' };
}

function algorithm(algorithmId: string, hash: string | undefined): SignatureAlgorithm {
  return { identifier: new pkijs.AlgorithmIdentifier({ algorithmId }), hash };
}

function exportSpki(key: KeyObject): Uint8Array {
  return key.export({ format: 'der', type: 'spki' });
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}

/** An ArrayBuffer of just these bytes, which is what asn1js wants. */
function toBuffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
