import type { KeyObject } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { Address } from '../base/address.ts';
import type { Millis } from '../base/time.ts';
import type { Observer } from '../connection/observe.ts';
import type { TransportOptions } from '../connection/options.ts';
import type { EndpointHost, OpenQlog } from '../driver/host.ts';
import type { QlogDialect } from '../qlog/dialect.ts';
import type { CongestionControllerFactory } from '../recovery/congestion/controller.ts';
import type { Verifier } from '../tls/certificates/verifier.ts';
import type { CongestionName } from './congestion.ts';
import type { QuicEndpoint } from './endpoint.ts';
import type { LimitOptions } from './endpoint-limits.ts';
import type { QuicError } from './errors.ts';
import type { QuicSession } from './session.ts';
import type { QuicStream } from './stream.ts';

/** `192.0.2.1:443`, `[2001:db8::1]:443`, `example.org:443`; or the parts, as node:net's SocketAddress has them too. */
export type AddressLike =
  | string
  | { readonly host: string; readonly port: number }
  | { readonly address: string; readonly port: number };

/** PEM text, one or several certificates. */
export type Pem = string | Uint8Array;

/** A certificate chain (leaf first) with its private key: as `cert` and `key`, or under node:quic's names. */
export type IdentityOptions =
  | { readonly cert: Pem; readonly key: Pem | KeyObject }
  | { readonly certs: Pem | readonly Pem[]; readonly keys: KeyObject | Pem | readonly (KeyObject | Pem)[] };

/**
 * How the peer's certificate is judged.
 * - `'strict'`, the default: its chain must lead to one of Node's root certificates, or of `ca` where given.
 * - `{ ca }`: its chain must lead to one of these (PEM).
 * - `{ pins }`: the SHA-256 of its SubjectPublicKeyInfo (32 bytes, or their hexadecimal or base64url text) must be one of these.
 * - `'insecure'`: not at all.
 * - a function: yours.
 */
export type VerifyPeer =
  | 'strict'
  | 'insecure'
  | { readonly ca: Pem | readonly Pem[] }
  | { readonly pin: Uint8Array | string }
  | { readonly pins: readonly (Uint8Array | string)[] }
  | Verifier;

/** The local socket, and how much strangers may ask of it. */
export interface EndpointOptions extends LimitOptions {
  /** Where to bind. Default: any free port, of the address family that is needed. */
  readonly address?: AddressLike;
  /**
   * Whether each new client must first prove its address with a Retry token (RFC 9000 §8.1.2). Default false: only while many handshakes
   * are under way, in total or with its host.
   */
  readonly validateAddress?: boolean;
  /**
   * How many sessions that clients started may be open at once; more are refused with CONNECTION_REFUSED. Half of them are for clients
   * that have proved their addresses. 0, the default, is no limit.
   */
  readonly maxConnectionsTotal?: number;
  /**
   * The same for one remote address, whatever its ports; the addresses of one IPv6 /64 count as one. 0, the default, is no limit.
   */
  readonly maxConnectionsPerHost?: number;
  /** How many sessions one remote address may start a second; beyond that its first packets are dropped. 0, the default, is no limit. */
  readonly sessionCreationRate?: number;
  /** How many it may start at once. Default 100. */
  readonly sessionCreationBurst?: number;
  /**
   * How many Retry, Version Negotiation, stateless reset and refusing CONNECTION_CLOSE packets are sent a second, to all addresses together,
   * and how many at once. Default 100 and 200, of each.
   */
  readonly retryRate?: number;
  readonly retryBurst?: number;
  readonly versionNegotiationRate?: number;
  readonly versionNegotiationBurst?: number;
  readonly statelessResetRate?: number;
  readonly statelessResetBurst?: number;
  readonly immediateCloseRate?: number;
  readonly immediateCloseBurst?: number;
  /** Clock, randomness, sockets. Default: the process's. The simulator and tests pass their own. */
  readonly host?: EndpointHost;
}

