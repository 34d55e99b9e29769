import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { Deque } from '../../src/base/deque.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { type CertificateRequest, type Issuer, issueCertificate } from '../../src/tls/certificates/issue.ts';
import type { TlsClientOptions, TlsIdentity, TlsServerOptions } from '../../src/tls/options.ts';
import type { CertificateVerdict, TlsEvent, TlsLevel, TlsSession } from '../../src/tls/session.ts';
import { createClientSession } from '../../src/tls/tls13/client.ts';
import { createServerSession } from '../../src/tls/tls13/server.ts';

export type KeyKind = 'P-256' | 'P-384' | 'P-521' | 'RSA' | 'RSA-PSS' | 'Ed25519' | 'Ed448';

/** A fresh private key. */
export function makeKey(kind: KeyKind): KeyObject {
  switch (kind) {
    case 'P-256':
      return generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
    case 'P-384':
      return generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).privateKey;
    case 'P-521':
      return generateKeyPairSync('ec', { namedCurve: 'secp521r1' }).privateKey;
    case 'RSA':
      return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    case 'RSA-PSS':
      return generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey;
    case 'Ed25519':
      return generateKeyPairSync('ed25519').privateKey;
    case 'Ed448':
      return generateKeyPairSync('ed448').privateKey;
  }
}

/** The time at which the certificates below are valid, to the second. */
export const TEST_TIME = new Date('2030-06-15T12:00:00Z');
const DAY = 86_400_000;

/** Makes a certificate that is valid around TEST_TIME; without an issuer it issues itself. */
export function certify(
  privateKey: KeyObject,
  request: Partial<CertificateRequest> & { commonName: string },
  issuer: Issuer = { commonName: request.commonName, privateKey },
): Uint8Array {
  return issueCertificate(
    {
      names: [],
      publicKey: createPublicKey(privateKey),
      notBefore: new Date(TEST_TIME.getTime() - DAY),
      notAfter: new Date(TEST_TIME.getTime() + DAY),
      ...request,
    },
    issuer,
  );
}

/** A self-signed identity; keys that cannot sign certificates here get one from a P-256 key. */
export function makeIdentity(kind: KeyKind = 'P-256', name = 'server.example'): TlsIdentity {
  const privateKey = makeKey(kind);
  const signs = kind !== 'RSA-PSS' && kind !== 'P-521' && kind !== 'Ed448';
  const issuer = { commonName: name, privateKey: signs ? privateKey : makeKey('P-256') };
  return { certificates: [certify(privateKey, { commonName: name, names: [name] }, issuer)], privateKey };
}

/** One flight piece under way. */
export interface Piece {
  readonly from: 'client' | 'server';
  readonly level: TlsLevel;
  readonly bytes: Uint8Array;
}

/** What a side of a loopback went through. */
export interface Side {
  readonly session: TlsSession;
  readonly events: TlsEvent[];
  /** What provide or verdict threw. */
  thrown: unknown;
}

/** How a loopback differs from the plain case. */
export interface LoopbackOptions {
  readonly client?: Partial<TlsClientOptions>;
  readonly server?: Partial<TlsServerOptions>;
  readonly seed?: number;
  /** Changes a piece under way. */
  readonly tamper?: (piece: Piece) => Uint8Array;
  /** How many bytes to provide at a time; default all. */
  readonly chunk?: number;
  readonly verdict?: (certificates: readonly Uint8Array[], side: 'client' | 'server') => CertificateVerdict;
}

export const CLIENT_PARAMETERS = Uint8Array.of(1, 2, 3);
export const SERVER_PARAMETERS = Uint8Array.of(4, 5, 6, 7);

let sharedIdentity: TlsIdentity | undefined;

/** A client and a server joined by nothing but their bytes. */
export class TlsLoopback {
  readonly client: Side;
  readonly server: Side;
  readonly #options: LoopbackOptions;
  readonly #underWay = new Deque<Piece>();

  constructor(options: LoopbackOptions = {}) {
    this.#options = options;
    const seed = options.seed ?? 1;
    const client = createClientSession({
      random: new SeededRandom(seed),
      alpn: ['weir/1'],
      serverName: 'server.example',
      transportParameters: CLIENT_PARAMETERS,
      ...options.client,
    });
    sharedIdentity ??= makeIdentity();
    const server = createServerSession({
      random: new SeededRandom(seed + 1_000_000),
      alpn: ['weir/1'],
      transportParameters: SERVER_PARAMETERS,
      identity: sharedIdentity,
      ...options.server,
    });
    this.client = { session: client, events: [], thrown: undefined };
    this.server = { session: server, events: [], thrown: undefined };
  }

  /** Carries everything to and fro until both are silent. */
  run(): this {
    this.#drain('client');
    this.#drain('server');
    for (let piece = this.#underWay.shift(); piece !== undefined; piece = this.#underWay.shift()) {
      const bytes = this.#options.tamper?.(piece) ?? piece.bytes;
      this.provide(piece.from === 'client' ? 'server' : 'client', piece.level, bytes);
    }
    return this;
  }

  /** Gives bytes to one side, in the chunks that the options ask for. */
  provide(to: 'client' | 'server', level: TlsLevel, bytes: Uint8Array): void {
    const chunk = this.#options.chunk ?? Math.max(1, bytes.length);
    for (let at = 0; at < bytes.length; at += chunk) {
      const piece = bytes.slice(at, at + chunk);
      this.#guard(to, () => this[to].session.provide(level, piece));
      // What was provided may be overwritten by the caller.
      piece.fill(0xee);
      this.#drain(to);
    }
  }

  #guard(side: 'client' | 'server', action: () => void): void {
    try {
      action();
    } catch (error) {
      this[side].thrown = error;
    }
  }

  #drain(name: 'client' | 'server'): void {
    const side = this[name];
    for (let event = side.session.poll(); event !== undefined; event = side.session.poll()) {
      side.events.push(event);
      if (event.type === 'write') this.#underWay.push({ from: name, level: event.level, bytes: event.bytes });
      if (event.type === 'verify') {
        const verdict = this.#options.verdict?.(event.certificates, name) ?? { ok: true };
        this.#guard(name, () => side.session.verdict(verdict));
      }
    }
  }
}

/** The events of one type. */
export function eventsOf<T extends TlsEvent['type']>(side: Side, type: T): Extract<TlsEvent, { type: T }>[] {
  return side.events.filter((event): event is Extract<TlsEvent, { type: T }> => event.type === type);
}

/** The alert that ended a side's handshake; -1 when none did. */
export function alertOf(side: Side): number {
  return eventsOf(side, 'alert')[0]?.alert ?? -1;
}

/** Whether a side's handshake is complete. */
export function isComplete(side: Side): boolean {
  return eventsOf(side, 'complete').length > 0;
}
