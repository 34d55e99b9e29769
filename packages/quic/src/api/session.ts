import type { Address } from '../base/address.ts';
import { TransportErrorCode } from '../base/errors.ts';
import type { Millis } from '../base/time.ts';
import type { Connection } from '../connection/connection.ts';
import type { ConnectionStats } from '../connection/counters.ts';
import type { CloseInfo, ConnectionEvent } from '../connection/events.ts';
import type { Timer } from '../driver/runtime.ts';
import type { CongestionControllerFactory } from '../recovery/congestion/controller.ts';
import type { HandshakeSummary } from '../tls/session.ts';
import type { TransportParameters } from '../wire/transport-parameters.ts';
import { type CongestionName, congestionOf } from './congestion.ts';
import { DEFAULT_BUDGET } from './constants.ts';
import { DatagramBacklog, noDatagrams } from './datagram-backlog.ts';
import type { QuicEndpoint } from './endpoint.ts';
import { closeError, codeOf, isCleanClose, QuicError, wireCode } from './errors.ts';
import { Deferred, deliver, make, onAbort, type StreamOwner, sessionEnded, Waiters } from './internal.ts';
import { observationOf, type SessionObservation } from './observation.ts';
import { assertOptions } from './option-names.ts';
import type { BodyChunk, CloseOptions, SessionInfo, StreamOptions, WaitOptions } from './options.ts';
import type { SessionParts } from './session-parts.ts';
import { QuicStream } from './stream.ts';
import { toBytes } from './writer.ts';

/** One QUIC connection, on either side. Made by `connect` and `listen`. */
export class QuicSession implements AsyncDisposable {
  /** Fulfilled when the handshake is complete; rejects with the QuicError that ended it. */
  readonly opened: Promise<SessionInfo>;
  /**
   * Fulfilled when the session has ended with code 0 from either side, and the CONNECTION_CLOSE is on its way. Rejects with a
   * QuicError (or what `destroy` was given) otherwise. Streams that arrived whole can still be read.
   */
  readonly closed: Promise<void>;
  readonly endpoint: QuicEndpoint;
  /** Whether this side accepted the connection. */
  readonly isServer: boolean;
  /** Called with the error that `closed` rejects with. */
  onerror: ((error: unknown) => void) | undefined;
  onhandshake: ((info: SessionInfo) => void) | undefined;
  /** Secrets in NSS format, a line with its newline at a time; needs `keylog: true`. */
  onkeylog: ((line: string) => void) | undefined;
  /** qlog records (JSON-SEQ), whole ones; `fin` with the last. Needs `qlog: true`. */
  onqlog: ((text: string, fin: boolean) => void) | undefined;
  /** A token that lets a later connection skip address validation (RFC 9000 §8.1.3). */
  onnewtoken: ((token: Uint8Array) => void) | undefined;
  /** The peer is at another address from now on, and has proved it (RFC 9000 §8.2). */
  onpathvalidation: ((result: 'success', local: Address, remote: Address) => void) | undefined;

  readonly #parts: SessionParts;
  readonly #connection: Connection;
  readonly #opened = new Deferred<SessionInfo>();
  readonly #closed = new Deferred<void>();
  /** Open streams by ID. */
  readonly #streams = new Map<number, QuicStream>();
  /** Waits for stream credit: unidirectional, bidirectional. */
  readonly #credit = [new Waiters<void>(), new Waiters<void>()] as const;
  #onstream: ((stream: QuicStream) => void) | undefined;
  #ondatagram: ((bytes: Uint8Array) => void) | undefined;
  /** Streams that came before `onstream` was set. */
  #unclaimedStreams: QuicStream[] = [];
  readonly #unclaimedDatagrams = new DatagramBacklog();
  #datagramsSent = 0;
  /** Set by `close`: no new streams; the connection ends with the last open one. */
  #closing: CloseOptions | undefined;
  /** Why the session ended, a QuicError or what `destroy` was given; undefined while it lives. */
  #endError: unknown;
  #finalStats: ConnectionStats | undefined;
  readonly #observation: SessionObservation;

