import { type Address, sameAddress } from '../base/address.ts';
import type { Millis } from '../base/time.ts';
import type { Connection } from '../connection/connection.ts';
import type { Datapath } from '../driver/datapath.ts';
import { Driver } from '../driver/driver.ts';
import { EndpointCounters, type EndpointCounts } from '../endpoint/counters.ts';
import type { EndpointLimits } from '../endpoint/limits.ts';
import type { Verifier } from '../tls/certificates/verifier.ts';
import { loadJudgement } from '../tls/certificates/verifier.ts';
import { type HostAndPort, parseAddress } from './address.ts';
import { endpointLimits, limitOf } from './endpoint-limits.ts';
import { QuicError } from './errors.ts';
import type { EndpointHost, ResolvedHost } from './host.ts';
import { Deferred, deliver, make, onAbort, open, serve, worldOf } from './internal.ts';
import { nodeHost } from './node-host.ts';
import { assertOptions } from './option-names.ts';
import type {
  ConnectOptions,
  EndpointOptions,
  ListenOptions,
  OnSession,
  SessionOptions,
  WaitOptions,
} from './options.ts';
import { QuicSession } from './session.ts';
import { clientSettings, serverSettings } from './settings.ts';
import { assertZone, unreachable } from './unreachable.ts';

/** Counts of one endpoint. */
export interface EndpointStats extends EndpointCounts {
  /** Sessions that this endpoint started. */
  readonly clientSessions: number;
  /** Connections that clients started, failed handshakes included. */
  readonly serverSessions: number;
  /** Handshakes that failed, on either side. */
  readonly failedHandshakes: number;
}

/** Milliseconds for which a refusal explains a silence: longer than probes are apart at last. */
const REFUSAL_LASTS: Millis = 10_000;

/** What `listen` set up. */
interface Listening {
  readonly onsession: OnSession;
  readonly options: ListenOptions;
  readonly verifier: Verifier;
}

/** A UDP socket and the QUIC sessions on it: a server's, a client's, or both. Bound by its first `listen` or `connect`. */
export class QuicEndpoint implements AsyncDisposable {
  /** Fulfilled when the endpoint is closed; rejects with what `destroy` was given, or the socket's error. */
  readonly closed: Promise<void>;
  readonly #options: EndpointOptions;
  readonly #host: EndpointHost;
  readonly #closed = new Deferred<void>();
  /** By connection, until all state of the connection is gone. */
  readonly #sessions = new Map<Connection, QuicSession>();
  /** A client's that are being opened. While there are some, what ICMP says is heeded. */
  readonly #opening = new Set<QuicSession>();
  /** The last datagram that was refused. */
  #refusal: { readonly to: Address; readonly cause: Error; readonly at: Millis } | undefined;
  #driver: Driver | undefined;
  #datapath: Datapath | undefined;
  #binding: Promise<Driver> | undefined;
  #listening: Listening | undefined;
  readonly #limits: EndpointLimits;
  readonly #counters = new EndpointCounters();
  #state: 'open' | 'closing' | 'destroyed' = 'open';
  #clientSessions = 0;
  #serverSessions = 0;
  #failedHandshakes = 0;
  /** Whether the socket holds the process open. */
  #isReferenced = true;

  /** @throws QuicError ERR_QUIC_INVALID_ARGUMENT for an option that there is not, and a limit that makes no sense. */
  constructor(options: EndpointOptions = {}) {
    assertOptions('endpoint', options);
    this.#options = options;
    this.#limits = endpointLimits(options);
    this.#host = options.host ?? nodeHost();
    this.closed = this.#closed.promise;
  }

  /** Where the socket is bound; undefined before the first `listen` or `connect`. */
  get address(): Address | undefined {
    return this.#datapath?.local;
  }

  get listening(): boolean {
    return this.#listening !== undefined && this.#state === 'open';
  }

  get closing(): boolean {
    return this.#state === 'closing';
  }

  get destroyed(): boolean {
    return this.#state === 'destroyed';
  }

  /** The sessions whose state is not gone yet. */
  get sessions(): Iterable<QuicSession> {
    return this.#sessions.values();
  }

  /** Whether new sessions of clients are refused for now, with CONNECTION_REFUSED. */
  get busy(): boolean {
    return this.#limits.busy;
  }

  set busy(busy: boolean) {
    this.#limits.busy = busy;
  }

  /** See EndpointOptions. Those that are open already stay. Setting it throws ERR_QUIC_INVALID_ARGUMENT for no integer from 0 on. */
  get maxConnectionsTotal(): number {
    return this.#limits.maxConnectionsTotal;
  }

  set maxConnectionsTotal(count: number) {
    this.#limits.maxConnectionsTotal = limitOf('maxConnectionsTotal', count);
  }

  /** As `maxConnectionsTotal`, for each remote address. */
  get maxConnectionsPerHost(): number {
    return this.#limits.maxConnectionsPerHost;
  }