/** What both sides of a session can choose. */
export interface SessionOptions {
  /** Application protocols in order of preference (RFC 7301). A string is a list of one. QUIC requires one. */
  readonly alpn: string | readonly string[];
  /** An endpoint to use, or options to make one. Default: a new one, closed with its last session. */
  readonly endpoint?: QuicEndpoint | EndpointOptions;
  /**
   * What this side announces in its transport parameters (RFC 9000 §18.2), and how far windows grow. Bytes, milliseconds. A peer can make
   * this side hold `initialMaxData` bytes before anything is read, and as many streams as it may open.
   */
  readonly transportParams?: Partial<TransportOptions>;
  /** Congestion control: `'cubic'` (default), `'reno'`, `'bbr'`, or one's own. */
  readonly cc?: CongestionName | CongestionControllerFactory;
  /**
   * Bytes of UDP payload of a full datagram, 1,200 to 65,527, that the path is known to carry. Default: starts with 1,200 and finds out
   * what the path carries, up to the interface's MTU and what the peer takes (RFC 8899). `stats.maxDatagramSize` tells.
   */
  readonly datagramSize?: number;
  /** Milliseconds until an unfinished handshake is given up. Default 10,000. */
  readonly handshakeTimeout?: Millis;
  /**
   * Milliseconds without traffic after which a PING is sent, half of the idle timeout of both ends at most; 0 never. Default 0. A client
   * that waits for what a server may send at any time needs it: a NAT forgets a flow that is silent, many after 30 s or less, and only
   * what the client sends makes a new one. When data stops in the middle of a stream, a client asks once by itself, after a second or
   * three probe timeouts.
   */
  readonly keepAlive?: Millis;
  /** Cipher suites of RFC 9846 §B.4 (TLS 1.3) joined by colons, preferred first. */
  readonly ciphers?: string;
  /** Key exchange groups joined by colons: `X25519`, `P-256`. */
  readonly groups?: string;
  /** QUIC versions: 1 (RFC 9000) and 0x6b3343cf (RFC 9369). A server speaks all of them, a client only the first. Default: 1. */
  readonly versions?: readonly number[];
  /** Whether packets are marked ECT(0) where the socket can. Default true. */
  readonly ecn?: boolean;
  /** Whether `onkeylog` gets the session's secrets. SSLKEYLOGFILE in the environment works without it. */
  readonly keylog?: boolean;
  /** Whether `onqlog` gets the session's events as qlog. QLOGDIR in the environment works without it. */
  readonly qlog?: boolean;
  /** What qlog is written in: the current draft (default), or the older dialect that the qvis tools read. */
  readonly qlogDialect?: QlogDialect;
  /** Opens a file for each session's qlog, in place of QLOGDIR's: see `openQlogFolder`. */
  readonly openQlog?: OpenQlog;
  /** Sees every event inside the connection, synchronously. */
  readonly observe?: Observer;
  readonly onstream?: (stream: QuicStream) => void;
  /**
   * Hears of datagrams (RFC 9221). Without it the peer is told that none are taken, unless `transportParams.maxDatagramFrameSize` says how
   * large they may be: for who sets the session's `ondatagram` later.
   */
  readonly ondatagram?: (bytes: Uint8Array) => void;
  readonly onhandshake?: (info: SessionInfo) => void;
  readonly onkeylog?: (line: string) => void;
  readonly onqlog?: (text: string, fin: boolean) => void;
  readonly onerror?: (error: unknown) => void;
}