  private constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#connection = parts.connection;
    this.endpoint = parts.endpoint;
    this.isServer = parts.connection.isServer;
    this.opened = this.#opened.promise;
    this.closed = this.#closed.promise;
    const { options } = parts;
    this.#onstream = options.onstream;
    this.#ondatagram = options.ondatagram;
    this.onerror = options.onerror;
    this.onhandshake = options.onhandshake;
    this.onkeylog = options.onkeylog;
    this.onnewtoken = options.onnewtoken;
    this.onqlog = options.onqlog;
    this.#observation = observationOf(options, parts.host, (text, fin) => this.onqlog?.(text, fin));
    this.#connection.observe = this.#observation.observer;
  }

  /** Made by QuicEndpoint only. @internal */
  static [make](parts: SessionParts): QuicSession {
    return new QuicSession(parts);
  }

  /**
   * Called with each stream that the peer opens, those included that it has reset by then: reading them throws. Streams that came
   * before it was set wait for it, and count as open: there are never more than the transport parameters allow at once.
   */
  get onstream(): ((stream: QuicStream) => void) | undefined {
    return this.#onstream;
  }

  set onstream(callback: ((stream: QuicStream) => void) | undefined) {
    this.#onstream = callback;
    if (callback === undefined) return;
    const waiting = this.#unclaimedStreams;
    this.#unclaimedStreams = [];
    for (const stream of waiting) this.#handOver(stream, callback);
    // The peer may open others in their place.
    if (waiting.length > 0) this.#wake();
  }

  /**
   * Called with each datagram (RFC 9221). They only come if the session's options had an `ondatagram` or a `maxDatagramFrameSize`: then
   * up to 64 KiB that came before this was set wait for it, the oldest go first.
   * Setting it throws ERR_QUIC_INVALID_ARGUMENT where the peer has been told that none are taken.
   */
  get ondatagram(): ((bytes: Uint8Array) => void) | undefined {
    return this.#ondatagram;
  }

  set ondatagram(callback: ((bytes: Uint8Array) => void) | undefined) {
    if (callback !== undefined && this.#connection.options.transport.maxDatagramFrameSize === 0) throw noDatagrams();
    this.#ondatagram = callback;
    if (callback === undefined) return;
    for (const bytes of this.#unclaimedDatagrams.take()) this.#call(callback, bytes);
  }

  /** Whether `close` has been called and the session still lives. */
  get closing(): boolean {
    return this.#closing !== undefined && this.#endError === undefined;
  }

  /** Whether the session has ended. */
  get destroyed(): boolean {
    return this.#endError !== undefined;
  }

  get localAddress(): Address {
    return this.endpoint.address!;
  }

  /** Where the peer is now; it may move (RFC 9000 §9). */
  get remoteAddress(): Address {
    return this.#connection.remoteAddress;
  }

  /** Both addresses, in the shape of node:quic. */
  get path(): { local: Address; remote: Address } {
    return { local: this.localAddress, remote: this.remoteAddress };
  }

  /** What the peer announced, RFC 9000 §18.2; undefined before it has. */
  get remoteTransportParams(): TransportParameters | undefined {
    return this.#connection.peerParameters;
  }

  /** Counters and estimates: bytes, packets, milliseconds. The last ones once the session has ended. */
  get stats(): ConnectionStats {
    return this.#finalStats ?? this.#connection.stats(this.now());
  }

  /** The session's clock, in milliseconds: what the times in `stats` are on. */
  now(): number {
    return this.#parts.host.runtime.now();
  }

  /**
   * Calls back once, at or soon after this time of the session's clock, unless the returned timer is cancelled. It doesn't keep
   * the process alive, and outlives the session.
   */
  setTimer(at: Millis, callback: () => void): Timer {
    return this.#parts.host.runtime.setTimer(at, callback);
  }

  /**
   * Goes on with a new congestion controller, which starts from the initial window whatever the present one has learned.
   * @throws QuicError ERR_QUIC_INVALID_ARGUMENT for a name that is not known.
   */
  setCongestionController(cc: CongestionName | CongestionControllerFactory): void {
    const factory = congestionOf(cc);
    if (this.destroyed) return;
    this.#connection.setCongestion(this.now(), factory);
    this.#wake();
  }

  /** The largest datagram that `sendDatagram` takes, in bytes; 0 when the peer takes none. */
  get maxDatagramLength(): number {
    return this.#connection.maxDatagramLength;
  }

  /**
   * Lets the peer be `bytes` ahead of what is read, over all streams together, from now on; up to `maxConnectionWindow`. A server can start
   * with a small `initialMaxData` for strangers, and give more once it knows whom it has.
   */
  growReceiveWindow(bytes: number): void {
    if (!this.destroyed) this.#connection.streams.growWindow(bytes);
    this.#wake();
  }

  /** Lets that window grow to no more than `bytes`; what it is already stays. For a server whose clients share its memory. */
  limitReceiveWindow(bytes: number): void {
    if (!this.destroyed) this.#connection.streams.limitWindow(bytes);
  }

  /** The streams that are open. */
  get streams(): Iterable<QuicStream> {
    return this.#streams.values();
  }

  /**
   * Opens a stream that both sides send on. Waits until the peer allows one.
   * @throws QuicError ERR_QUIC_STREAM_LIMIT with `waitUntilAvailable: false`; the session's error; the signal's reason.
   */
  createBidirectionalStream(options: StreamOptions = {}): Promise<QuicStream> {
    return this.#createStream(true, options);
  }

  /** Opens a stream that only this side sends on. Otherwise as `createBidirectionalStream`. */
  createUnidirectionalStream(options: StreamOptions = {}): Promise<QuicStream> {
    return this.#createStream(false, options);
  }

  /**
   * Sends a copy of the bytes as a datagram, once (RFC 9221). Resolves to its number, or to 0n when it was dropped: too
   * large, not wanted by the peer, or too much queued.
   */
  async sendDatagram(data: BodyChunk | Promise<BodyChunk>): Promise<bigint> {
    const bytes = toBytes(await data).slice();
    if (this.destroyed || !this.#connection.sendDatagram(bytes)) return 0n;
    this.#wake();
    return BigInt(++this.#datagramsSent);
  }

  /** Starts to use new packet keys (RFC 9001 §6). False when the previous update is not confirmed yet. */
  updateKey(): boolean {
    const updated = !this.destroyed && this.#connection.updateKey(this.now());
    if (updated) this.#wake();
    return updated;
  }

  /**
   * Ends the session once its open streams are over; no new ones are opened or accepted. Resolves and rejects with `closed`. A peer can
   * keep a stream open for as long as it likes: when the signal aborts, the session ends at once, as by `destroy`.
   * @throws QuicError ERR_QUIC_INVALID_ARGUMENT for a code that cannot be sent.
   */
  close(options: CloseOptions & WaitOptions = {}): Promise<void> {
    assertOptions('close', options);
    wireCode(options.code ?? 0);
    if (!this.destroyed && this.#closing === undefined) this.#startClosing(options);
    onAbort(options.signal, this.closed, () => this.destroy(undefined, this.#closing));
    return this.closed;
  }

  #startClosing(options: CloseOptions): void {
    this.#closing = options;
    for (const stream of this.#unclaimedStreams.splice(0)) this.#decline(stream);
    for (const credit of this.#credit) credit.fail(new QuicError('ERR_QUIC_SESSION_CLOSED', 'the session is closing'));
    if (this.#streams.size === 0 || this.#connection.summary === undefined) this.#closeNow(options);
  }

  /** Ends the session at once, streams included. With an error, `closed` rejects with it. @throws as `close`. */
  destroy(error?: unknown, options: CloseOptions = {}): void {
    assertOptions('close', options);
    if (this.destroyed) return;
    const code = error instanceof QuicError && error.type === 'application' ? codeOf(error) : 0;
    this.#closeNow({ code, ...options }, error);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** One event of the connection. @internal */
  [deliver](event: ConnectionEvent): void {
    switch (event.type) {
      case 'stream_readable':
        this.#streams.get(event.id)?.[deliver]({ type: 'readable' });
        return;
      case 'stream_writable':
        this.#streams.get(event.id)?.[deliver]({ type: 'writable' });
        return;
      case 'stream_send_done':
        this.#streams.get(event.id)?.[deliver]({ type: 'send_done' });
        return;
      case 'stream_reset':
        this.#streams.get(event.id)?.[deliver]({ type: 'reset', code: event.code });
        return;
      case 'stream_stopped':
        this.#streams.get(event.id)?.[deliver]({ type: 'stopped', code: event.code });
        return;
      case 'stream_opened':
        this.#accept(event.id);
        return;
      case 'streams_available':
        this.#credit[event.bidirectional ? 1 : 0].settle();
        return;
      case 'datagram':
        this.#onDatagram(event.bytes);
        return;
      default:
        this.#deliverRare(event);
    }
  }

  #deliverRare(event: ConnectionEvent): void {
    switch (event.type) {
      case 'verify':
        void this.#verify(event.certificates, event.serverName);
        return;
      case 'keylog':
        this.#parts.host.keylog?.write(`${event.line}\n`);
        if (this.#parts.options.keylog === true) this.#call(this.onkeylog, `${event.line}\n`);
        return;
      case 'handshake_complete':
        this.#onHandshake(event.summary);
        return;
      case 'new_token':
        this.#call(this.onnewtoken, event.token);
        return;
      case 'path_validated':
        this.#callPathValidation(event.address);
        return;
      case 'closing':
        this.#end(event.info);
        return;
      case 'closed':
        this.#end(event.info);
        this.#finalStats = this.#connection.stats();
        this.#observation.finish();
        this.#parts.onGone(this);
    }
  }

  #onHandshake(summary: HandshakeSummary): void {
    const info: SessionInfo = {
      local: this.localAddress,
      remote: this.remoteAddress,
      servername: summary.serverName ?? '',
      protocol: summary.alpn ?? '',
      cipher: summary.suite.name,
      cipherVersion: 'TLSv1.3',
      group: summary.group,
      peerCertificates: summary.peerCertificates,
    };
    this.#opened.resolve(info);
    this.#call(this.#parts.onEstablished, this);
    this.#call(this.onhandshake, info);
  }

  async #verify(certificates: readonly Uint8Array[], serverName: string | undefined): Promise<void> {
    try {
      const verdict = this.#parts.verifier(certificates, this.#parts.serverName ?? serverName);
      // A verdict that is there at once must not cost a turn.
      const answer = verdict instanceof Promise ? await verdict : verdict;
      this.#connection.verdict(this.now(), answer);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#connection.verdict(this.now(), {
        ok: false,
        alert: 80,
        reason: `certificate verification failed: ${reason}`,
      });
    }
    this.#wake();
  }

  async #createStream(bidirectional: boolean, options: StreamOptions): Promise<QuicStream> {
    assertOptions('stream', options);
    options.signal?.throwIfAborted();
    const { streams } = this.#connection;
    for (;;) {
      if (this.#endError !== undefined) throw this.#endError;
      if (this.#closing !== undefined) throw new QuicError('ERR_QUIC_SESSION_CLOSED', 'the session is closing');
      const id = streams.open(bidirectional, this.now());
      this.#wake();
      if (id >= 0) return this.#startStream(id, options);
      if (options.waitUntilAvailable === false) {
        throw new QuicError('ERR_QUIC_STREAM_LIMIT', 'the peer allows no more streams now');
      }
      streams.opensWaiting++;
      try {
        await this.#credit[bidirectional ? 1 : 0].wait(options.signal);
      } finally {
        streams.opensWaiting--;
        this.#wake();
      }
    }
  }

  #startStream(id: number, options: StreamOptions): QuicStream {
    const stream = this.#addStream(id, true, options.budget);
    const { priority: level, incremental } = options;
    stream.setPriority({ ...(level && { level }), ...(incremental !== undefined && { incremental }) });
    if (options.body !== undefined) {
      // A body that fails has reset the stream, which `closed` and `onerror` tell.
      stream.setBody(options.body).catch((error) => stream.destroy(error));
    }
    return stream;
  }

  #addStream(id: number, isLocal: boolean, budget: number | undefined): QuicStream {
    const { streams } = this.#connection;
    const sender = streams.sender(id);
    if (sender !== undefined) sender.highWaterMark = Math.max(1, budget ?? DEFAULT_BUDGET);
    const stream = QuicStream[make](this, this.#owner, id, isLocal, sender, streams.receiver(id));
    this.#streams.set(id, stream);
    return stream;
  }

  #accept(id: number): void {
    // The application ended the session when it heard of another stream: nobody would ever tell this one that it is over.
    if (this.destroyed) return;
    const stream = this.#addStream(id, false, undefined);
    if (this.#closing !== undefined) this.#decline(stream);
    else if (this.#onstream === undefined) this.#unclaimedStreams.push(stream);
    else this.#handOver(stream, this.#onstream);
  }

  #handOver(stream: QuicStream, callback: (stream: QuicStream) => void): void {
    this.#connection.streams.accept(Number(stream.id));
    this.#call(callback, stream);
  }

  #decline(stream: QuicStream): void {
    this.#connection.streams.accept(Number(stream.id));
    stream.destroy();
  }

  #onDatagram(bytes: Uint8Array): void {
    if (this.#ondatagram === undefined) this.#unclaimedDatagrams.push(bytes);
    else this.#call(this.#ondatagram, bytes);
  }

  #callPathValidation(remote: Address): void {
    const callback = this.onpathvalidation;
    if (callback !== undefined) this.#call(() => callback('success', this.localAddress, remote), undefined);
  }

  /** What the streams see of this session. */
  readonly #owner: StreamOwner = {
    now: () => this.#parts.host.runtime.now(),
    wake: () => this.#wake(),
    forget: (id: number) => this.#forget(id),
    endError: () => this.#endError,
    tell: (callback, error) => this.#call(callback, error),
  };

  #forget(id: number): void {
    this.#streams.delete(id);
    if (this.#closing !== undefined && !this.destroyed && this.#streams.size === 0) this.#closeNow(this.#closing);
  }

  #wake(): void {
    if (this.#endError === undefined) this.#parts.wake(this.#connection);
  }

  #closeNow(options: CloseOptions, error?: unknown): void {
    const code = wireCode(options.code ?? 0);
    const application = options.type !== 'transport';
    const reason = options.reason ?? '';
    this.#connection.close(this.now(), application, code, reason);
    this.#wake();
    this.#end({ source: 'local', application, code, frameType: 0, reason }, error);
  }

  /** The session is over, for `info`'s reason or for the application's own `error`. */
  #end(info: CloseInfo, error?: unknown): void {
    if (this.#endError !== undefined) return;
    const end = error ?? closeError(info, this.#parts.refusal());
    this.#endError = end;
    this.#opened.reject(end);
    for (const credit of this.#credit) credit.fail(end);
    for (const stream of [...this.#streams.values()]) stream[sessionEnded](end);
    this.#connection.streams.forget();
    const failure = error ?? (isCleanClose(info) ? undefined : end);
    // After the flush of this tick: whoever exits on `closed` must not take the CONNECTION_CLOSE along.
    this.#parts.host.runtime.defer(() => this.#settle(failure));
  }

  #settle(failure: unknown): void {
    if (failure === undefined) return this.#closed.resolve();
    this.#closed.reject(failure);
    this.onerror?.(failure);
  }

  /** Runs the application's callback. One that throws ends the session, not the process's other sessions. */
  #call<T>(callback: ((argument: T) => unknown) | undefined, argument: T): void {
    try {
      const result = callback?.(argument);
      if (result instanceof Promise) result.catch((error) => this.#failed(error));
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    this.destroy(error, { type: 'transport', code: TransportErrorCode.INTERNAL_ERROR });
  }
}
