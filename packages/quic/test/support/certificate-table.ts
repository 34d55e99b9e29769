import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import { duplexPair } from 'node:stream';
import { describe, test } from 'node:test';
import { connect, createSecureContext, TLSSocket } from 'node:tls';
import { ExtendedKeyUsage, toPem } from '../../src/tls/certificates/issue.ts';
import { chainVerifier } from '../../src/tls/certificates/verifier.ts';
import {
  altNames,
  basicConstraints,
  extendedKeyUsage,
  type Forgery,
  forge,
  generalName,
  keyUsage,
  name,
  type Signer,
  tlv,
} from './certificate-forge.ts';
import { makeKey } from './tls-loopback.ts';

/**
 * Tables of chains of every kind, and what node:tls (OpenSSL) says of each. Where this judge says something else, the row has the reason.
 * The dates are decades away from now, because node:tls knows no time but the present.
 */

export const HOST = 'www.example.org';
export const ADDRESS = '192.0.2.7';

export const keys = {
  root: makeKey('P-256'),
  other: makeKey('P-256'),
  middle: makeKey('P-256'),
  lower: makeKey('P-256'),
  leaf: makeKey('P-256'),
};

export const ROOT: Signer = { name: name('Root'), key: keys.root };
export const OTHER: Signer = { name: name('Other root'), key: keys.other };
export const MIDDLE: Signer = { name: name('Middle'), key: keys.middle };
export const LOWER: Signer = { name: name('Lower'), key: keys.lower };

export const SIGNS_CERTIFICATES = keyUsage(0x06);
export const CA_EXTENSIONS = [basicConstraints(true), SIGNS_CERTIFICATES];
/** Of an authority whose key signs handshakes, too. */
export const SIGNING_CA = [basicConstraints(true), keyUsage(0x86)];
export const NAMES = altNames([HOST, ADDRESS].map(generalName));
export const LEAF_EXTENSIONS = [
  basicConstraints(false),
  keyUsage(0x80),
  extendedKeyUsage([ExtendedKeyUsage.SERVER_AUTH]),
  NAMES,
];

export type Changes = Partial<Omit<Forgery, 'subject'>> & { readonly subject?: Buffer };

/** A certification authority's certificate; by default Root's own. */
export function ca(signer: Signer = ROOT, issuer: Signer = signer, changes: Changes = {}): Uint8Array {
  return forge({ subject: signer.name, key: signer.key, issuer, extensions: CA_EXTENSIONS, ...changes });
}

export function leaf(issuer: Signer = MIDDLE, changes: Changes = {}): Uint8Array {
  return forge({ subject: name('leaf'), key: keys.leaf, issuer, extensions: LEAF_EXTENSIONS, ...changes });
}

/** A leaf with other names. */
export const named = (...names: string[]) => leaf(MIDDLE, { extensions: [altNames(names.map(generalName))] });
/** A leaf with one more extension, and an authority with one more. */
export const leafWith = (...more: Uint8Array[]) => leaf(MIDDLE, { extensions: [...LEAF_EXTENSIONS, ...more] });
export const caWith = (signer: Signer, issuer: Signer, ...more: Uint8Array[]) =>
  ca(signer, issuer, { extensions: [...CA_EXTENSIONS, ...more] });

export const root = ca();
export const middle = ca(MIDDLE, ROOT);
export const dns = (value: string) => tlv(0x82, Buffer.from(value));

export const ONE_PATH = 'OpenSSL looks at one path, and another one is good';
export const TRUSTED = 'what is named as trusted is trusted; OpenSSL wants to get to a root all the same';
export const RFC_9525 = 'RFC 9525 §2, §6.3: the common name is no name, and a wildcard is a whole label';
export const SIGNS = 'RFC 9846 §4.5.1.3: the key of a handshake signs';
export const RSA_BITS = "2,048 bits at least; OpenSSL's default took 1,024 until Node 24";

export interface Row {
  readonly what: string;
  readonly chain: readonly Uint8Array[];
  /** Trusted certificates; default Root. */
  readonly ca?: readonly Uint8Array[];
  /** The leaf's key, where it is another. */
  readonly key?: KeyObject;
  /** What is asked for; default HOST. */
  readonly host?: string;
  /** What both say. */
  readonly ok: boolean;
  /** Why node:tls says the opposite of `ok`. */
  readonly differs?: string;
  /** Whether that goes for some releases of Node only. */
  readonly varies?: boolean;
}

export const pathLength = (signer: Signer, issuer: Signer, length: number) =>
  ca(signer, issuer, { extensions: [basicConstraints(true, length), SIGNS_CERTIFICATES] });
/** A leaf that says what its key is for. */
export const leafFor = (use: Uint8Array) => leaf(MIDDLE, { extensions: [NAMES, use] });

/** A leaf that signs itself, and is trusted. */
export function alone(changes: Changes = {}): Pick<Row, 'chain' | 'ca'> {
  const certificate = leaf({ name: name('leaf'), key: keys.leaf }, changes);
  return { chain: [certificate], ca: [certificate] };
}

/** What node:tls says of the row: undefined for yes, or why not. */
function nodeVerdict(row: Row): Promise<string | undefined> {
  const [near, far] = duplexPair();
  const server = new TLSSocket(far, {
    isServer: true,
    secureContext: createSecureContext({
      cert: row.chain.map(toPem).join(''),
      key: (row.key ?? keys.leaf).export({ format: 'pem', type: 'pkcs8' }),
      // The server shows whatever it has; the judge is the client.
      ciphers: 'DEFAULT@SECLEVEL=0',
    }),
  });
  server.on('error', () => {});
  return new Promise((resolve) => {
    const client = connect({
      socket: near,
      host: row.host ?? HOST,
      ca: (row.ca ?? [root]).map(toPem),
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
    });
    client.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    client.on('secureConnect', () => {
      resolve(client.authorized ? undefined : String(client.authorizationError));
      client.destroy();
      server.destroy();
    });
  });
}

/** Judges each row with both, and checks that they say what the row has. */
export function judgeRows(what: string, rows: readonly Row[]): void {
  describe(what, () => {
    for (const row of rows)
      test(row.what, async () => {
        const verifier = chainVerifier({ ca: (row.ca ?? [root]).map(toPem), now: () => new Date('2030-06-15') });
        const ours = await verifier(row.chain, row.host ?? HOST);
        const theirs = await nodeVerdict(row);
        const heard = `ours: ${ours.ok ? 'yes' : ours.reason}; node:tls: ${theirs ?? 'yes'}`;
        assert.equal(ours.ok, row.ok, heard);
        if (row.varies !== true)
          assert.equal(theirs === undefined, row.differs === undefined ? row.ok : !row.ok, heard);
      });
  });
}
