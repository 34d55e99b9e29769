import type { Address } from '../base/address.ts';
import type { ReceiveBatch, TransmitBatch } from '../base/batch.ts';
import { Deque } from '../base/deque.ts';
import { TransportError, TransportErrorCode } from '../base/errors.ts';
import type { Millis } from '../base/time.ts';
import type { CongestionControllerFactory } from '../recovery/congestion/controller.ts';
import type { Streams } from '../stream/streams.ts';
import type { CertificateVerdict, HandshakeSummary } from '../tls/session.ts';
import { Space } from '../wire/frame-type.ts';
import { type Header, readSupportedVersions } from '../wire/header.ts';
import type { TransportParameters } from '../wire/transport-parameters.ts';
import { assemble, type ConnectionParts } from './assembly.ts';
import { type ConnectionStats, snapshot } from './counters.ts';
import { datagramCapacity } from './datagram-queue.ts';
import { type CloseInfo, type ConnectionEvent, ended } from './events.ts';
import type { ConnectionState } from './lifecycle.ts';
import { LOCAL_ID_LENGTH } from './local-connection-ids.ts';
import type { Observer } from './observe.ts';
import type { ConnectionOptions } from './options.ts';
import { readPeerParameters } from './peer-parameters.ts';
import type { ConnectionStart } from './start.ts';

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
  readonly #parts: ConnectionParts;
  readonly #events = new Deque<ConnectionEvent>();
  readonly #newToken: Uint8Array | undefined;
  /** What the application was last told about the connection's end. */
  #announced: 'open' | 'closing' | 'closed' = 'open';
  /** The time of the call that is being handled, for callbacks that come back in. */
  #at: Millis;

  constructor(start: ConnectionStart) {
    const { now, isServer, version, options } = start;
    this.#at = now;
    this.isServer = isServer;
    this.version = version;
    this.options = options;
    this.local = start.local;
    this.#newToken = start.newToken;
    this.#parts = assemble(start, this.#events, {
      maxDatagramLength: () => this.maxDatagramLength,
      onPeerParameters: (bytes) => this.#onPeerParameters(bytes),
      onComplete: (summary) => this.#onComplete(summary),
      onHandshakeConfirmed: (at) => this.#confirm(at),
      onHandshakeSent: () => this.#discard(Space.INITIAL),
      onLongPacket: (space, source) => this.#onLongPacket(space, source),
      onPeerKeyUpdate: (at) => this.#onKeyUpdate(at, 'remote_update'),
      onRetry: (bytes, header) => this.#onRetry(bytes, header),
      onVersionNegotiation: (bytes, header) => this.#onVersionNegotiation(bytes, header),
      onStatelessReset: (at) => this.#onStatelessReset(at),
      onMigration: (at, source, size, id) => this.#onMigration(at, source, size, id),
    });
    this.streams = this.#parts.streams;
    this.#guard(now, () => this.#parts.handshake.pump());
  }

  // ---- input -------------------------------------------------------------------------------------------------------------

  /** Takes datagrams [from, to) of the batch; their bytes are changed in place. */
  handleDatagrams(now: Millis, batch: ReceiveBatch, from: number, to: number): void {
    this.#at = now;
    this.#parts.limits.turns.begin(now);
    try {
      this.#parts.receive.receive(now, batch, from, to);
    } catch (error) {
      this.#onError(now, error);
    }
    this.#announce();
  }

  /** Does what is due by `now`; to be called when `pollTimeout` has passed. */
  handleTimeout(now: Millis): void {
    this.#guard(now, () => this.#parts.deadlines.onTimeout(now));
  }

  /** Runs what may find a peer's violation, which ends the connection and nothing else. */
  #guard(now: Millis, work: () => void): void {
    this.#at = now;
    this.#parts.limits.turns.begin(now);
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
    this.#parts.lifecycle.close(
      now,
      { source, application: false, code, frameType, reason },
      this.#parts.recovery.threePtos,
    );
  }

  #announce(): void {
    const { state, info } = this.#parts.lifecycle;
    if (this.#parts.lifecycle.isOpen || info === undefined) return;
    if (this.#announced === 'open') {
      this.#announced = 'closing';
      this.#parts.limits.turns.stop(this.#at);
      this.#parts.observation.observer?.(this.#at, { type: 'connection_closed', info });
      this.#events.push({ type: 'closing', info });
    }
    if (state === 'closed' && this.#announced === 'closing') {
      this.#announced = 'closed';
      this.#parts.localIds.retireAll();
      this.#parts.remoteIds.forget();
      this.#parts.spaces.destroy();
      this.#events.push({ type: 'closed', info });
    }
  }

  // ---- output ------------------------------------------------------------------------------------------------------------

  /** Fills `out` with datagrams for one destination; false when there is nothing to send now. */
  pollTransmit(now: Millis, out: TransmitBatch): boolean {
    this.#at = now;
    this.#parts.limits.turns.begin(now);
    // What was being filled when an error occurred is lost; the peer must still hear why the connection ends.
    const filled = this.#fill(now, out) || (this.#parts.lifecycle.closePending && this.#fill(now, out));
    this.#announce();
    if (!filled) this.#parts.limits.settle(now, false);
    return filled;
  }

  /** To be called when `pollTransmit` was not called until it had nothing more: the kernel is full, or others have their turn. */
  pauseTransmit(now: Millis, isKernelFull: boolean): void {
    this.#parts.limits.settle(now, isKernelFull);
  }

  #fill(now: Millis, out: TransmitBatch): boolean {
    try {
      if (this.#parts.spaces.oneRtt?.mustUpdate) this.updateKey(now);
      return this.#parts.transmit.poll(now, out);
    } catch (error) {
      this.#onError(now, error);
      return false;
    }
  }

  /** When `handleTimeout`, or `pollTransmit` after a pause of the pacer's, is due. NEVER when it isn't. */
  pollTimeout(): Millis {
    return this.#parts.deadlines.next();
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
    if (!this.#parts.lifecycle.isOpen) return;
    this.#guard(now, () => {
      this.#parts.handshake.verdict(verdict);
      this.#parts.receive.resume(now);
    });
  }

  /** Ends the connection: CONNECTION_CLOSE of the application's kind (0x1d) or the transport's. RFC 9000 §10.2. */
  close(now: Millis, application: boolean, code: number, reason: string): void {
    this.#at = now;
    this.#parts.lifecycle.close(
      now,
      { source: 'local', application, code, frameType: 0, reason },
      this.#parts.recovery.threePtos,
    );
    this.#announce();
  }

  /** Forgets the connection at once, without a word to the peer. */
  abandon(now: Millis, info: CloseInfo): void {
    this.#at = now;
    this.#parts.lifecycle.end(info);
    this.#announce();
  }

  /** Starts a key update; false while the last one isn't confirmed, or before the handshake is. RFC 9001 §6. */
  updateKey(now: Millis): boolean {
    const keys = this.#parts.spaces.oneRtt;
    if (keys === undefined || this.#parts.times.confirmedAt < 0 || !this.#parts.lifecycle.isOpen) return false;
    if (!keys.initiate(now, this.#parts.recovery.spaces[Space.APPLICATION]!.nextPacketNumber)) return false;
    this.#onKeyUpdate(now, 'local_update');
    return true;
  }

  /** Goes on with a new congestion controller and its initial window. */
  setCongestion(now: Millis, factory: CongestionControllerFactory): void {
    this.#at = now;
    this.#parts.recovery.setCongestion(now, factory);
  }

  /** Queues an unreliable datagram (RFC 9221); false when it is larger than `maxDatagramLength`. */
  sendDatagram(bytes: Uint8Array): boolean {
    if (bytes.length > this.maxDatagramLength || !this.#parts.lifecycle.isOpen) return false;
    this.#parts.datagrams.push(bytes);
    return true;
  }

  /** The largest datagram in bytes that `sendDatagram` takes now; 0 when the peer takes none. */
  get maxDatagramLength(): number {
    const peer = this.peerParameters?.maxDatagramFrameSize ?? 0;
    if (peer === 0) return 0;
    const overhead = 1 + this.#parts.remoteIds.current.length + 4 + 16;
    return datagramCapacity(Math.min(peer, this.datagramSize - overhead));
  }

  /** Sends a PING with the next packet. */
  ping(): void {
    this.#parts.pending.ping = true;
  }

  // ---- state -------------------------------------------------------------------------------------------------------------

  get state(): ConnectionState {
    return this.#parts.lifecycle.state;
  }

  /** Why it ended, or undefined while it lives. */
  get closeInfo(): CloseInfo | undefined {
    return this.#parts.lifecycle.info;
  }

  get summary(): HandshakeSummary | undefined {
    return this.#parts.handshake.summary;
  }

  get remoteAddress(): Address {
    return this.#parts.paths.active.remote;
  }

  /** Bytes of UDP payload of a full datagram on the active path: fixed by the options, or found out. */
  get datagramSize(): number {
    return this.#parts.pathMtu.size;
  }

  /** Subscribes to what happens inside; undefined unsubscribes. */
  set observe(observer: Observer | undefined) {
    this.#parts.observation.attach(observer, this.#parts.recovery, () => this.#at);
    observer?.(this.#at, {
      type: 'connection_started',
      isServer: this.isServer,
      local: this.local,
      remote: this.remoteAddress,
      originalDestinationConnectionId: this.#parts.opening.originalDestinationId,
      sourceConnectionId: this.#parts.opening.localId,
      version: this.version,
    });
  }

  /** A snapshot of the connection's counters; times by limit up to `now`, or the connection's end. */
  stats(now: Millis = this.#at): ConnectionStats {
    this.#parts.limits.turns.advance(now);
    return snapshot(
      this.#parts.times,
      this.#parts.recovery,
      this.#parts.counters,
      this.#parts.limits.turns,
      this.datagramSize,
    );
  }

  // ---- what the components report -----------------------------------------------------------------------------------------

  #onPeerParameters(bytes: Uint8Array): void {
    const parameters = readPeerParameters(bytes, this.#parts.opening);
    this.peerParameters = parameters;
    this.streams.setPeerLimits(parameters, this.#at);
    this.#parts.recovery.probeTimer.maxAckDelay = parameters.maxAckDelay;
    this.#parts.pathMtu.setPeerLimit(this.#at, parameters.maxUdpPayloadSize);
    this.#parts.effects.ackDelayUnit = 2 ** parameters.ackDelayExponent / 1000;
    this.#parts.localIds.setPeerLimit(parameters.activeConnectionIdLimit);
    this.#parts.recovery.probeTimer.setIdleTimeout(this.#parts.idle.setPeerTimeout(parameters.maxIdleTimeout));
    const { statelessResetToken, preferredAddress } = parameters;
    if (statelessResetToken !== undefined) this.#parts.remoteIds.setInitialResetToken(statelessResetToken);
    // It is not moved to, but it holds connection ID number 1. RFC 9000 §5.1.1.
    if (preferredAddress !== undefined)
      this.#parts.remoteIds.add(1, 0, preferredAddress.connectionId, preferredAddress.statelessResetToken);
    this.#parts.observation.observer?.(this.#at, { type: 'parameters_set', initiator: 'remote', parameters });
  }

  #onComplete(summary: HandshakeSummary): void {
    this.#parts.times.completedAt = this.#at;
    if (this.#parts.lifecycle.state === 'handshaking') this.#parts.lifecycle.state = 'established';
    this.#parts.observation.observer?.(this.#at, {
      type: 'alpn_negotiated',
      alpn: summary.alpn,
      cipher: summary.suite.name,
    });
    this.#events.push({ type: 'handshake_complete', summary });
    if (!this.isServer) return;
    this.#parts.pending.handshakeDone = true;
    this.#parts.pending.newToken = this.#newToken;
    this.#confirm(this.#at);
  }

  /** RFC 9001 §4.1.2: from here on Handshake keys are of no use. */
  #confirm(now: Millis): void {
    if (this.#parts.times.confirmedAt >= 0) return;
    this.#parts.times.confirmedAt = now;
    const { probeTimer } = this.#parts.recovery;
    probeTimer.handshakeConfirmed = true;
    probeTimer.peerCompletedAddressValidation = true;
    this.#discard(Space.INITIAL);
    this.#discard(Space.HANDSHAKE);
    this.#parts.pathMtu.start(now);
    this.#events.push({ type: 'handshake_confirmed' });
  }

  #discard(space: Space): void {
    if (this.#parts.spaces.all[space]!.discarded) return;
    this.#parts.spaces.discard(space);
    this.#parts.recovery.discardSpace(space);
    this.#parts.observation.observer?.(this.#at, { type: 'key_discarded', space });
  }

  /** RFC 9000 §8.1: only who has seen the server's answer can send a Handshake packet. RFC 9001 §4.9.1. */
  #onLongPacket(space: Space, source: Address): void {
    if (!this.isServer || space !== Space.HANDSHAKE) return;
    if (this.#parts.paths.isActive(source)) this.#parts.paths.active.validated = true;
    this.#discard(Space.INITIAL);
  }

  #onKeyUpdate(now: Millis, trigger: 'local_update' | 'remote_update'): void {
    const { phase, updates } = this.#parts.spaces.oneRtt!;
    this.#parts.counters.keyUpdates = updates;
    this.#parts.observation.observer?.(now, { type: 'key_updated', trigger, keyPhase: phase });
  }

  /** The server wants to see the client's address proved: the ClientHello goes again. RFC 9000 §17.2.5.2. */
  #onRetry(bytes: Uint8Array, header: Header): void {
    const retryId = this.#parts.opening.followRetry(bytes, header);
    if (retryId === undefined) return;
    this.#parts.remoteIds.replaceInitial(retryId);
    this.#parts.opening.installInitialKeys(this.#parts.spaces.initial, retryId);
    this.#parts.spaces.initial.crypto.restart();
    this.#parts.recovery.resetForRetry();
  }

  #onVersionNegotiation(bytes: Uint8Array, header: Header): void {
    const versions = readSupportedVersions(bytes, header);
    if (versions.includes(this.version)) return;
    const list = versions.map((version) => `0x${version.toString(16).padStart(8, '0')}`).join(', ');
    this.#parts.lifecycle.end(ended('version_negotiation', `the server speaks other versions of QUIC: ${list}`));
  }

  #onStatelessReset(now: Millis): void {
    const info = ended('stateless_reset', 'the peer has lost the state of this connection');
    this.#parts.lifecycle.drain(now, info, this.#parts.recovery.threePtos);
  }

  /** RFC 9000 §9.3: only once the handshake is confirmed; a client's server does not move. */
  #onMigration(now: Millis, source: Address, datagramSize: number, destinationId: Uint8Array): void {
    if (!this.isServer || this.#parts.times.confirmedAt < 0 || destinationId.length !== LOCAL_ID_LENGTH) return;
    const sameHost = source.host === this.#parts.paths.active.remote.host;
    this.#parts.paths.migrate(now, source, datagramSize);
    this.#parts.remoteIds.rotate(source);
    this.#parts.pathMtu.settle(now);
    // RFC 9000 §9.4: another host may be another path; a new port alone is most likely a NAT's doing.
    if (!sameHost) this.#parts.recovery.resetPath(now, this.datagramSize);
    this.#parts.observation.observer?.(now, { type: 'path_updated', remote: source });
  }
}
