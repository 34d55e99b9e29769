import { KeyObject } from 'node:crypto';
import { fromHex } from '../base/cursor.ts';
import { BASE_DATAGRAM_SIZE } from '../base/datagram-size.ts';
import { type ConnectionOptions, DEFAULT_TRANSPORT, type TransportOptions } from '../connection/options.ts';
import { CIPHER_SUITES, type CipherSuite } from '../crypto/suite.ts';
import type { ClientConnectionOptions, ServerConnectionOptions } from '../endpoint/endpoint.ts';
import { chainVerifier, insecureVerifier, pinVerifier, type Verifier } from '../tls/certificates/verifier.ts';
import { loadIdentity, type TlsGroup, type TlsIdentity } from '../tls/options.ts';
import { createClientSession } from '../tls/tls13/client.ts';
import { createServerSession } from '../tls/tls13/server.ts';
import { QUIC_V1 } from '../wire/versions.ts';
import { congestionOf } from './congestion.ts';
import { DEFAULT_HANDSHAKE_TIMEOUT } from './constants.ts';
import { QuicError } from './errors.ts';
import type { EndpointHost } from './host.ts';
import { assertOptions } from './option-names.ts';
import type {
  ConnectOptions,
  EndpointOptions,
  IdentityOptions,
  ListenOptions,
  Pem,
  SessionOptions,
  VerifyPeer,
} from './options.ts';

/** RFC 9002 §6.2.2: the round-trip time to assume before the first sample, in milliseconds. */
const INITIAL_RTT = 333;
/** The most that a datagram's UDP payload can have: RFC 9000 §18.2. */
const MAX_DATAGRAM_SIZE = 65_527;

/** What a client's options come to. */
export interface ClientSettings {
  readonly connection: ClientConnectionOptions;
  readonly verifier: Verifier;
  /** Whether certificate chains are to be judged: what that takes is loaded before the connection begins. */
  readonly judgesChains: boolean;
  /** The name that the server's certificate must be for; undefined when there is none. */
  readonly serverName: string | undefined;
}

/** What a server's options come to. */
export interface ServerSettings {
  readonly connection: ServerConnectionOptions;
  readonly verifier: Verifier;
  /** As of a client. */
  readonly judgesChains: boolean;
}

/**
 * Reads the options of `connect`; `name` is the host that was asked for.
 * @throws QuicError ERR_QUIC_INVALID_ARGUMENT, naming the option.
 */
export function clientSettings(options: ConnectOptions, name: string, host: EndpointHost): ClientSettings {
  const serverName = options.servername ?? name;
  const tls = {
    random: host.random,
    alpn: protocols(options),
    serverName,
    ...tlsOptions(options, host),
    ...(options.identity && { certificate: identity(options.identity, 'identity') }),
  };
  return {
    connection: {
      ...connectionOptions(options),
      createTls: (transportParameters) => createClientSession({ ...tls, transportParameters }),
      ...(options.token && { token: options.token }),
    },
    verifier: verifierOf(options.verifyPeer ?? 'strict', options.ca, host, 'server'),
    judgesChains: judgesChains(options.verifyPeer),
    serverName,
  };
}

/**
 * Reads the options of `listen`.
 * @throws QuicError ERR_QUIC_INVALID_ARGUMENT, naming the option.
 */
export function serverSettings(options: ListenOptions, endpoint: EndpointOptions, host: EndpointHost): ServerSettings {
  const tls = {
    random: host.random,
    alpn: protocols(options),
    identity: identityChoice(options),
    requestClientCertificate: options.clientAuth ?? 'no',
    ...tlsOptions(options, host),
  } as const;
  return {
    connection: {
      ...connectionOptions(options),
      createTls: (transportParameters) => createServerSession({ ...tls, transportParameters }),
      retry: endpoint.validateAddress === true ? 'always' : 'when-busy',
    },
    verifier: verifierOf(options.verifyPeer ?? 'strict', options.ca, host, 'client'),
    judgesChains: (options.clientAuth ?? 'no') !== 'no' && judgesChains(options.verifyPeer),
  };
}

function connectionOptions(options: SessionOptions): ConnectionOptions {
  const { datagramSize } = options;
  if (datagramSize !== undefined && !isDatagramSize(datagramSize)) {
    throw invalid(`datagramSize: ${datagramSize} is not between ${BASE_DATAGRAM_SIZE} and ${MAX_DATAGRAM_SIZE}`);
  }
  return {
    versions: options.versions ?? [QUIC_V1],
    transport: transportOptions(options),
    congestion: congestionOf(options.cc ?? 'cubic'),
    datagramSize,
    handshakeTimeout: options.handshakeTimeout ?? DEFAULT_HANDSHAKE_TIMEOUT,
    keepAlive: options.keepAlive ?? 0,
    initialRtt: INITIAL_RTT,
    ecn: options.ecn ?? true,
  };
}

/** Nobody is sent datagrams who has no use for them. */
function transportOptions({ transportParams, ondatagram }: SessionOptions): TransportOptions {
  assertOptions('transportParams', transportParams ?? {});
  const maxDatagramFrameSize = ondatagram === undefined ? 0 : DEFAULT_TRANSPORT.maxDatagramFrameSize;
  return { ...DEFAULT_TRANSPORT, maxDatagramFrameSize, ...transportParams };
}

