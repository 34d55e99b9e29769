import { createPublicKey, type KeyObject, constants as pads, sign } from 'node:crypto';
import { isIP } from 'node:net';

/** Makes certificates of any kind, wrong ones included: for tests of who judges them. */

/** A DER element: its tag, and what is in it. */
export function tlv(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const size = content.length < 128 ? [content.length] : [0x82, content.length >> 8, content.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

export const seq = (...parts: readonly Uint8Array[]) => tlv(0x30, ...parts);
export const integer = (...bytes: number[]) => tlv(0x02, Buffer.from(bytes));
export const text = (value: string, tag = 0x0c) => tlv(tag, Buffer.from(value));
const octets = (bytes: Uint8Array) => tlv(0x04, bytes);
const boolean = (value: boolean) => tlv(0x01, Buffer.from([value ? 0xff : 0]));
const bits = (bytes: Uint8Array, unused = 0) => tlv(0x03, Buffer.from([unused]), bytes);

export function oid(dotted: string): Buffer {
  const [first, second, ...rest] = dotted.split('.').map(Number) as [number, number, ...number[]];
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return tlv(0x06, Buffer.from(bytes));
}

export const extension = (id: string, critical: boolean, value: Uint8Array) =>
  seq(oid(id), ...(critical ? [boolean(true)] : []), octets(value));

/** Extensions by what they say. */
export const basicConstraints = (ca: boolean, pathLength?: number, critical = true) =>
  extension(
    '2.5.29.19',
    critical,
    seq(...(ca ? [boolean(true)] : []), ...(pathLength === undefined ? [] : [integer(pathLength)])),
  );
export const keyUsage = (first: number) => extension('2.5.29.15', true, bits(Buffer.from([first]), unusedBits(first)));
export const extendedKeyUsage = (ids: readonly string[], critical = false) =>
  extension('2.5.29.37', critical, seq(...ids.map(oid)));
export const altNames = (names: readonly Uint8Array[], critical = false) =>
  extension('2.5.29.17', critical, seq(...names));

function unusedBits(byte: number): number {
  return byte === 0 ? 0 : 31 - Math.clz32(byte & -byte);
}

/** A GeneralName: a host name, or an address in binary. */
export function generalName(name: string): Buffer {
  return isIP(name) === 0 ? tlv(0x82, Buffer.from(name)) : tlv(0x87, addressBytes(name));
}

function addressBytes(name: string): Buffer {
  if (isIP(name) === 4) return Buffer.from(name.split('.').map(Number));
  const [head, tail] = name.split('::').map((half) => half.split(':').filter((group) => group !== '')) as [
    string[],
    string[]?,
  ];
  const zeros = tail === undefined ? [] : new Array<string>(8 - head.length - tail.length).fill('0');
  return Buffer.from([...head, ...zeros, ...(tail ?? [])].map((group) => group.padStart(4, '0')).join(''), 'hex');
}

/** nameConstraints: subtrees by GeneralName; addresses as `address/mask`. */
export function nameConstraints(permitted: readonly Uint8Array[], excluded: readonly Uint8Array[] = []): Buffer {
  const trees = (tag: number, names: readonly Uint8Array[]) =>
    names.length === 0 ? [] : [tlv(tag, ...names.map((name) => seq(name)))];
  return extension('2.5.29.30', true, seq(...trees(0xa0, permitted), ...trees(0xa1, excluded)));
}

export const subnet = (address: string, mask: string) => tlv(0x87, addressBytes(address), addressBytes(mask));

/** A Name with one common name, or none. */
export const name = (commonName: string, tag = 0x0c) =>
  commonName === '' ? seq() : seq(tlv(0x31, seq(oid('2.5.4.3'), text(commonName, tag))));

export type Hash = 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512';

const ECDSA: Partial<Record<Hash, string>> = {
  sha1: '1.2.840.10045.4.1',
  sha256: '1.2.840.10045.4.3.2',
  sha384: '1.2.840.10045.4.3.3',
  sha512: '1.2.840.10045.4.3.4',
};
const RSA: Record<Hash, string> = {
  md5: '1.2.840.113549.1.1.4',
  sha1: '1.2.840.113549.1.1.5',
  sha256: '1.2.840.113549.1.1.11',
  sha384: '1.2.840.113549.1.1.12',
  sha512: '1.2.840.113549.1.1.13',
};
const NULL = tlv(0x05);
const SHA256 = seq(oid('2.16.840.1.101.3.4.2.1'), NULL);
const PSS_PARAMETERS = seq(
  tlv(0xa0, SHA256),
  tlv(0xa1, seq(oid('1.2.840.113549.1.1.8'), SHA256)),
  tlv(0xa2, integer(32)),
);

/** The signature algorithm of a key, and how it signs. */
function signer(key: KeyObject, hash: Hash): { algorithm: Buffer; sign: (bytes: Uint8Array) => Buffer } {
  switch (key.asymmetricKeyType) {
    case 'ed25519':
      return { algorithm: seq(oid('1.3.101.112')), sign: (bytes) => sign(undefined, bytes, key) };
    case 'ed448':
      return { algorithm: seq(oid('1.3.101.113')), sign: (bytes) => sign(undefined, bytes, key) };
    case 'ec':
      return { algorithm: seq(oid(ECDSA[hash]!)), sign: (bytes) => sign(hash, bytes, key) };
    case 'rsa-pss': {
      const algorithm = seq(oid('1.2.840.113549.1.1.10'), PSS_PARAMETERS);
      const padding = { padding: pads.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
      return { algorithm, sign: (bytes) => sign('sha256', bytes, { key, ...padding }) };
    }
    default:
      return { algorithm: seq(oid(RSA[hash]), NULL), sign: (bytes) => sign(hash, bytes, key) };
  }
}

/** Who signs. */
export interface Signer {
  readonly name: Buffer;
  readonly key: KeyObject;
}

export interface Forgery {
  readonly subject: Buffer;
  readonly key: KeyObject;
  readonly issuer: Signer;
  readonly from?: string;
  readonly to?: string;
  /** No version 3: then there are no extensions either. */
  readonly isVersion1?: boolean;
  readonly extensions?: readonly Uint8Array[];
  readonly hash?: Hash;
  /** Whether one bit of the signature is wrong. */
  readonly isBroken?: boolean;
}

let serial = 0;

/** A certificate in DER. Valid from 2020 to 2049, unless it says otherwise: at any time at which this runs. */
export function forge(forgery: Forgery): Uint8Array {
  const { subject, key, issuer, from = '2020', to = '2049', isVersion1 = false, extensions = [] } = forgery;
  const { algorithm, sign: signature } = signer(issuer.key, forgery.hash ?? 'sha256');
  serial++;
  const body = seq(
    ...(isVersion1 ? [] : [tlv(0xa0, integer(2))]),
    integer(0x40, serial >> 8, serial & 0xff),
    algorithm,
    issuer.name,
    seq(time(from), time(to)),
    subject,
    createPublicKey(key).export({ format: 'der', type: 'spki' }),
    ...(isVersion1 || extensions.length === 0 ? [] : [tlv(0xa3, seq(...extensions))]),
  );
  const made = signature(body);
  if (forgery.isBroken === true) made[made.length - 1]! ^= 1;
  return seq(body, algorithm, bits(made));
}

/** The first of January of a year: UTCTime until 2049. */
function time(year: string): Buffer {
  return Number(year) < 2050 ? text(`${year.slice(2)}0101000000Z`, 0x17) : text(`${year}0101000000Z`, 0x18);
}
