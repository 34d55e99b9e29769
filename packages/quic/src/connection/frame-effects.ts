import type { Address } from '../base/address.ts';
import { TransportError, TransportErrorCode } from '../base/errors.ts';
import type { Millis } from '../base/time.ts';
import type { Recovery } from '../recovery/recovery.ts';
import type { Streams } from '../stream/streams.ts';
import type { AckFrame, FrameHandler } from '../wire/frame-handler.ts';
import { FrameType, Space } from '../wire/frame-type.ts';
import type { DatagramQueue } from './datagram-queue.ts';
import type { Dispatch } from './dispatch.ts';
import type { EarlyRetransmission } from './early-retransmission.ts';
import type { ConnectionEvent } from './events.ts';
import type { IdleTimer } from './idle-timer.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { LocalConnectionIds } from './local-connection-ids.ts';
import type { Paths } from './paths.ts';
import type { PendingFrames } from './pending-frames.ts';
import type { RemoteConnectionIds } from './remote-connection-ids.ts';
import type { Spaces } from './spaces.ts';

/** The components that frames act on. */
export interface FrameTargets {
  readonly isServer: boolean;
  readonly spaces: Spaces;
  readonly streams: Streams;
  readonly recovery: Recovery;
  readonly dispatch: Dispatch;
  readonly lifecycle: Lifecycle;
  readonly idle: IdleTimer;
  readonly paths: Paths;
  readonly localIds: LocalConnectionIds;
  readonly remoteIds: RemoteConnectionIds;
  readonly pending: PendingFrames;
  readonly early: EarlyRetransmission;
  readonly datagrams: DatagramQueue;
  /** The largest DATAGRAM frame that was announced; 0 when the extension is off. */
  readonly maxDatagramFrameSize: number;
  emit(event: ConnectionEvent): void;
  onHandshakeConfirmed(now: Millis): void;
}

/** What each frame of a packet does, component by component. The packet being read is described by the public fields. */
export class FrameEffects implements FrameHandler {
  readonly #to: FrameTargets;
  now: Millis = 0;
  space: Space = Space.INITIAL;
  packetNumber = 0;
  source: Address | undefined;
  /** Bytes of the datagram that the packet came in. */
  datagramSize = 0;
  /** Where the connection ID stands that the packet was addressed to. */
  idBytes: Uint8Array = new Uint8Array(0);
  idStart = 0;
  idLength = 0;
  /** Whether handshake bytes arrived since the flag was last cleared. */
  cryptoArrived = false;
  /** Two to the power of the peer's ack_delay_exponent, over 1,000: from the wire to milliseconds. */
  ackDelayUnit = 0.008;

  constructor(targets: FrameTargets) {
    this.#to = targets;
  }

  onPing(): void {
    // A client that still probes with Initial packets has no keys for others: it has not got the ServerHello.
    if (this.space === Space.INITIAL) this.#to.early.onRepetition(this.now, Space.INITIAL);
  }

  onAck(ack: AckFrame): void {
    const { recovery, dispatch, spaces, streams, isServer } = this.#to;
    const isOneRtt = this.space === Space.APPLICATION;
    dispatch.now = this.now;
    // Before it counts: an acknowledgement under keys that are too old for it ends the connection.
    if (isOneRtt) spaces.oneRtt?.onAcked(ack.largest);
    const progress = recovery.onAck(this.space, this.now, ack, isOneRtt ? ack.delay * this.ackDelayUnit : 0, dispatch);
    // RFC 9002 §6.2.2.1: an acknowledged Handshake packet shows that the server has validated our address.
    if (!isServer && this.space !== Space.INITIAL) recovery.probeTimer.peerCompletedAddressValidation = true;
    if (!progress) return;
    // RFC 9001 §4.1.2: only a server whose handshake is complete can have opened it.
    if (!isServer && isOneRtt) this.#to.onHandshakeConfirmed(this.now);
    streams.setPath(recovery.rtt.smoothed, recovery.windowPackets);
    if (isOneRtt && spaces.oneRtt !== undefined) spaces.oneRtt.pto = recovery.pto;
  }

  onResetStream(id: number, errorCode: number, finalSize: number): void {
    this.#to.streams.onResetStream(this.now, id, errorCode, finalSize);
  }

