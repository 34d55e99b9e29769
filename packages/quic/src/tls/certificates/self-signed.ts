import { createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { spkiPin } from './pin.ts';

export { spkiPin } from './pin.ts';

/** A certificate that vouches for itself, and its key. */
export interface SelfSigned {
  readonly certPem: string;
  /** PKCS #8, not encrypted. */
  readonly keyPem: string;
  /** What a client pins: see `spkiPin`. */
  readonly pin: Uint8Array;
}

/** What to make. */
export interface SelfSignedOptions {
  /** Host names and IP addresses that it is for. May be empty: a pin needs none. */
  readonly names: readonly string[];
  /** How long it is valid. */
  readonly days: number;
  /** Default P-256, which every peer can do. Ed25519 signatures are the same for the same input: for runs to be replayed. */
  readonly keyType?: 'P-256' | 'Ed25519';
  /** When its validity begins; default an hour ago, for clocks that are behind. */
  readonly notBefore?: Date;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Makes a self-signed end-entity certificate (CA:FALSE) with a fresh key. */
export async function makeSelfSigned(options: SelfSignedOptions): Promise<SelfSigned> {
  // Loaded when it is first needed: it is large, and most programs make no certificate.
  const { issueCertificate, toPem } = await import('./issue.ts');
  const privateKey = await makeKey(options.keyType ?? 'P-256');
  const notBefore = options.notBefore ?? new Date(Date.now() - HOUR);
  const commonName = options.names[0] ?? 'weir';
  const request = {
    commonName,
    names: options.names,
    publicKey: createPublicKey(privateKey),
    notBefore,
    notAfter: new Date(notBefore.getTime() + options.days * DAY),
  };
  const der = issueCertificate(request, { commonName, privateKey });
  const keyPem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  return { certPem: toPem(der), keyPem, pin: spkiPin(der) };
}

async function makeKey(type: 'P-256' | 'Ed25519'): Promise<KeyObject> {
  if (type === 'Ed25519') return (await promisify(generateKeyPair)('ed25519')).privateKey;
  return (await promisify(generateKeyPair)('ec', { namedCurve: 'prime256v1' })).privateKey;
}
