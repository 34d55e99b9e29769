import type { Address } from '../base/address.ts';
import type { ReceiveBatch, TransmitBatch } from '../base/batch.ts';
import { BASE_DATAGRAM_SIZE } from '../base/datagram-size.ts';
import { TransportErrorCode } from '../base/errors.ts';
import { type Random, randomBytes } from '../base/random.ts';
import type { Millis } from '../base/time.ts';
import { Connection } from '../connection/connection.ts';
import { LOCAL_ID_LENGTH } from '../connection/local-connection-ids.ts';
import type { ConnectionOptions } from '../connection/options.ts';
import type { CryptoEngine } from '../crypto/engine.ts';
import { TokenSealer } from '../crypto/token.ts';
import type { TlsSession } from '../tls/session.ts';
import { PacketType } from '../wire/frame-type.ts';
import { Header, readHeader } from '../wire/header.ts';
import { Admission, type RetryPolicy } from './admission.ts';
import { EndpointCounters } from './counters.ts';
import { isAuthentic } from './first-packet.ts';
import { DEFAULT_LIMITS, type EndpointLimits } from './limits.ts';
import { refusalPacket } from './refusal.ts';
import { Router } from './router.ts';
import { MIN_RESET, RESET_LENGTH, StatelessAnswers } from './stateless.ts';

/** RFC 9000 §7.2: the ID a client chooses for its first Initial is at least this long. */
const MIN_INITIAL_ID = 8;

/** Makes the TLS session of a connection around its encoded transport parameters. */
export type TlsFactory = (transportParameters: Uint8Array) => TlsSession;

export interface ClientConnectionOptions extends ConnectionOptions {
  readonly createTls: TlsFactory;
  /** From an earlier connection's NEW_TOKEN; saves the server the trouble of a Retry. */
  readonly token?: Uint8Array;
}

export interface ServerConnectionOptions extends ConnectionOptions {
  readonly createTls: TlsFactory;
  /** When to ask clients to show that their address is real before any state is kept. */
  readonly retry: RetryPolicy;
}

export interface EndpointParts {
  readonly random: Random;
  readonly engine: CryptoEngine;
  readonly local: Address;
  readonly ecnCapable: boolean;
  /** The largest UDP payload that the datapath can send, in bytes. */
  readonly maxDatagramSize: number;
  /** The MTU of the interface that leads to an address, where that is known. */
  interfaceMtu(remote: Address): number | undefined;
  /** How long the process has been idle, where the runtime can tell. */
  readonly idleTime?: (() => Millis) | undefined;
  /** How much strangers may ask. Default: DEFAULT_LIMITS. */
  readonly limits?: EndpointLimits | undefined;
  /** Where to count. Default: counters of its own. */
  readonly counters?: EndpointCounters | undefined;
  /** A client's first Initial made this connection. */
  onConnection(connection: Connection): void;
}

/** Routes datagrams to connections by connection ID, and makes connections. One UDP socket's worth; does no I/O. */
export class Endpoint {
  readonly #parts: EndpointParts;
  readonly #router: Router;
  readonly #answers: StatelessAnswers;
  readonly #tokens: TokenSealer;
  readonly #admission: Admission;
  readonly #counters: EndpointCounters;
  readonly #header = new Header();
  #server: ServerConnectionOptions | undefined;
  /** The ID that each server connection's first Initial came to. */
  readonly #initialIds = new Map<Connection, Uint8Array>();

  constructor(parts: EndpointParts) {
    this.#parts = parts;
    this.#router = new Router(parts.random, randomBytes(parts.random, 32));
    this.#counters = parts.counters ?? new EndpointCounters();
    const limits = parts.limits ?? DEFAULT_LIMITS;
    this.#answers = new StatelessAnswers(parts.random, limits, this.#counters);
    this.#tokens = new TokenSealer(randomBytes(parts.random, 32), parts.random);
    this.#admission = new Admission(this.#tokens, limits);
  }

  /** Accepts connections from now on; undefined stops that. */
  listen(options: ServerConnectionOptions | undefined): void {
    this.#server = options;
  }

