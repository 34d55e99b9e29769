import {
  constants,
  type KeyObject,
  type SignKeyObjectInput,
  sign,
  type VerifyKeyObjectInput,
  verify,
} from 'node:crypto';

/** A signature algorithm of RFC 9846 §4.3.3 that may sign a handshake. */
export interface SignatureScheme {
  readonly code: number;
  readonly name: string;
  /** node:crypto's type of the key. */
  readonly keyType: 'ec' | 'rsa' | 'rsa-pss' | 'ed25519' | 'ed448';
  /** node:crypto's name of the curve that the key must be on; ECDSA only. */
  readonly curve?: string;
  /** undefined where the algorithm hashes by itself. */
  readonly hash?: 'sha256' | 'sha384' | 'sha512';
}

/** Every scheme that may sign a CertificateVerify here, preferred first. */
export const SIGNATURE_SCHEMES: readonly SignatureScheme[] = [
  { code: 0x0403, name: 'ecdsa_secp256r1_sha256', keyType: 'ec', curve: 'prime256v1', hash: 'sha256' },
  { code: 0x0503, name: 'ecdsa_secp384r1_sha384', keyType: 'ec', curve: 'secp384r1', hash: 'sha384' },
  { code: 0x0603, name: 'ecdsa_secp521r1_sha512', keyType: 'ec', curve: 'secp521r1', hash: 'sha512' },
  { code: 0x0807, name: 'ed25519', keyType: 'ed25519' },
  { code: 0x0808, name: 'ed448', keyType: 'ed448' },
  { code: 0x0804, name: 'rsa_pss_rsae_sha256', keyType: 'rsa', hash: 'sha256' },
  { code: 0x0805, name: 'rsa_pss_rsae_sha384', keyType: 'rsa', hash: 'sha384' },
  { code: 0x0806, name: 'rsa_pss_rsae_sha512', keyType: 'rsa', hash: 'sha512' },
  { code: 0x0809, name: 'rsa_pss_pss_sha256', keyType: 'rsa-pss', hash: 'sha256' },
  { code: 0x080a, name: 'rsa_pss_pss_sha384', keyType: 'rsa-pss', hash: 'sha384' },
  { code: 0x080b, name: 'rsa_pss_pss_sha512', keyType: 'rsa-pss', hash: 'sha512' },
];

/** rsa_pkcs1_sha256, _sha384 and _sha512: good in certificates, never in a CertificateVerify (RFC 9846 §4.3.3). */
const CERTIFICATE_ONLY = [0x0401, 0x0501, 0x0601];

/** What goes into our signature_algorithms, which also speak for the signatures on certificates. */
export const OFFERED_SCHEMES: readonly number[] = [...SIGNATURE_SCHEMES.map(({ code }) => code), ...CERTIFICATE_ONLY];

/** The scheme of a code, or undefined for one that may not sign a handshake. */
export function schemeOf(code: number): SignatureScheme | undefined {
  return SIGNATURE_SCHEMES.find((scheme) => scheme.code === code);
}

/** Whether a key, public or private, can be used with a scheme. */
export function fits(scheme: SignatureScheme, key: KeyObject): boolean {
  if (key.asymmetricKeyType !== scheme.keyType) return false;
  if (scheme.curve !== undefined) return key.asymmetricKeyDetails?.namedCurve === scheme.curve;
  // An id-RSASSA-PSS key may be bound to one hash function (RFC 9846 §4.3.3).
  const bound = scheme.keyType === 'rsa-pss' ? key.asymmetricKeyDetails?.hashAlgorithm : undefined;
  return bound === undefined || bound === scheme.hash;
}

/** The scheme to sign with: the first of ours that the key can do and the peer takes. */
export function chooseScheme(key: KeyObject, accepted: readonly number[]): SignatureScheme | undefined {
  return SIGNATURE_SCHEMES.find((scheme) => accepted.includes(scheme.code) && fits(scheme, key));
}

/** Signs `content` with a private key that fits the scheme. */
export function signContent(scheme: SignatureScheme, key: KeyObject, content: Uint8Array): Uint8Array {
  return sign(scheme.hash, content, cryptoKey(scheme, key));
}

/** Whether `signature` is the signature of `content` by the owner of a public key that fits the scheme. */
export function verifyContent(
  scheme: SignatureScheme,
  key: KeyObject,
  content: Uint8Array,
  signature: Uint8Array,
): boolean {
  try {
    return verify(scheme.hash, content, cryptoKey(scheme, key), signature);
  } catch {
    // OpenSSL throws on some signatures that are not even well-formed.
    return false;
  }
}

function cryptoKey(scheme: SignatureScheme, key: KeyObject): SignKeyObjectInput & VerifyKeyObjectInput {
  if (scheme.keyType === 'rsa' || scheme.keyType === 'rsa-pss') {
    // RFC 9846 §4.3.3: the salt is as long as the digest.
    return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  }
  return { key, dsaEncoding: 'der' };
}
