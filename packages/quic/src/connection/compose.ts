import { TransportErrorCode } from '../base/errors.ts';
import type { Millis } from '../base/time.ts';
import { TAG_LENGTH } from '../crypto/engine.ts';
import type { Recovery } from '../recovery/recovery.ts';
import type { SentPackets } from '../recovery/sent-packets.ts';
import type { Streams } from '../stream/streams.ts';
import { PacketType, Space } from '../wire/frame-type.ts';
import {
  writeConnectionClose,
  writePadding,
  writePathChallenge,
  writePathResponse,
  writePing,
} from '../wire/frames.ts';
import { writeLongHeader, writeShortHeader } from '../wire/header.ts';
import { packetNumberLength } from '../wire/packet-number.ts';
import { SentKind } from '../wire/sent-frames.ts';
import type { DatagramQueue } from './datagram-queue.ts';
import type { CloseInfo } from './events.ts';
import type { LocalConnectionIds } from './local-connection-ids.ts';
import type { Opening } from './opening.ts';
import type { PendingFrames } from './pending-frames.ts';
import type { RemoteConnectionIds } from './remote-connection-ids.ts';
import type { Spaces } from './spaces.ts';

/** Who has frames to send. */
export interface ComposeParts {
  readonly opening: Opening;
  readonly spaces: Spaces;
  readonly recovery: Recovery;
  readonly streams: Streams;
  readonly localIds: LocalConnectionIds;
  readonly remoteIds: RemoteConnectionIds;
  readonly pending: PendingFrames;
  readonly datagrams: DatagramQueue;
  /** This end's ack_delay_exponent. */
  readonly ackDelayExponent: number;
  /** The largest datagram of RFC 9221 that a packet can hold now. */
  maxDatagramLength(): number;
}

/**
 * After so many packets with nothing but an ACK, the next one also has a PING: nobody acknowledges ACKs, so a pure receiver
 * would repeat its oldest ranges forever and never confirm a key update. RFC 9000 §13.2.4.
 */
const ACKS_PER_PING = 32;

/**
 * Short headers have this length, where a longer packet number than necessary makes it so: 8-byte connection IDs are common, and
 * crypto/openssl/aes-gcm.ts is a fifth faster with it. RFC 9000 §17.1 only sets how short a packet number may be.
 */
const SHORT_HEADER_LENGTH = 13;

/** What a Handshake packet with the longest connection ID of the peer's has beside its frames, RFC 9000 §17.2.4; a 1-RTT packet less. */
const CLOSE_OVERHEAD = 1 + 4 + 1 + 20 + 1 + 8 + 2 + 4 + TAG_LENGTH;
/** CONNECTION_CLOSE without a reason: type, the longest error code and frame type, and the reason's length. RFC 9000 §19.19. */
const MIN_CLOSE_FRAME = 1 + 8 + 8 + 2;

/**
 * Shortest ack-eliciting 1-RTT packet, bytes: a peer that has lost its state can answer it with a stateless reset that is shorter and
 * looks like any packet (RFC 9000 §10.3, where 22 bytes more than our connection IDs have would do), even if its resets are made
 * for the longest connection IDs, as quic-go's of 42 bytes are.
 */
export const MIN_RESETTABLE = 43;

/**
 * Writes one packet in the clear: header, then frames in order of urgency. What it wrote is described by the public fields
 * until the next call; the records of the frames wait in the space's sent packets to be committed.
 */
export class Compose {
  readonly #parts: ComposeParts;
  headerLength = 0;
  pnOffset = 0;
  ackEliciting = false;
  /** Whether the packet counts towards bytes in flight: ack-eliciting, or with padding. RFC 9002 §2. */
  inFlight = false;

  /** Packets with nothing but an ACK since the last ack-eliciting one. < ACKS_PER_PING, unless the window is full. */
  #acksInARow = 0;

  constructor(parts: ComposeParts) {
    this.#parts = parts;
  }

  /** Whether frames other than acknowledgements wait in a space whose packets can be sealed. */
  get wantsAny(): boolean {
    const { spaces } = this.#parts;
    if (spaces.oneRtt !== undefined && this.wantsSend) return true;
    return (
      (spaces.initial.write !== undefined && spaces.initial.crypto.wantsSend) ||
      (spaces.handshake.write !== undefined && spaces.handshake.crypto.wantsSend)
    );
  }