/** Options of `connect`. */
export interface ConnectOptions extends SessionOptions {
  /** The name to ask for (SNI) and to find in the certificate. Default: the host of the address; none is sent for a number. */
  readonly servername?: string;
  /** Default `'strict'`. */
  readonly verifyPeer?: VerifyPeer;
  /** Root certificates (PEM) in place of Node's, for `verifyPeer: 'strict'`. */
  readonly ca?: Pem | readonly Pem[];
  /** A certificate to show when the server asks for one. */
  readonly identity?: IdentityOptions;
  /** An address validation token from an earlier session's `onnewtoken` with the same server (RFC 9000 §8.1.3). */
  readonly token?: Uint8Array;
  readonly onnewtoken?: (token: Uint8Array) => void;
  /** Gives up the attempt. */
  readonly signal?: AbortSignal;
}

/** Options of `listen`. */
export interface ListenOptions extends SessionOptions {
  /** Where to listen; the same as `endpoint: { address }`. */
  readonly address?: AddressLike;
  /** The server's certificate and key, unless `sni` has one for the name. */
  readonly identity?: IdentityOptions;
  /** Certificates by server name; `*` is for every other name. */
  readonly sni?: Readonly<Record<string, IdentityOptions>>;
  /** Whether clients must (`'require'`) or may (`'request'`) show a certificate. Default `'no'`. */
  readonly clientAuth?: 'no' | 'request' | 'require';
  /** How client certificates are judged. Default `'strict'`. */
  readonly verifyPeer?: VerifyPeer;
  /** Root certificates (PEM) in place of Node's, for `verifyPeer: 'strict'`. */
  readonly ca?: Pem | readonly Pem[];
  /** Hears of clients whose handshake failed; they never become sessions. */
  readonly onhandshakeerror?: (error: QuicError, remote: Address) => void;
  /** Closes the endpoint. */
  readonly signal?: AbortSignal;
}

/** What the handshake agreed on. */
export interface SessionInfo {
  readonly local: Address;
  readonly remote: Address;
  /** The name that the client asked for; empty when it sent none. */
  readonly servername: string;
  /** The application protocol. */
  readonly protocol: string;
  /** The cipher suite: `TLS_AES_128_GCM_SHA256`, … */
  readonly cipher: string;
  readonly cipherVersion: 'TLSv1.3';
  /** The key exchange group. */
  readonly group: string;
  /** The peer's certificate chain in DER, leaf first; empty when it showed none. */
  readonly peerCertificates: readonly Uint8Array[];
}

/** What a stream can send whole. */
export type BodyChunk = string | ArrayBuffer | SharedArrayBuffer | ArrayBufferView;

/** A body: pieces, a source of them, or a promise of either. `null` ends the stream at once. */
export type Body =
  | BodyChunk
  | Blob
  | FileHandle
  | ReadableStream
  | Iterable<BodyChunk | readonly BodyChunk[]>
  | AsyncIterable<BodyChunk | readonly BodyChunk[]>
  | null;

/** Options of a new stream. */
export interface StreamOptions {
  /** Sends this and ends the stream. Without it, use the writer. */
  readonly body?: Body | Promise<Body>;
  /** Bytes that the writer buffers before it reports being full. Default 256 KiB. */
  readonly budget?: number;
  /** Which streams go first when several have data. Default `'default'`. */
  readonly priority?: StreamPriority;
  /** Whether it takes turns with streams of the same priority, rather than going before younger ones. Default true. */
  readonly incremental?: boolean;
  /** Whether to wait for the peer to allow another stream, rather than reject. Default true. */
  readonly waitUntilAvailable?: boolean;
  /** Gives up the wait. */
  readonly signal?: AbortSignal;
}

export type StreamPriority = 'high' | 'default' | 'low';

/** How to end a session. */
export interface CloseOptions {
  /** The error code that the peer sees; 0, the default, is no error. */
  readonly code?: number | bigint;
  /** Whose code it is: the application protocol's (default) or the transport's. RFC 9000 §20. */
  readonly type?: 'application' | 'transport';
  /** One line for people. */
  readonly reason?: string;
}

/** A wait that can be given up. */
export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Called with each session whose handshake is complete. */
export type OnSession = (session: QuicSession) => void;