  onStopSending(id: number, errorCode: number): void {
    this.#to.streams.onStopSending(this.now, id, errorCode);
  }

  onCrypto(offset: number, bytes: Uint8Array, start: number, length: number): void {
    const { spaces, early } = this.#to;
    const isRepeated = spaces.all[this.space]!.crypto.receive(offset, bytes, start, length);
    this.cryptoArrived = true;
    if (isRepeated) early.onRepetition(this.now, this.space);
  }

  onNewToken(bytes: Uint8Array, start: number, length: number): void {
    if (this.#to.isServer) this.#violation('NEW_TOKEN from a client', FrameType.NEW_TOKEN);
    this.#to.emit({ type: 'new_token', token: bytes.slice(start, start + length) });
  }

  onStream(id: number, offset: number, bytes: Uint8Array, start: number, length: number, fin: boolean): void {
    this.#to.idle.onStreamData();
    this.#to.streams.onStream(this.now, this.packetNumber, id, offset, bytes, start, length, fin);
  }

  onMaxData(maximum: number): void {
    this.#to.streams.onMaxData(this.now, maximum);
  }

  onMaxStreamData(id: number, maximum: number): void {
    this.#to.streams.onMaxStreamData(this.now, id, maximum);
  }

  onMaxStreams(bidirectional: boolean, maximum: number): void {
    this.#to.streams.onMaxStreams(bidirectional, maximum);
  }

  onDataBlocked(): void {
    this.#to.streams.onDataBlocked();
  }

  onStreamDataBlocked(id: number): void {
    this.#to.streams.onStreamDataBlocked(id);
  }

  onStreamsBlocked(bidirectional: boolean): void {
    this.#to.streams.onStreamsBlocked(bidirectional);
  }

  onNewConnectionId(
    sequence: number,
    retirePriorTo: number,
    bytes: Uint8Array,
    start: number,
    length: number,
    tokenStart: number,
  ): void {
    const id = bytes.subarray(start, start + length);
    this.#to.remoteIds.add(sequence, retirePriorTo, id, bytes.subarray(tokenStart, tokenStart + 16));
  }

  onRetireConnectionId(sequence: number): void {
    this.#to.localIds.onRetire(sequence, this.idBytes.subarray(this.idStart, this.idStart + this.idLength));
  }

  onPathChallenge(bytes: Uint8Array, start: number): void {
    const { paths, pending } = this.#to;
    paths.onChallenge(this.source!, bytes.slice(start, start + 8), this.packetNumber, this.datagramSize);
    // RFC 9000 §9.3.3: a peer that doubts whether we are still here must hear more than a probing packet.
    if (paths.isActive(this.source!)) pending.ping = true;
  }

  onPathResponse(bytes: Uint8Array, start: number): void {
    const { paths, remoteIds } = this.#to;
    const isFirst = paths.onResponse(bytes.subarray(start, start + 8));
    if (!paths.hasWayBack) remoteIds.retireProbe();
    if (isFirst) this.#to.emit({ type: 'path_validated', address: paths.active.remote });
  }

  onConnectionClose(application: boolean, errorCode: number, frameType: number, reason: string): void {
    const { lifecycle, recovery } = this.#to;
    const period = recovery.threePtos;
    lifecycle.drain(
      this.now,
      { source: 'peer', application, code: errorCode, frameType: Math.max(0, frameType), reason },
      period,
    );
  }

  onHandshakeDone(): void {
    if (this.#to.isServer) this.#violation('HANDSHAKE_DONE from a client', FrameType.HANDSHAKE_DONE);
    this.#to.onHandshakeConfirmed(this.now);
  }

  onDatagram(bytes: Uint8Array, start: number, length: number): void {
    // RFC 9221 §3: the announced size counts the whole frame; the type byte is the least of its overhead.
    if (length + 1 > this.#to.maxDatagramFrameSize)
      this.#violation('DATAGRAM larger than announced', FrameType.DATAGRAM);
    this.#to.datagrams.received++;
    this.#to.emit({ type: 'datagram', bytes: bytes.slice(start, start + length) });
  }

  #violation(reason: string, frameType: number): never {
    throw new TransportError(TransportErrorCode.PROTOCOL_VIOLATION, reason, frameType);
  }
}