  /** Starts a client connection. */
  connect(now: Millis, remote: Address, options: ClientConnectionOptions): Connection {
    const { random, engine, local, ecnCapable, maxDatagramSize, interfaceMtu, idleTime } = this.#parts;
    const localId = this.#router.create();
    const remoteId = randomBytes(random, MIN_INITIAL_ID);
    const connection: Connection = new Connection({
      now,
      isServer: false,
      version: options.versions[0]!,
      options,
      local,
      remote,
      random,
      engine,
      issuer: this.#router.issuer(() => connection),
      localId,
      originalDestinationId: remoteId,
      remoteId,
      addressValidated: true,
      ecnCapable,
      maxDatagramSize,
      interfaceMtu,
      idleTime,
      createTls: options.createTls,
      ...(options.token === undefined ? {} : { token: options.token }),
    });
    this.#router.assign(localId.id, connection);
    return connection;
  }

  /** Takes a batch; `touched` hears of every connection that something was for. */
  handleDatagrams(now: Millis, batch: ReceiveBatch, touched: (connection: Connection) => void): void {
    this.#count(batch);
    let i = 0;
    while (i < batch.count) {
      const connection = this.#route(now, batch, i);
      let next = i + 1;
      if (connection !== undefined) {
        while (next < batch.count && sameShortId(batch, i, next)) next++;
        connection.handleDatagrams(now, batch, i, next);
        touched(connection);
      }
      i = next;
    }
  }

