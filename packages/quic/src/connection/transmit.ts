import type { Address } from '../base/address.ts';
import type { Arena } from '../base/arena.ts';
import { Ecn, type TransmitBatch } from '../base/batch.ts';
import { BASE_DATAGRAM_SIZE } from '../base/datagram-size.ts';
import { type Random, randomUnit } from '../base/random.ts';
import { type Millis, NEVER } from '../base/time.ts';
import { type HeaderBatch, TAG_LENGTH } from '../crypto/engine.ts';
import type { Recovery } from '../recovery/recovery.ts';
import { PacketType, Space } from '../wire/frame-type.ts';
import { patchLength } from '../wire/header.ts';
import type { Compose } from './compose.ts';
import type { Counters } from './counters.ts';
import type { IdleTimer } from './idle-timer.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Observation } from './observation.ts';
import type { PathMtu } from './path-mtu.ts';
import type { Paths } from './paths.ts';
import type { RemoteConnectionIds } from './remote-connection-ids.ts';
import type { Spaces } from './spaces.ts';

/** Room that the smallest packet worth sending needs: headers, a small frame, a tag. */
const MIN_ROOM = 100;
/** Room for a 1-RTT packet with both PATH_CHALLENGE and PATH_RESPONSE. Three times the smallest packet there is are more. */
const MIN_PROBE_ROOM = 64;
/** Packet numbers up to the first one left out are fewer than this; each stretch may be twice as long, up to the second. */
const FIRST_SKIP = 64;
const LAST_SKIP = 16_384;
/** The kernel takes at most this many segments in one batch (UDP_MAX_SEGMENTS of older kernels). */
const MAX_SEGMENTS = 64;
const SPACES = [Space.INITIAL, Space.HANDSHAKE, Space.APPLICATION] as const;
const PACKET_TYPES = [PacketType.INITIAL, PacketType.HANDSHAKE, PacketType.ONE_RTT] as const;

/** The components that sending packets changes. */
export interface TransmitParts {
  readonly isServer: boolean;
  readonly spaces: Spaces;
  readonly recovery: Recovery;
  readonly paths: Paths;
  readonly pathMtu: PathMtu;
  readonly remoteIds: RemoteConnectionIds;
  readonly lifecycle: Lifecycle;
  readonly idle: IdleTimer;
  readonly counters: Counters;
  readonly compose: Compose;
  readonly observation: Observation;
  readonly random: Random;
  /** What to mark packets with: `Ecn.ECT0` or `Ecn.NOT_ECT`. */
  ecnMark(): number;
  /** A client has sent its first Handshake packet: Initial keys can go. RFC 9001 §4.9.1. */
  onHandshakeSent(): void;
}