  set maxConnectionsPerHost(count: number) {
    this.#limits.maxConnectionsPerHost = limitOf('maxConnectionsPerHost', count);
  }

  get stats(): EndpointStats {
    return {
      ...this.#counters,
      clientSessions: this.#clientSessions,
      serverSessions: this.#serverSessions,
      failedHandshakes: this.#failedHandshakes,
    };
  }

  /** `connect` resolves names with it and times attempts on its clock. @internal */
  get [worldOf](): EndpointHost {
    return this.#host;
  }

  /**
   * Starts a session to one address of the host that was asked for, and resolves when its handshake is complete.
   * @throws QuicError of the handshake, or ERR_QUIC_SOCKET when the socket cannot be bound; the signal's reason.
   * @internal
   */
  async [open](
    remote: ResolvedHost,
    asked: HostAndPort,
    options: ConnectOptions,
    signal?: AbortSignal,
  ): Promise<QuicSession> {
    const settings = clientSettings(options, asked.host, this.#host);
    const driver = await this.#bind(remote.family);
    if (settings.judgesChains) await loadJudgement();
    signal?.throwIfAborted();
    this.#assertOpen();
    const address = this.#addressOf(remote, asked.port);
    const connection = driver.connect(address, settings.connection);
    this.#clientSessions++;
    const session = this.#adopt(connection, options, settings.verifier, settings.serverName);
    const onAbort = () => session.destroy(signal!.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#opening.add(session);
    this.#datapath!.heedIcmp(true);
    try {
      await session.opened;
    } catch (error) {
      this.#failedHandshakes++;
      throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#opening.delete(session);
      if (this.#opening.size === 0) this.#datapath!.heedIcmp(false);
    }
    return session;
  }

  /** @throws QuicError ERR_QUIC_UNREACHABLE when there is no interface of its zone's name, or it lacks a zone. */
  #addressOf({ family, host }: ResolvedHost, port: number): Address {
    assertZone(host, port);
    try {
      return this.#datapath!.address(family, host, port);
    } catch (cause) {
      throw unreachable(cause as Error, { family, host, port });
    }
  }

  /** Accepts sessions from now on. One `listen` an endpoint. @internal */
  async [serve](onsession: OnSession, options: ListenOptions): Promise<void> {
    if (this.#listening !== undefined)
      throw new QuicError('ERR_QUIC_INVALID_ARGUMENT', 'the endpoint is listening already');
    const settings = serverSettings(options, this.#options, this.#host);
    this.#listening = { onsession, options, verifier: settings.verifier };
    const { signal } = options;
    try {
      const driver = await this.#bind(undefined);
      if (settings.judgesChains) await loadJudgement();
      if (signal?.aborted) this.destroy(signal.reason);
      signal?.throwIfAborted();
      this.#assertOpen();
      driver.listen(settings.connection);
    } catch (error) {
      this.#listening = undefined;
      throw error;
    }
    onAbort(signal, this.closed, (reason) => this.destroy(reason));
  }

  /**
   * Takes no new sessions, lets the open ones end, then closes the socket. Resolves when that is done. A peer can keep a session open for as
   * long as it likes: when the signal aborts, all are ended at once.
   */
  close({ signal }: WaitOptions = {}): Promise<void> {
    onAbort(signal, this.closed, () => this.destroy());
    if (this.#state !== 'open') return this.closed;
    this.#state = 'closing';
    this.#driver?.listen(undefined);
    if (this.#sessions.size === 0) void this.#shutDown(undefined);
    return this.closed;
  }

  /** Ends all sessions and closes the socket now. With an error, `closed` and the sessions' `closed` reject with it. */
  destroy(error?: unknown): void {
    if (this.#state === 'destroyed') return;
    for (const session of this.#sessions.values()) session.destroy(error);
    // The CONNECTION_CLOSEs leave at the end of this tick.
    this.#state = 'destroyed';
    this.#host.runtime.defer(() => void this.#shutDown(error));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Lets the endpoint keep the process alive, as it does at first. */
  ref(): this {
    this.#isReferenced = true;
    this.#datapath?.ref();
    return this;
  }

  /** Lets the process end while the endpoint is open. */
  unref(): this {
    this.#isReferenced = false;
    this.#datapath?.unref();
    return this;
  }

  #bind(family: 4 | 6 | undefined): Promise<Driver> {
    this.#assertOpen();
    this.#binding ??= this.#bindNow(family);
    return this.#binding;
  }

  /** It may have ended during any wait. */
  #assertOpen(): void {
    if (this.#state !== 'open') throw new QuicError('ERR_QUIC_ENDPOINT_CLOSED', 'the endpoint is closed');
  }

  async #bindNow(family: 4 | 6 | undefined): Promise<Driver> {
    const { address } = this.#options;
    const { host, port } =
      address === undefined ? { host: family === 4 ? '0.0.0.0' : '::', port: 0 } : parseAddress(address);
    try {
      const where = (await this.#host.resolve(host))[0]!;
      this.#datapath = await this.#host.bind(where.host, port, family === undefined);
    } catch (cause) {
      // The next one may find the port free.
      this.#binding = undefined;
      throw socketError(cause, host, port);
    }
    if (!this.#isReferenced) this.#datapath.unref();
    const { runtime, random, engine } = this.#host;
    const { local } = this.#datapath;
    const interfaceMtu = (remote: Address) => this.#host.interfaceMtu(local, remote);
    const driver = new Driver({
      datapath: this.#datapath,
      runtime,
      random,
      engine,
      interfaceMtu,
      limits: this.#limits,
      counters: this.#counters,
    });
    driver.onConnection = (connection) => this.#onConnection(connection);
    driver.onEvents = (connection) => this.#onEvents(connection);
    driver.onError = (error) => this.#onSocketError(error);
    driver.onUnreachable = (to, error) => this.#onUnreachable(to, error);
    this.#driver = driver;
    return driver;
  }

  #adopt(
    connection: Connection,
    options: SessionOptions,
    verifier: Verifier,
    serverName: string | undefined,
  ): QuicSession {
    const driver = this.#driver!;
    const session: QuicSession = QuicSession[make]({
      endpoint: this,
      connection,
      host: this.#host,
      options,
      verifier,
      serverName,
      wake: (woken) => driver.wake(woken),
      onEstablished: (established) => this.#onEstablished(established),
      refusal: () => this.#refusalOf(connection),
      onGone: () => this.#onGone(connection),
    });
    this.#sessions.set(connection, session);
    return session;
  }

  /** Why datagrams to its peer were refused, if they were until now. */
  #refusalOf({ remoteAddress }: Connection): Error | undefined {
    const last = this.#refusal;
    const isRecent = last !== undefined && this.#host.runtime.now() - last.at < REFUSAL_LASTS;
    return isRecent && sameAddress(last.to, remoteAddress) ? last.cause : undefined;
  }

  #onConnection(connection: Connection): void {
    const { options, verifier } = this.#listening!;
    this.#serverSessions++;
    const session = this.#adopt(connection, options, verifier, undefined);
    session.opened.catch((error) => {
      this.#failedHandshakes++;
      options.onhandshakeerror?.(error, connection.remoteAddress);
    });
  }

  /** Clients hear of their session from `connect`; a server's application now. */
  #onEstablished(session: QuicSession): unknown {
    return session.isServer ? this.#listening!.onsession(session) : undefined;
  }

  #onEvents(connection: Connection): void {
    const session = this.#sessions.get(connection);
    for (let event = connection.pollEvent(); event !== undefined; event = connection.pollEvent())
      session?.[deliver](event);
  }

  #onGone(connection: Connection): void {
    this.#sessions.delete(connection);
    if (this.#state === 'closing' && this.#sessions.size === 0) void this.#shutDown(undefined);
  }

  /**
   * Ends the attempts to connect to an address that datagrams don't get to. Only as long as nothing has come from there: what lives
   * tolerates it as loss, and ICMP can be forged.
   */
  #onUnreachable(to: Address, cause: Error): void {
    this.#refusal = { to, cause, at: this.#host.runtime.now() };
    for (const session of this.#opening) {
      if (!sameAddress(session.remoteAddress, to) || session.stats.packetsReceived > 0) continue;
      // It may be told in the midst of sending.
      this.#host.runtime.defer(() => session.destroy(unreachable(cause, to)));
    }
  }

  #onSocketError(cause: Error): void {
    const { local } = this.#datapath!;
    this.destroy(socketError(cause, local.host, local.port));
  }

  async #shutDown(error: unknown): Promise<void> {
    this.#state = 'destroyed';
    try {
      // A bind under way finishes first, so that no socket outlives its endpoint.
      await this.#binding?.catch(() => undefined);
      await this.#driver?.close();
    } catch (failure) {
      error ??= failure;
    }
    if (error === undefined) this.#closed.resolve();
    else this.#closed.reject(error);
  }
}

/** An endpoint that is bound, which it stays as long as there is one: what `listen` gives. */
export interface ListeningEndpoint extends QuicEndpoint {
  readonly address: Address;
}

function socketError(cause: unknown, host: string, port: number): QuicError {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  const where = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const explanations: Record<string, string> = {
    EADDRINUSE: `${where} is taken by another program: choose another port`,
    EACCES: `no permission to bind ${where}: ports below 1024 may need a privilege`,
    EADDRNOTAVAIL: `${host} is not an address of this machine`,
    ENOTFOUND: `no address found for ${host}: is the name right?`,
  };
  const message = cause instanceof Error ? cause.message : String(cause);
  return new QuicError('ERR_QUIC_SOCKET', explanations[code ?? ''] ?? `the socket of ${where} failed: ${message}`, {
    cause,
  });
}