function isDatagramSize(bytes: number): boolean {
  return Number.isInteger(bytes) && bytes >= BASE_DATAGRAM_SIZE && bytes <= MAX_DATAGRAM_SIZE;
}

function protocols({ alpn }: SessionOptions): readonly string[] {
  const list = typeof alpn === 'string' ? [alpn] : alpn;
  if (!Array.isArray(list) || list.length === 0) throw invalid('alpn: QUIC needs an application protocol');
  for (const name of list) {
    const length = Buffer.byteLength(name);
    if (length === 0 || length > 255) throw invalid(`alpn: '${name}' is not 1 to 255 bytes long`);
  }
  return list;
}

function tlsOptions(options: SessionOptions, host: EndpointHost) {
  return {
    ...(options.ciphers !== undefined && { cipherSuites: options.ciphers.split(':').map(suiteOf) }),
    ...(options.groups !== undefined && { groups: options.groups.split(':').map(groupOf) }),
    keylog: options.keylog === true || host.keylog !== undefined,
  };
}

function suiteOf(name: string): CipherSuite {
  const suite = CIPHER_SUITES.find((known) => known.name === name);
  if (suite === undefined)
    throw invalid(`ciphers: '${name}' is none of ${CIPHER_SUITES.map((known) => known.name).join(', ')}`);
  return suite;
}

const GROUPS: Readonly<Record<string, TlsGroup>> = {
  X25519: 'X25519',
  x25519: 'X25519',
  'P-256': 'secp256r1',
  secp256r1: 'secp256r1',
  prime256v1: 'secp256r1',
};

function groupOf(name: string): TlsGroup {
  const group = GROUPS[name];
  if (group === undefined) throw invalid(`groups: '${name}' is neither X25519 nor P-256`);
  return group;
}

function identityChoice(options: ListenOptions): TlsIdentity | ((name: string | undefined) => TlsIdentity | undefined) {
  const fallback = options.identity && identity(options.identity, 'identity');
  const named = new Map<string, TlsIdentity>();
  for (const [name, one] of Object.entries(options.sni ?? {}))
    named.set(name.toLowerCase(), identity(one, `sni['${name}']`));
  if (named.size === 0) {
    if (fallback === undefined) throw invalid('identity: a server needs a certificate and its key');
    return fallback;
  }
  return (name) => named.get((name ?? '').toLowerCase()) ?? named.get('*') ?? fallback;
}

function identity(options: IdentityOptions, option: string): TlsIdentity {
  const [certs, keys] = 'cert' in options ? [options.cert, options.key] : [options.certs, options.keys];
  const key = Array.isArray(keys) ? keys[0] : keys;
  try {
    return loadIdentity(pemText(certs), key instanceof KeyObject ? keyPem(key) : pemText(key));
  } catch (cause) {
    throw invalid(`${option}: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

function keyPem(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }).toString();
}

function pemText(pem: Pem | readonly Pem[]): string {
  if (typeof pem === 'string') return pem;
  if (pem instanceof Uint8Array) return Buffer.from(pem).toString('utf8');
  return pem.map(pemText).join('\n');
}

function verifierOf(
  verifyPeer: VerifyPeer,
  ca: Pem | readonly Pem[] | undefined,
  host: EndpointHost,
  purpose: 'server' | 'client',
): Verifier {
  if (typeof verifyPeer === 'function') return verifyPeer;
  if (verifyPeer === 'insecure') return insecureVerifier;
  if (verifyPeer === 'strict') return strictVerifier(ca, host, purpose);
  if (typeof verifyPeer !== 'object') throw invalid(`verifyPeer: '${verifyPeer}' is neither 'strict' nor 'insecure'`);
  if ('ca' in verifyPeer) return strictVerifier(verifyPeer.ca, host, purpose);
  const pins = 'pin' in verifyPeer ? [verifyPeer.pin] : verifyPeer.pins;
  if (!Array.isArray(pins) || pins.length === 0) throw invalid('verifyPeer: neither ca nor pin given');
  return pinVerifier(pins.map(pinBytes));
}

function judgesChains(verifyPeer: VerifyPeer = 'strict'): boolean {
  return verifyPeer === 'strict' || (typeof verifyPeer === 'object' && 'ca' in verifyPeer);
}

function strictVerifier(
  ca: Pem | readonly Pem[] | undefined,
  host: EndpointHost,
  purpose: 'server' | 'client',
): Verifier {
  const now = () => new Date(host.unixTime());
  try {
    return chainVerifier({ now, purpose, ...(ca !== undefined && { ca: [pemText(ca)] }) });
  } catch (error) {
    throw invalid(`ca: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

function pinBytes(pin: Uint8Array | string): Uint8Array {
  const bytes =
    typeof pin !== 'string'
      ? pin
      : /^[0-9a-f]{64}$/i.test(pin)
        ? fromHex(pin)
        : new Uint8Array(Buffer.from(pin, 'base64url'));
  if (bytes.length !== 32) throw invalid('verifyPeer: a pin is 32 bytes: the SHA-256 of a SubjectPublicKeyInfo');
  return bytes;
}

function invalid(message: string, cause?: unknown): QuicError {
  return new QuicError('ERR_QUIC_INVALID_ARGUMENT', message, { cause });
}
