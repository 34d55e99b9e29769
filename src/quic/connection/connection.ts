import type { Address } from '../base/address.ts';
import { Ecn, type ReceiveBatch, type TransmitBatch } from '../base/batch.ts';
import { Deque } from '../base/deque.ts';
import { TransportError, TransportErrorCode } from '../base/errors.ts';
import type { Millis } from '../base/time.ts';
import type { CryptoEngine } from '../crypto/engine.ts';
import type { CongestionControllerFactory } from '../recovery/congestion/controller.ts';
import { BASE_DATAGRAM_SIZE } from '../recovery/loss.ts';
import { Recovery } from '../recovery/recovery.ts';
import { Streams } from '../stream/streams.ts';
import { TurnClock } from '../stream/turn-clock.ts';
import type { CertificateVerdict, HandshakeSummary } from '../tls/session.ts';
import { Space } from '../wire/frame-type.ts';
import { type Header, readSupportedVersions } from '../wire/header.ts';
import { encodeTransportParameters, type TransportParameters } from '../wire/transport-parameters.ts';
import { Compose } from './compose.ts';
import { type ConnectionStats, type ConnectionTimes, Counters, snapshot } from './counters.ts';
import { DatagramQueue, datagramCapacity } from './datagram-queue.ts';
import { Deadlines } from './deadlines.ts';
import { Dispatch } from './dispatch.ts';
import { type CloseInfo, type ConnectionEvent, ended } from './events.ts';
import { FrameEffects } from './frame-effects.ts';
import { Handshake } from './handshake.ts';
import { IdleTimer } from './idle-timer.ts';
import { type ConnectionState, Lifecycle } from './lifecycle.ts';
import { Limits } from './limits.ts';
import { LocalConnectionIds } from './local-connection-ids.ts';
import { localParameters } from './local-parameters.ts';
import { Observation } from './observation.ts';
import type { Observer } from './observe.ts';
import { Opening } from './opening.ts';
import type { ConnectionOptions } from './options.ts';
import { PathMtu } from './path-mtu.ts';
import { Paths } from './paths.ts';
import { readPeerParameters } from './peer-parameters.ts';
import { PendingFrames } from './pending-frames.ts';
import { LOCAL_ID_LENGTH, Receive } from './receive.ts';
import { RemoteConnectionIds } from './remote-connection-ids.ts';
import { Spaces } from './spaces.ts';
import type { ConnectionStart } from './start.ts';
import { streamEvents } from './stream-event-queue.ts';
import { Transmit } from './transmit.ts';

/**
 * One QUIC connection as a pure state machine (RFC 9000): datagrams and time go in, datagrams, deadlines and events come
 * out. It reads no clock, owns no socket and awaits nothing; `now` never goes backwards.
 */
export class Connection {
  readonly isServer: boolean;
  readonly version: number;
  readonly options: ConnectionOptions;
  readonly local: Address;
  readonly streams: Streams;
  /** The peer's transport parameters; undefined until they arrived. Not authenticated before the handshake is complete. */
  peerParameters: TransportParameters | undefined;
  readonly #times: ConnectionTimes;
  readonly #opening: Opening;
  readonly #spaces: Spaces;
  readonly #recovery: Recovery;
  readonly #paths: Paths;
  readonly #pathMtu: PathMtu;
  readonly #localIds: LocalConnectionIds;
  readonly #remoteIds: RemoteConnectionIds;
  readonly #pending = new PendingFrames();
  readonly #datagrams = new DatagramQueue();
  readonly #lifecycle = new Lifecycle();
  readonly #idle: IdleTimer;
  readonly #counters = new Counters();
  readonly #observation = new Observation();
  readonly #events = new Deque<ConnectionEvent>();
  readonly #dispatch: Dispatch;
  readonly #effects: FrameEffects;
  readonly #handshake: Handshake;
  readonly #receive: Receive;
  readonly #transmit: Transmit;
  readonly #deadlines: Deadlines;
  readonly #limits: Limits;
  readonly #ecnCapable: boolean;
  readonly #newToken: Uint8Array | undefined;
  /** What the application was last told about the connection's end. */
  #announced: 'open' | 'closing' | 'closed' = 'open';
  /** The time of the call that is being handled, for callbacks that come back in. */
  #at: Millis;