  #count(batch: ReceiveBatch): void {
    let bytes = 0;
    for (let i = 0; i < batch.count; i++) bytes += batch.length[i]!;
    this.#counters.bytesReceived += bytes;
    this.#counters.packetsReceived += batch.count;
  }

  /** Fills `out` with an answer that belongs to no connection; false when there is none. */
  pollStateless(out: TransmitBatch): boolean {
    return this.#answers.poll(out);
  }

  /** A connection is over. */
  forget(connection: Connection): void {
    const id = this.#initialIds.get(connection);
    if (id === undefined) return;
    this.#router.removeInitialId(id);
    this.#initialIds.delete(connection);
    this.#admission.onForgotten(connection);
  }

  #route(now: Millis, batch: ReceiveBatch, i: number): Connection | undefined {
    const bytes = batch.arena.bytes;
    const start = batch.start[i]!;
    const length = batch.length[i]!;
    if (length === 0) return undefined;
    if ((bytes[start]! & 0x80) === 0) {
      if (length < 1 + LOCAL_ID_LENGTH) return undefined;
      const connection = this.#router.byLocalId(bytes, start + 1);
      return connection ?? this.#routeReset(now, batch, i);
    }
    const header = this.#header;
    if (!readHeader(bytes, start, start + length, LOCAL_ID_LENGTH, header)) return this.#byReset(batch, i);
    const known = header.dcidLength === LOCAL_ID_LENGTH ? this.#router.byLocalId(bytes, header.dcidStart) : undefined;
    if (known !== undefined) return known;
    return this.#routeInitial(now, batch, i);
  }

  /** A long header with a connection ID that was not issued here: a client's first packets. */
  #routeInitial(now: Millis, batch: ReceiveBatch, i: number): Connection | undefined {
    const header = this.#header;
    const bytes = batch.arena.bytes;
    const source = batch.source[i]!;
    const id = bytes.slice(header.dcidStart, header.dcidStart + header.dcidLength);
    // RFC 9000 §10.3: a stateless reset of another version may have a long header.
    const known = this.#router.byInitialId(id) ?? this.#byReset(batch, i);
    if (known !== undefined) return known;
    const server = this.#server;
    if (server === undefined || batch.length[i]! < BASE_DATAGRAM_SIZE) return undefined;
    if (!header.known || !server.versions.includes(header.version)) {
      if (header.version !== 0 && this.#answers.allows(now, 'versionNegotiation')) {
        this.#answers.versionNegotiation(now, source, bytes, header, server.versions);
      }
      return undefined;
    }
    if (header.type !== PacketType.INITIAL || header.dcidLength < MIN_INITIAL_ID) return undefined;
    return this.#accept(now, source, bytes, id, server);
  }

  #accept(
    now: Millis,
    source: Address,
    bytes: Uint8Array,
    id: Uint8Array,
    server: ServerConnectionOptions,
  ): Connection | undefined {
    const header = this.#header;
    const clientId = bytes.slice(header.scidStart, header.scidStart + header.scidLength);
    const token = bytes.subarray(header.tokenStart, header.tokenStart + header.tokenLength);
    const decision = this.#admission.decide(now, source, id, token, server.retry);
    switch (decision.type) {
      case 'refuse':
        if (decision.code === TransportErrorCode.CONNECTION_REFUSED) this.#counters.serverBusyCount++;
        this.#refuse(now, source, bytes, clientId, id, decision.code);
        return undefined;
      case 'retry': {
        if (!this.#answers.allows(now, 'retry')) return undefined;
        const retryId = randomBytes(this.#parts.random, LOCAL_ID_LENGTH);
        const retryToken = this.#admission.retryToken(now, source, id, retryId);
        this.#answers.retry(now, source, header.version, clientId, retryId, id, retryToken);
        return undefined;
      }
      case 'accept':
        // Nothing is remembered for a packet that noise has changed: the next one would not fit what it said.
        if (!isAuthentic(this.#parts.engine, bytes, header)) return undefined;
        if (!this.#admission.mayCreate(now, source)) {
          this.#counters.sessionCreationRateLimited++;
          return undefined;
        }
        return this.#create(now, source, clientId, id, decision.originalId, decision.validated, server);
    }
  }

  /** Answers only what is a real first packet, so that noise makes no work. */
  #refuse(now: Millis, source: Address, bytes: Uint8Array, clientId: Uint8Array, id: Uint8Array, code: number): void {
    const { engine, random } = this.#parts;
    const header = this.#header;
    if (!this.#answers.allows(now, 'immediateClose') || !isAuthentic(engine, bytes, header)) return;
    const serverId = randomBytes(random, LOCAL_ID_LENGTH);
    this.#answers.refusal(now, source, refusalPacket(engine, header.version, clientId, serverId, id, code));
  }

  #create(
    now: Millis,
    remote: Address,
    clientId: Uint8Array,
    id: Uint8Array,
    originalId: Uint8Array | undefined,
    addressValidated: boolean,
    server: ServerConnectionOptions,
  ): Connection {
    const { random, engine, local, ecnCapable, maxDatagramSize, interfaceMtu, idleTime, onConnection } = this.#parts;
    const localId = this.#router.create();
    const connection: Connection = new Connection({
      now,
      isServer: true,
      version: this.#header.version,
      options: server,
      local,
      remote,
      random,
      engine,
      issuer: this.#router.issuer(() => connection),
      localId,
      originalDestinationId: originalId ?? id,
      remoteId: clientId,
      addressValidated,
      newToken: this.#admission.newToken(now, remote),
      ecnCapable,
      maxDatagramSize,
      interfaceMtu,
      idleTime,
      createTls: server.createTls,
      ...(originalId === undefined ? {} : { retryId: id }),
    });
    this.#router.assign(localId.id, connection);
    this.#router.addInitialId(id, connection);
    this.#initialIds.set(connection, id);
    this.#admission.onAccepted(connection, remote);
    onConnection(connection);
    return connection;
  }

  /** The connection that datagram `i`, of no known connection ID, is a stateless reset of. RFC 9000 §10.3.1. */
  #byReset(batch: ReceiveBatch, i: number): Connection | undefined {
    const length = batch.length[i]!;
    return length < MIN_RESET ? undefined : this.#router.byResetToken(batch.arena.bytes, batch.start[i]! + length);
  }

  /** What looks like a short header with an unknown connection ID: a stateless reset, or what deserves one. RFC 9000 §10.3. */
  #routeReset(now: Millis, batch: ReceiveBatch, i: number): Connection | undefined {
    const start = batch.start[i]!;
    const length = batch.length[i]!;
    const bytes = batch.arena.bytes;
    const connection = this.#byReset(batch, i);
    if (connection !== undefined || length <= RESET_LENGTH) return connection;
    if (!this.#answers.allows(now, 'statelessReset')) return undefined;
    const id = bytes.slice(start + 1, start + 1 + LOCAL_ID_LENGTH);
    this.#answers.reset(now, batch.source[i]!, this.#router.resetToken(id));
    return undefined;
  }
}

/** Whether datagram `j` starts with a short header to the same connection ID as datagram `i`. */
function sameShortId(batch: ReceiveBatch, i: number, j: number): boolean {
  const bytes = batch.arena.bytes;
  const a = batch.start[i]!;
  const b = batch.start[j]!;
  if (((bytes[a]! | bytes[b]!) & 0x80) !== 0 || batch.length[j]! < 1 + LOCAL_ID_LENGTH) return false;
  for (let k = 1; k <= LOCAL_ID_LENGTH; k++) if (bytes[a + k] !== bytes[b + k]) return false;
  return true;
}