  /** Whether 1-RTT frames other than acknowledgements wait. */
  get wantsSend(): boolean {
    const { spaces, streams, localIds, remoteIds, pending, datagrams } = this.#parts;
    return (
      streams.wantsData ||
      streams.wantsControl ||
      pending.wantsSend ||
      datagrams.wantsSend ||
      localIds.wantsSend ||
      remoteIds.wantsSend ||
      spaces.application.crypto.wantsSend
    );
  }

  /** Whether stream data waits for the peer's credit rather than for the application. */
  get isBlocked(): boolean {
    const { streams } = this.#parts;
    return streams.isConnectionBlocked || streams.blockedStreams > 0;
  }

  /**
   * Composes a packet in [start, end), `end` leaving room for the tag. `mayCarry` says that it may hold more than an
   * acknowledgement; `probe` that it must be ack-eliciting. Returns the offset behind the plaintext, or `start` when there
   * is nothing to send.
   */
  packet(
    now: Millis,
    bytes: Uint8Array,
    start: number,
    end: number,
    space: Space,
    mayCarry: boolean,
    probe: boolean,
  ): number {
    const { acks, crypto } = this.#parts.spaces.all[space]!;
    const isOneRtt = space === Space.APPLICATION;
    const carries = mayCarry && (probe || crypto.wantsSend || (isOneRtt && this.wantsSend));
    if (!carries && !acks.isDue(now)) return start;
    const sent = this.#parts.recovery.spaces[space]!;
    const payload = this.#header(bytes, start, space);
    let at = payload;
    // A probe repeats what was acknowledged: that ACK may be what is lost, and what the peer waits for.
    if (!carries || probe || acks.hasPending) {
      at = acks.write(bytes, at, end, now, isOneRtt ? this.#parts.ackDelayExponent : 0);
      if (at > payload) sent.add(SentKind.ACK, 0, acks.sent, 0);
    }
    const behindAck = at;
    if (carries) {
      if (probe && !isOneRtt) crypto.probe(end - at);
      at = crypto.writeFrames(bytes, at, end, sent);
      if (isOneRtt) at = this.#application(now, bytes, at, end, sent);
      // RFC 9000 §9.1: NEW_CONNECTION_ID alone would not show a server that the client's NAT has moved it. Once the handshake is
      // confirmed every second probe has nothing but a PING.
      const isUnconfirmed = isOneRtt && !this.#parts.recovery.probeTimer.handshakeConfirmed;
      if (probe && (at === behindAck || isUnconfirmed) && at < end) at = writePing(bytes, at);
    } else if (isOneRtt && mayCarry && at < end && ++this.#acksInARow >= ACKS_PER_PING) {
      at = writePing(bytes, at);
    }
    if (at > behindAck) this.#acksInARow = 0;
    this.ackEliciting = this.inFlight = at > behindAck;
    if (at === payload) {
      sent.abandon();
      return start;
    }
    if (isOneRtt && this.ackEliciting) at = padTo(bytes, at, Math.min(start + MIN_RESETTABLE - TAG_LENGTH, end));
    return this.#padForSample(bytes, at);
  }

  #application(now: Millis, bytes: Uint8Array, at: number, end: number, sent: SentPackets): number {
    const { streams, localIds, remoteIds, pending, datagrams } = this.#parts;
    let next = at;
    if (pending.wantsSend) next = pending.writeFrames(bytes, next, end, sent);
    if (remoteIds.wantsSend) next = remoteIds.writeFrames(bytes, next, end, sent);
    if (localIds.wantsSend) next = localIds.writeFrames(bytes, next, end, sent);
    if (streams.wantsControl) next = streams.writeControl(bytes, next, end, sent);
    if (datagrams.wantsSend) next = datagrams.writeFrames(bytes, next, end, sent, this.#parts.maxDatagramLength());
    return streams.wantsData ? streams.writeData(now, bytes, next, end, sent, sent.nextPacketNumber) : next;
  }

  /** A packet of path validation only, to the peer's connection ID `id`, padded to `end`. RFC 9000 §8.2. */
  pathProbe(
    bytes: Uint8Array,
    start: number,
    end: number,
    id: Uint8Array,
    response: Uint8Array | undefined,
    challenge: Uint8Array | undefined,
  ): number {
    const sent = this.#parts.recovery.spaces[Space.APPLICATION]!;
    let at = this.#header(bytes, start, Space.APPLICATION, id);
    if (response !== undefined) at = writePathResponse(bytes, at, response);
    if (challenge !== undefined) {
      at = writePathChallenge(bytes, at, challenge);
      sent.add(SentKind.PATH_CHALLENGE, 0, 0, 0);
    }
    this.ackEliciting = this.inFlight = true;
    return writePadding(bytes, at, end);
  }

  /** A packet that asks whether a datagram of `size` bytes arrives: a PING, padded to `end`. RFC 9000 §14.4. */
  mtuProbe(bytes: Uint8Array, start: number, end: number, size: number): number {
    const at = writePing(bytes, this.#header(bytes, start, Space.APPLICATION));
    this.#parts.recovery.spaces[Space.APPLICATION]!.add(SentKind.MTU_PROBE, 0, size, 0);
    this.ackEliciting = this.inFlight = true;
    return writePadding(bytes, at, end);
  }

  /**
   * A packet with CONNECTION_CLOSE. Returns `start` when there is no room. `others` more like it are to follow in the datagram:
   * a long reason is cut to this one's share of it. RFC 9000 §10.2.3.
   */
  closePacket(bytes: Uint8Array, start: number, end: number, space: Space, info: CloseInfo, others: number): number {
    const payload = this.#header(bytes, start, space);
    // Shared is what is left behind the header: only this one may have a token in it.
    const share = payload + Math.floor((end - payload - others * CLOSE_OVERHEAD) / (1 + others));
    const limit = Math.min(end, Math.max(share, payload + MIN_CLOSE_FRAME));
    // RFC 9000 §10.2.3: an application's code and reason are not for eyes that the handshake hasn't authenticated.
    const hidden = info.application && space !== Space.APPLICATION;
    const code = hidden ? TransportErrorCode.APPLICATION_ERROR : info.code;
    const application = info.application && !hidden;
    // What went wrong inside is for the local log: it may name files or memory.
    const reason = hidden || info.source === 'internal' ? '' : info.reason;
    const at = writeConnectionClose(bytes, payload, limit, application, code, info.frameType, reason);
    if (at === payload) return start;
    const behind = this.#padForSample(bytes, at);
    this.ackEliciting = this.inFlight = false;
    return behind;
  }

  #header(bytes: Uint8Array, start: number, space: Space, id = this.#parts.remoteIds.current): number {
    const { opening, recovery, spaces } = this.#parts;
    const sent = recovery.spaces[space]!;
    const packetNumber = sent.nextPacketNumber;
    let pnLength = packetNumberLength(packetNumber, sent.largestAcked);
    let payload: number;
    if (space === Space.APPLICATION) {
      const spare = SHORT_HEADER_LENGTH - 1 - id.length;
      if (spare <= 4 && spare > pnLength) pnLength = spare as typeof pnLength;
      // One byte is enough in order. Held up on the way, the packet could not be told from one 256 numbers later.
      if (pnLength === 1) pnLength = 2;
      payload = writeShortHeader(bytes, start, id, 0, spaces.oneRtt!.phase, pnLength, packetNumber);
    } else {
      const type = space === Space.INITIAL ? PacketType.INITIAL : PacketType.HANDSHAKE;
      const { version, localId, token } = opening;
      payload = writeLongHeader(bytes, start, type, version, id, localId, token, pnLength, packetNumber);
    }
    this.headerLength = payload - start;
    this.pnOffset = payload - pnLength;
    return payload;
  }

  /** A packet must be long enough for a header protection sample: four bytes from the packet number on. RFC 9001 §5.4.2. */
  #padForSample(bytes: Uint8Array, at: number): number {
    let next = at;
    while (next < this.pnOffset + 4) {
      bytes[next++] = 0;
      this.inFlight = true;
    }
    return next;
  }
}

/** PADDING up to `target`; returns where it ends. */
function padTo(bytes: Uint8Array, at: number, target: number): number {
  return at >= target ? at : writePadding(bytes, at, target);
}