  constructor(start: ConnectionStart) {
    const { now, isServer, version, options, remote, random, engine, issuer, localId } = start;
    this.#at = now;
    this.isServer = isServer;
    this.version = version;
    this.options = options;
    this.local = start.local;
    this.#times = { startedAt: now, completedAt: -1, confirmedAt: -1 };
    this.#ecnCapable = start.ecnCapable && options.ecn;
    this.#newToken = start.newToken;
    this.#opening = new Opening(start);
    this.#spaces = new Spaces(options.transport.maxAckDelay);
    this.#opening.installInitialKeys(
      this.#spaces.initial,
      isServer ? (start.retryId ?? start.originalDestinationId) : start.remoteId,
    );
    this.#recovery = new Recovery({
      isServer,
      congestion: options.congestion,
      maxDatagramSize: Math.min(options.datagramSize ?? BASE_DATAGRAM_SIZE, start.maxDatagramSize),
      initialRtt: options.initialRtt,
      random,
    });
    this.#paths = new Paths(remote, !isServer || start.addressValidated, random);
    this.#pathMtu = new PathMtu(
      { recovery: this.#recovery, paths: this.#paths, observation: this.#observation },
      { fixed: options.datagramSize, maxDatagramSize: start.maxDatagramSize, interfaceMtu: start.interfaceMtu },
    );
    this.#localIds = new LocalConnectionIds(issuer, localId);
    this.#remoteIds = new RemoteConnectionIds(start.remoteId, options.transport.activeConnectionIdLimit, (token) =>
      issuer.expectReset(token),
    );
    this.#idle = new IdleTimer(now, options.transport.maxIdleTimeout, options.keepAlive);
    const turns = new TurnClock(now, start.idleTime);
    this.streams = new Streams({ isServer, local: options.transport, events: streamEvents(this.#events), turns });
    const parts = {
      isServer,
      opening: this.#opening,
      spaces: this.#spaces,
      recovery: this.#recovery,
      turns,
      streams: this.streams,
      paths: this.#paths,
      pathMtu: this.#pathMtu,
      localIds: this.#localIds,
      remoteIds: this.#remoteIds,
      pending: this.#pending,
      datagrams: this.#datagrams,
      lifecycle: this.#lifecycle,
      idle: this.#idle,
      counters: this.#counters,
      observation: this.#observation,
      random,
    };
    this.#dispatch = new Dispatch(parts);
    this.#effects = new FrameEffects({
      ...parts,
      dispatch: this.#dispatch,
      maxDatagramFrameSize: options.transport.maxDatagramFrameSize,
      emit: (event) => this.#events.push(event),
      onHandshakeConfirmed: (at) => this.#confirm(at),
    });
    this.#handshake = this.#makeHandshake(start, engine);
    this.#receive = new Receive({
      ...parts,
      effects: this.#effects,
      onCrypto: () => this.#handshake.pump(),
      onLongPacket: (space, source) => this.#onLongPacket(space, source),
      onKeyUpdate: (at) => this.#onKeyUpdate(at, 'remote_update'),
      onRetry: (bytes, header) => this.#onRetry(bytes, header),
      onVersionNegotiation: (bytes, header) => this.#onVersionNegotiation(bytes, header),
      onStatelessReset: (at) => this.#onStatelessReset(at),
      onMigration: (at, source, size, id) => this.#onMigration(at, source, size, id),
    });
    this.#transmit = new Transmit({
      ...parts,
      compose: new Compose({
        ...parts,
        ackDelayExponent: options.transport.ackDelayExponent,
        maxDatagramLength: () => this.maxDatagramLength,
      }),
      ecnMark: () => (this.#ecnCapable ? this.#recovery.ecn.mark() : Ecn.NOT_ECT),
      onHandshakeSent: () => this.#discard(Space.INITIAL),
    });
    this.#deadlines = new Deadlines({
      ...parts,
      dispatch: this.#dispatch,
      transmit: this.#transmit,
      times: this.#times,
      handshakeTimeout: options.handshakeTimeout,
    });
    this.#limits = new Limits(parts);
    this.#guard(now, () => this.#handshake.pump());
  }

  #makeHandshake(start: ConnectionStart, engine: CryptoEngine): Handshake {
    const { options } = this;
    const parameters = localParameters(options.transport, this.#opening, start.localId, options.versions);
    const tls = start.createTls(encodeTransportParameters(parameters, start.random));
    return new Handshake(tls, this.#spaces, engine, this.version, {
      onPeerParameters: (bytes) => this.#onPeerParameters(bytes),
      onReadKeys: (space) => {
        if (space === Space.HANDSHAKE) this.#recovery.hasHandshakeKeys = true;
        this.#receive.onReadKeys();
      },
      onComplete: (summary) => this.#onComplete(summary),
      emit: (event) => this.#events.push(event),
    });
  }

  // ---- input -------------------------------------------------------------------------------------------------------------

  /** Takes datagrams [from, to) of the batch; their bytes are changed in place. */
  handleDatagrams(now: Millis, batch: ReceiveBatch, from: number, to: number): void {
    this.#at = now;
    this.#limits.turns.begin(now);
    try {
      this.#receive.receive(now, batch, from, to);
    } catch (error) {
      this.#onError(now, error);
    }
    this.#announce();
  }

  /** Does what is due by `now`; to be called when `pollTimeout` has passed. */
  handleTimeout(now: Millis): void {
    this.#guard(now, () => this.#deadlines.onTimeout(now));
  }

  /** Runs what may find a peer's violation, which ends the connection and nothing else. */
  #guard(now: Millis, work: () => void): void {
    this.#at = now;
    this.#limits.turns.begin(now);
    try {
      work();
    } catch (error) {
      this.#onError(now, error);
    }
    this.#announce();
  }

  /** The one place where TransportErrors end up. */
  #onError(now: Millis, error: unknown): void {
    if (error instanceof TransportError) this.#fail(now, 'local', error.code, error.frameType, error.message);
    else this.#fail(now, 'internal', TransportErrorCode.INTERNAL_ERROR, 0, String((error as Error)?.stack ?? error));
  }

  #fail(now: Millis, source: 'local' | 'internal', code: number, frameType: number, reason: string): void {
    this.#lifecycle.close(now, { source, application: false, code, frameType, reason }, 3 * this.#pto());
  }

  #announce(): void {
    const { state, info } = this.#lifecycle;
    if (this.#lifecycle.isOpen || info === undefined) return;
    if (this.#announced === 'open') {
      this.#announced = 'closing';
      this.#limits.turns.stop(this.#at);
      this.#observation.observer?.(this.#at, { type: 'connection_closed', info });
      this.#events.push({ type: 'closing', info });
    }
    if (state === 'closed' && this.#announced === 'closing') {
      this.#announced = 'closed';
      this.#localIds.retireAll();
      this.#remoteIds.forget();
      this.#spaces.destroy();
      this.#events.push({ type: 'closed', info });
    }
  }

  // ---- output ------------------------------------------------------------------------------------------------------------

  /** Fills `out` with datagrams for one destination; false when there is nothing to send now. */
  pollTransmit(now: Millis, out: TransmitBatch): boolean {
    this.#at = now;
    this.#limits.turns.begin(now);
    // What was being filled when an error occurred is lost; the peer must still hear why the connection ends.
    const filled = this.#fill(now, out) || (this.#lifecycle.closePending && this.#fill(now, out));
    this.#announce();
    if (!filled) this.#limits.settle(now, false);
    return filled;
  }

  /** To be called when `pollTransmit` was not called until it had nothing more: the kernel is full, or others have their turn. */
  pauseTransmit(now: Millis, isKernelFull: boolean): void {
    this.#limits.settle(now, isKernelFull);
  }

  #fill(now: Millis, out: TransmitBatch): boolean {
    try {
      if (this.#spaces.oneRtt?.mustUpdate) this.updateKey(now);
      return this.#transmit.poll(now, out);
    } catch (error) {
      this.#onError(now, error);
      return false;
    }
  }

  /** When `handleTimeout`, or `pollTransmit` after a pause of the pacer's, is due. NEVER when it isn't. */
  pollTimeout(): Millis {
    return this.#deadlines.next();
  }

  /** The next thing that the application should hear, or undefined. */
  pollEvent(): ConnectionEvent | undefined {
    return this.#events.shift();
  }

  get hasEvents(): boolean {
    return this.#events.length > 0;
  }

  // ---- commands ----------------------------------------------------------------------------------------------------------

  /** Answers a `verify` event. */
  verdict(now: Millis, verdict: CertificateVerdict): void {
    if (!this.#lifecycle.isOpen) return;
    this.#guard(now, () => {
      this.#handshake.verdict(verdict);
      this.#receive.resume(now);
    });
  }

  /** Ends the connection: CONNECTION_CLOSE of the application's kind (0x1d) or the transport's. RFC 9000 §10.2. */
  close(now: Millis, application: boolean, code: number, reason: string): void {
    this.#at = now;
    this.#lifecycle.close(now, { source: 'local', application, code, frameType: 0, reason }, 3 * this.#pto());
    this.#announce();
  }

  /** Forgets the connection at once, without a word to the peer. */
  abandon(now: Millis, info: CloseInfo): void {
    this.#at = now;
    this.#lifecycle.end(info);
    this.#announce();
  }

  /** Starts a key update; false while the last one isn't confirmed, or before the handshake is. RFC 9001 §6. */
  updateKey(now: Millis): boolean {
    const keys = this.#spaces.oneRtt;
    if (keys === undefined || this.#times.confirmedAt < 0 || !this.#lifecycle.isOpen) return false;
    if (!keys.initiate(now, this.#recovery.spaces[Space.APPLICATION]!.nextPacketNumber)) return false;
    this.#onKeyUpdate(now, 'local_update');
    return true;
  }

  /** Goes on with a new congestion controller and its initial window. */
  setCongestion(now: Millis, factory: CongestionControllerFactory): void {
    this.#at = now;
    this.#recovery.setCongestion(now, factory);
  }

  /** Queues an unreliable datagram (RFC 9221); false when it is larger than `maxDatagramLength`. */
  sendDatagram(bytes: Uint8Array): boolean {
    if (bytes.length > this.maxDatagramLength || !this.#lifecycle.isOpen) return false;
    this.#datagrams.push(bytes);
    return true;
  }

  /** The largest datagram in bytes that `sendDatagram` takes now; 0 when the peer takes none. */
  get maxDatagramLength(): number {
    const peer = this.peerParameters?.maxDatagramFrameSize ?? 0;
    if (peer === 0) return 0;
    const overhead = 1 + this.#remoteIds.current.length + 4 + 16;
    return datagramCapacity(Math.min(peer, this.datagramSize - overhead));
  }

  /** Sends a PING with the next packet. */
  ping(): void {
    this.#pending.ping = true;
  }

  // ---- state -------------------------------------------------------------------------------------------------------------

  get state(): ConnectionState {
    return this.#lifecycle.state;
  }

  /** Why it ended, or undefined while it lives. */
  get closeInfo(): CloseInfo | undefined {
    return this.#lifecycle.info;
  }

  get summary(): HandshakeSummary | undefined {
    return this.#handshake.summary;
  }

  get remoteAddress(): Address {
    return this.#paths.active.remote;
  }

  /** Bytes of UDP payload of a full datagram on the active path: fixed by the options, or found out. */
  get datagramSize(): number {
    return this.#pathMtu.size;
  }

  /** Subscribes to what happens inside; undefined unsubscribes. */
  set observe(observer: Observer | undefined) {
    this.#observation.attach(observer, this.#recovery, () => this.#at);
    observer?.(this.#at, {
      type: 'connection_started',
      isServer: this.isServer,
      local: this.local,
      remote: this.remoteAddress,
      originalDestinationConnectionId: this.#opening.originalDestinationId,
      sourceConnectionId: this.#opening.localId,
      version: this.version,
    });
  }

  /** A snapshot of the connection's counters; times by limit up to `now`, or the connection's end. */
  stats(now: Millis = this.#at): ConnectionStats {
    this.#limits.turns.advance(now);
    return snapshot(this.#times, this.#recovery, this.#counters, this.#limits.turns, this.datagramSize);
  }

  // ---- what the components report -----------------------------------------------------------------------------------------

  #pto(): Millis {
    return this.#recovery.rtt.pto(this.#recovery.maxAckDelay);
  }

  #onPeerParameters(bytes: Uint8Array): void {
    const parameters = readPeerParameters(bytes, this.#opening);
    this.peerParameters = parameters;
    this.streams.setPeerLimits(parameters, this.#at);
    this.#recovery.maxAckDelay = parameters.maxAckDelay;
    this.#pathMtu.setPeerLimit(this.#at, parameters.maxUdpPayloadSize);
    this.#effects.ackDelayUnit = 2 ** parameters.ackDelayExponent / 1000;
    this.#localIds.setPeerLimit(parameters.activeConnectionIdLimit);
    this.#recovery.setIdleTimeout(this.#idle.setPeerTimeout(parameters.maxIdleTimeout));
    const { statelessResetToken, preferredAddress } = parameters;
    if (statelessResetToken !== undefined) this.#remoteIds.setInitialResetToken(statelessResetToken);
    // It is not moved to, but it holds connection ID number 1. RFC 9000 §5.1.1.
    if (preferredAddress !== undefined)
      this.#remoteIds.add(1, 0, preferredAddress.connectionId, preferredAddress.statelessResetToken);
    this.#observation.observer?.(this.#at, { type: 'parameters_set', initiator: 'remote', parameters });
  }

  #onComplete(summary: HandshakeSummary): void {
    this.#times.completedAt = this.#at;
    if (this.#lifecycle.state === 'handshaking') this.#lifecycle.state = 'established';
    this.#observation.observer?.(this.#at, { type: 'alpn_negotiated', alpn: summary.alpn, cipher: summary.suite.name });
    this.#events.push({ type: 'handshake_complete', summary });
    if (!this.isServer) return;
    this.#pending.handshakeDone = true;
    this.#pending.newToken = this.#newToken;
    this.#confirm(this.#at);
  }

  /** RFC 9001 §4.1.2: from here on Handshake keys are of no use. */
  #confirm(now: Millis): void {
    if (this.#times.confirmedAt >= 0) return;
    this.#times.confirmedAt = now;
    this.#recovery.handshakeConfirmed = true;
    this.#recovery.peerCompletedAddressValidation = true;
    this.#discard(Space.INITIAL);
    this.#discard(Space.HANDSHAKE);
    this.#pathMtu.start(now);
    this.#events.push({ type: 'handshake_confirmed' });
  }

  #discard(space: Space): void {
    if (this.#spaces.all[space]!.discarded) return;
    this.#spaces.discard(space);
    this.#recovery.discardSpace(space);
    this.#observation.observer?.(this.#at, { type: 'key_discarded', space });
  }

  /** RFC 9000 §8.1: only who has seen the server's answer can send a Handshake packet. RFC 9001 §4.9.1. */
  #onLongPacket(space: Space, source: Address): void {
    if (!this.isServer || space !== Space.HANDSHAKE) return;
    if (this.#paths.isActive(source)) this.#paths.active.validated = true;
    this.#discard(Space.INITIAL);
  }

  #onKeyUpdate(now: Millis, trigger: 'local_update' | 'remote_update'): void {
    const { phase, updates } = this.#spaces.oneRtt!;
    this.#counters.keyUpdates = updates;
    this.#observation.observer?.(now, { type: 'key_updated', trigger, keyPhase: phase });
  }

  /** The server wants to see the client's address proved: the ClientHello goes again. RFC 9000 §17.2.5.2. */
  #onRetry(bytes: Uint8Array, header: Header): void {
    const retryId = this.#opening.followRetry(bytes, header);
    if (retryId === undefined) return;
    this.#remoteIds.replaceInitial(retryId);
    this.#opening.installInitialKeys(this.#spaces.initial, retryId);
    this.#spaces.initial.crypto.restart();
    this.#recovery.resetForRetry();
  }

  #onVersionNegotiation(bytes: Uint8Array, header: Header): void {
    const versions = readSupportedVersions(bytes, header);
    if (versions.includes(this.version)) return;
    const list = versions.map((version) => `0x${version.toString(16).padStart(8, '0')}`).join(', ');
    this.#lifecycle.end(ended('version_negotiation', `the server speaks other versions of QUIC: ${list}`));
  }

  #onStatelessReset(now: Millis): void {
    const info = ended('stateless_reset', 'the peer has lost the state of this connection');
    this.#lifecycle.drain(now, info, 3 * this.#pto());
  }

  /** RFC 9000 §9.3: only once the handshake is confirmed; a client's server does not move. */
  #onMigration(now: Millis, source: Address, datagramSize: number, destinationId: Uint8Array): void {
    if (!this.isServer || this.#times.confirmedAt < 0 || destinationId.length !== LOCAL_ID_LENGTH) return;
    const sameHost = source.host === this.#paths.active.remote.host;
    this.#paths.migrate(now, source, datagramSize);
    this.#remoteIds.rotate(source);
    this.#pathMtu.settle(now);
    // RFC 9000 §9.4: another host may be another path; a new port alone is most likely a NAT's doing.
    if (!sameHost) this.#recovery.resetPath(now, this.datagramSize);
    this.#observation.observer?.(now, { type: 'path_updated', remote: source });
  }
}