/** Fills datagrams: which packet number spaces, how much, how large. RFC 9000 §12.2, §14; RFC 9002 §7. */
export class Transmit {
  readonly #parts: TransmitParts;
  readonly #headers: HeaderBatch = {
    count: 0,
    start: new Int32Array(MAX_SEGMENTS),
    pnOffset: new Int32Array(MAX_SEGMENTS),
  };
  /** The packets of the datagram that is being coalesced. */
  readonly #pieces: Piece[] = [];
  /** The ECN codepoint of the batch that is being filled. */
  #ecn: number = Ecn.NOT_ECT;
  /** When the pacer lets the next datagram go; NEVER when it isn't what holds sending back. */
  pacedUntil: Millis = NEVER;
  /** The next 1-RTT packet number to leave out, RFC 9000 §21.4: a peer that acknowledges it acknowledges unseen. */
  #skipAt: number;
  #skipStretch = FIRST_SKIP;
  /** Whether data waits until the window has room for a path MTU probe, which is larger. */
  #makingRoom = false;

  constructor(parts: TransmitParts) {
    this.#parts = parts;
    this.#skipAt = 1 + Math.floor(randomUnit(parts.random) * FIRST_SKIP);
  }

  /** Fills `out` with datagrams for one destination; false when there is nothing to send now. */
  poll(now: Millis, out: TransmitBatch): boolean {
    out.clear();
    this.#ecn = this.#parts.ecnMark();
    const { lifecycle, spaces } = this.#parts;
    if (lifecycle.state === 'closing') return this.#pollClose(now, out);
    if (!lifecycle.isOpen) return false;
    if (spaces.oneRtt !== undefined && this.#isProbeDue(now) && this.#pollProbe(now, out)) return true;
    if (spaces.canSend(Space.INITIAL) || spaces.canSend(Space.HANDSHAKE)) return this.#pollHandshake(now, out);
    if (spaces.oneRtt === undefined) return false;
    this.#parts.pathMtu.settle(now);
    return this.#pollMtuProbe(now, out) || this.#pollOneRtt(now, out);
  }

  /** 1-RTT packets only: a batch of equal datagrams, one packet each. */
  #pollOneRtt(now: Millis, out: TransmitBatch): boolean {
    const { recovery, compose, paths, spaces } = this.#parts;
    const path = paths.active;
    const size = this.#parts.pathMtu.size;
    const oneRtt = spaces.oneRtt!;
    const bytes = out.arena.bytes;
    const headers = this.#headers;
    let allowance = this.#makingRoom ? 0 : recovery.sendAllowance(now);
    let pathAllowance = path.allowance;
    let at = 0;
    headers.count = 0;
    this.pacedUntil = NEVER;
    while (at + size <= out.capacity && headers.count < MAX_SEGMENTS) {
      const probe = recovery.probes[Space.APPLICATION]! > 0;
      // A probe must get through even where the path has come to carry less: then its ACK shows what became of the others.
      const room = Math.min(probe ? Math.min(size, BASE_DATAGRAM_SIZE) : size, pathAllowance);
      recovery.probeTimer.amplificationLimited = room < MIN_ROOM;
      if (recovery.probeTimer.amplificationLimited) break;
      this.#skipPacketNumber();
      const mayCarry = probe || allowance >= size;
      if (!mayCarry && !spaces.application.acks.isDue(now)) {
        if (compose.wantsSend || paths.probesWaiting) this.pacedUntil = recovery.nextSendTime(now);
        break;
      }
      const end = compose.packet(now, bytes, at, at + room - TAG_LENGTH, Space.APPLICATION, mayCarry, probe);
      if (end === at) {
        if (allowance >= size) recovery.onAppLimited(compose.isBlocked);
        break;
      }
      const length = end + TAG_LENGTH - at;
      this.#note(now, out.arena, Space.APPLICATION, at, at + compose.headerLength, end);
      const packetNumber = this.#commit(now, Space.APPLICATION, length, compose.ackEliciting, compose.inFlight);
      oneRtt.seal(out.arena, at, compose.headerLength, end - at - compose.headerLength, packetNumber);
      headers.start[headers.count] = at;
      headers.pnOffset[headers.count++] = compose.pnOffset;
      at += length;
      if (compose.inFlight) allowance -= length;
      pathAllowance -= length;
      if (length < size) break;
    }
    if (at === 0) return false;
    oneRtt.writeHeader.protect(out.arena, headers);
    return this.#finish(out, at, headers.count > 1 ? size : at, paths.active.remote);
  }

  /** Leaves a packet number out when its turn has come. */
  #skipPacketNumber(): void {
    const sent = this.#parts.recovery.spaces[Space.APPLICATION]!;
    if (sent.nextPacketNumber < this.#skipAt) return;
    sent.skip();
    this.#skipAt = sent.nextPacketNumber + 1 + Math.floor(randomUnit(this.#parts.random) * this.#skipStretch);
    this.#skipStretch = Math.min(2 * this.#skipStretch, LAST_SKIP);
  }

  /** While Initial or Handshake keys live: one datagram of coalesced packets. */
  #pollHandshake(now: Millis, out: TransmitBatch): boolean {
    const { recovery, compose, spaces, paths, isServer } = this.#parts;
    const limit = Math.min(this.#parts.pathMtu.size, paths.active.allowance);
    recovery.probeTimer.amplificationLimited = limit < MIN_ROOM;
    this.pacedUntil = NEVER;
    const bytes = out.arena.bytes;
    // A probe takes along what waits in the other spaces: what was lost there may be what the peer needs to read the rest.
    const allowed = recovery.owesProbe || recovery.sendAllowance(now) >= BASE_DATAGRAM_SIZE;
    let at = 0;
    let packets = 0;
    let pad = false;
    for (const space of SPACES) {
      if (!spaces.canSend(space) || at + MIN_ROOM > limit) continue;
      const probe = recovery.probes[space]! > 0;
      // RFC 9000 §14.1: a datagram with an ack-eliciting Initial packet that cannot have its size must wait.
      const canPad = space !== Space.INITIAL || limit >= BASE_DATAGRAM_SIZE;
      const mayCarry = canPad && (probe || allowed);
      const end = compose.packet(now, bytes, at, limit - TAG_LENGTH, space, mayCarry, probe);
      if (end === at) continue;
      // RFC 9000 §14.1: all of a client's datagrams with Initial packets, a server's when they are ack-eliciting.
      if (space === Space.INITIAL && (!isServer || compose.ackEliciting)) pad = true;
      this.#pieces[packets++] = {
        space,
        start: at,
        headerLength: compose.headerLength,
        pnOffset: compose.pnOffset,
        end,
        ackEliciting: compose.ackEliciting,
        inFlight: compose.inFlight,
      };
      at = end + TAG_LENGTH;
    }
    if (packets === 0) {
      if (!allowed && (compose.wantsAny || paths.probesWaiting)) this.pacedUntil = recovery.nextSendTime(now);
      return false;
    }
    const total = pad ? this.#pad(bytes, at, Math.min(BASE_DATAGRAM_SIZE, limit), packets) : at;
    let hasHandshake = false;
    for (let i = 0; i < packets; i++) {
      this.#seal(now, out.arena, this.#pieces[i]!);
      if (this.#pieces[i]!.space === Space.HANDSHAKE) hasHandshake = true;
    }
    this.#finish(out, total, total, paths.active.remote);
    if (hasHandshake && !isServer) this.#parts.onHandshakeSent();
    return true;
  }

  /** Fills the last packet with PADDING up to `target` bytes of datagram; returns the datagram's length. */
  #pad(bytes: Uint8Array, at: number, target: number, packets: number): number {
    if (at >= target) return at;
    const last = this.#pieces[packets - 1]!;
    const end = last.end + target - at;
    bytes.fill(0, last.end, end);
    this.#pieces[packets - 1] = { ...last, end, inFlight: true };
    return target;
  }

  #seal(now: Millis, arena: Arena, piece: Piece): void {
    const { spaces } = this.#parts;
    const { space, start, headerLength, pnOffset, end } = piece;
    this.#note(now, arena, space, start, start + headerLength, end);
    const packetNumber = this.#commit(now, space, end + TAG_LENGTH - start, piece.ackEliciting, piece.inFlight);
    const headers = this.#headers;
    headers.count = 1;
    headers.start[0] = start;
    headers.pnOffset[0] = pnOffset;
    if (space === Space.APPLICATION) {
      spaces.oneRtt!.seal(arena, start, headerLength, end - start - headerLength, packetNumber);
      spaces.oneRtt!.writeHeader.protect(arena, headers);
      return;
    }
    patchLength(arena.bytes, pnOffset, end + TAG_LENGTH - pnOffset);
    const keys = spaces.all[space]!.write!;
    keys.packetKey.seal(arena, start, headerLength, end - start - headerLength, packetNumber);
    keys.headerKey.protect(arena, headers);
  }

  /**
   * Answers wait for window and pacer as anything else does, and so does the question at the address left, for the peer chooses how
   * many there are (RFC 9000 §8.2.2). Challenges of the address in use do not: they are three, with three times what came from there
   * at most, and a window that is full of what was sent to another address tells nothing of this one.
   */
  #isProbeDue(now: Millis): boolean {
    const { paths, recovery } = this.#parts;
    return paths.challengeDue(now) || (paths.probesWaiting && recovery.sendAllowance(now) > 0);
  }

  /** PATH_RESPONSE or PATH_CHALLENGE: a datagram of its own, as large as the path must be able to carry. */
  #pollProbe(now: Millis, out: TransmitBatch): boolean {
    const { paths, compose, recovery, remoteIds } = this.#parts;
    const isAllowed = recovery.sendAllowance(now) > 0;
    const left = isAllowed ? paths.takeRecheck() : undefined;
    const response = isAllowed && left === undefined ? paths.takeResponse() : undefined;
    const remote = left ?? response?.remote ?? paths.active.remote;
    const isActive = paths.isActive(remote);
    const allowance = isActive ? paths.active.allowance : (response?.limit ?? BASE_DATAGRAM_SIZE);
    const limit = Math.min(out.capacity, BASE_DATAGRAM_SIZE, allowance);
    // Counted even when there is no room for it: the validation must come to an end.
    const isDue = isActive && paths.challengeDue(now);
    const full = limit >= BASE_DATAGRAM_SIZE;
    const challenge = isDue || left !== undefined ? paths.nextChallenge(now, recovery.pto, isDue, full) : undefined;
    if (limit < MIN_PROBE_ROOM) return false;
    const bytes = out.arena.bytes;
    const id = isActive ? remoteIds.current : remoteIds.forProbe(remote);
    const end = compose.pathProbe(bytes, 0, limit - TAG_LENGTH, id, response?.data, challenge);
    const length = end + TAG_LENGTH;
    this.#sealAlone(now, out.arena, end);
    return this.#finish(out, length, length, remote);
  }

  /** A datagram that asks whether the path carries its size, when one is due and the window has room for it. RFC 8899 §4.1. */
  #pollMtuProbe(now: Millis, out: TransmitBatch): boolean {
    const { pathMtu, recovery, compose, paths } = this.#parts;
    const size = pathMtu.wanted;
    this.#makingRoom = size > 0 && !recovery.hasRoomFor(size);
    if (size === 0 || this.#makingRoom || recovery.sendAllowance(now) === 0) return false;
    // Its loss must say nothing about marks.
    this.#ecn = Ecn.NOT_ECT;
    this.#skipPacketNumber();
    const end = compose.mtuProbe(out.arena.bytes, 0, size - TAG_LENGTH, size);
    pathMtu.onProbeSent(this.#sealAlone(now, out.arena, end));
    return this.#finish(out, size, size, paths.active.remote);
  }

  /** Commits and seals a 1-RTT packet that is a datagram of its own, composed up to `end`; returns its number. */
  #sealAlone(now: Millis, arena: Arena, end: number): number {
    const { compose, spaces } = this.#parts;
    const { headerLength, ackEliciting, inFlight } = compose;
    this.#note(now, arena, Space.APPLICATION, 0, headerLength, end);
    const packetNumber = this.#commit(now, Space.APPLICATION, end + TAG_LENGTH, ackEliciting, inFlight);
    const headers = this.#headers;
    headers.count = 1;
    headers.start[0] = 0;
    headers.pnOffset[0] = compose.pnOffset;
    spaces.oneRtt!.seal(arena, 0, headerLength, end - headerLength, packetNumber);
    spaces.oneRtt!.writeHeader.protect(arena, headers);
    return packetNumber;
  }

  /** CONNECTION_CLOSE in every space that the peer may have keys for. RFC 9000 §10.2.3. */
  #pollClose(now: Millis, out: TransmitBatch): boolean {
    const { lifecycle, spaces, compose, paths, isServer } = this.#parts;
    if (!lifecycle.closePending) return false;
    lifecycle.closePending = false;
    const limit = Math.min(BASE_DATAGRAM_SIZE, out.capacity, paths.active.allowance);
    // A long reason is cut, so that one packet leaves room for the others; what one doesn't need is there for those behind it.
    let others = -1;
    for (const space of SPACES) if (spaces.canSend(space)) others++;
    let at = 0;
    let packets = 0;
    let pad = false;
    for (const space of SPACES) {
      if (!spaces.canSend(space)) continue;
      const left = others--;
      if (at + MIN_ROOM > limit) continue;
      const end = compose.closePacket(out.arena.bytes, at, limit - TAG_LENGTH, space, lifecycle.info!, left);
      if (end === at) continue;
      if (space === Space.INITIAL && !isServer) pad = true;
      const { headerLength, pnOffset } = compose;
      this.#pieces[packets++] = { space, start: at, headerLength, pnOffset, end, ackEliciting: false, inFlight: false };
      at = end + TAG_LENGTH;
    }
    if (packets === 0) return false;
    const total = pad ? this.#pad(out.arena.bytes, at, limit, packets) : at;
    for (let i = 0; i < packets; i++) this.#seal(now, out.arena, { ...this.#pieces[i]!, inFlight: false });
    return this.#finish(out, total, total, paths.active.remote);
  }

  /** Reports the packet at `start` while its payload, [payloadStart, payloadEnd), is in the clear. */
  #note(now: Millis, arena: Arena, space: Space, start: number, payloadStart: number, payloadEnd: number): void {
    const { observation, recovery } = this.#parts;
    if (observation.observer === undefined) return;
    observation.observer(now, {
      type: 'packet_sent',
      packetType: PACKET_TYPES[space],
      packetNumber: recovery.spaces[space]!.nextPacketNumber,
      size: payloadEnd + TAG_LENGTH - start,
      bytes: arena.bytes,
      payloadStart,
      payloadEnd,
    });
  }

  /** Enters the composed packet into the books and returns its number. */
  #commit(now: Millis, space: Space, size: number, ackEliciting: boolean, inFlight: boolean): number {
    const { recovery, idle } = this.#parts;
    if (ackEliciting) {
      idle.onAckElicitingSent(now);
      if (recovery.probes[space]! > 0) recovery.probes[space]!--;
    }
    return recovery.onPacketSent(space, now, size, ackEliciting, inFlight, this.#ecn);
  }

  #finish(out: TransmitBatch, length: number, segmentSize: number, remote: Address): boolean {
    const { paths, counters } = this.#parts;
    out.length = length;
    out.segmentSize = segmentSize;
    out.destination = remote;
    out.ecn = this.#ecn;
    if (paths.isActive(remote)) paths.active.bytesSent += length;
    counters.bytesSent += length;
    counters.datagramsSent += out.count;
    return true;
  }
}

/** A packet of a coalesced datagram, composed and not yet sealed. */
interface Piece {
  readonly space: Space;
  readonly start: number;
  readonly headerLength: number;
  readonly pnOffset: number;
  /** Behind the plaintext: the tag goes there. */
  readonly end: number;
  readonly ackEliciting: boolean;
  readonly inFlight: boolean;
}
