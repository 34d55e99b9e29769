import type { Address } from '../base/address.ts';
import { type Arena, heapArena } from '../base/arena.ts';
import type { ReceiveBatch } from '../base/batch.ts';
import { sameBytes } from '../base/cursor.ts';
import { BASE_DATAGRAM_SIZE } from '../base/datagram-size.ts';
import { TransportError, TransportErrorCode } from '../base/errors.ts';
import type { Millis } from '../base/time.ts';
import { type HeaderBatch, TAG_LENGTH } from '../crypto/engine.ts';
import { ACK_ELICITING, FrameReader, NON_PROBING } from '../wire/frame-reader.ts';
import { PacketType, Space } from '../wire/frame-type.ts';
import { Header, KEY_PHASE_BIT, LONG_RESERVED_BITS, readHeader, SHORT_RESERVED_BITS } from '../wire/header.ts';
import { decodePacketNumber, readTruncated } from '../wire/packet-number.ts';
import type { Counters } from './counters.ts';
import type { EarlyRetransmission } from './early-retransmission.ts';
import type { FrameEffects } from './frame-effects.ts';
import type { IdleTimer } from './idle-timer.ts';
import type { Lifecycle } from './lifecycle.ts';
import { LOCAL_ID_LENGTH } from './local-connection-ids.ts';
import type { Observation } from './observation.ts';
import type { Opening } from './opening.ts';
import type { Paths } from './paths.ts';
import type { RemoteConnectionIds } from './remote-connection-ids.ts';
import type { Spaces } from './spaces.ts';

/** How many packets that came before their keys are kept, and how many bytes of them: nobody has authenticated them. */
const MAX_ASIDE = 32;
const MAX_ASIDE_BYTES = 64 << 10;
/** The first byte of a short header has the second highest bit set and the highest not, RFC 9000 §17.3.1. */
const FORM_AND_FIXED_BITS = 0xc0;
const SHORT_FORM = 0x40;
/** How many short headers are unprotected in one call. */
const MAX_RUN = 64;

/** The components that receiving packets changes. */
export interface ReceiveParts {
  readonly opening: Opening;
  readonly spaces: Spaces;
  readonly paths: Paths;
  readonly remoteIds: RemoteConnectionIds;
  readonly lifecycle: Lifecycle;
  readonly idle: IdleTimer;
  readonly counters: Counters;
  readonly effects: FrameEffects;
  readonly observation: Observation;
  readonly early: EarlyRetransmission;
  /** Handshake bytes arrived: feed TLS. */
  onCrypto(): void;
  /** An Initial or Handshake packet from `source` was authenticated. */
  onLongPacket(space: Space, source: Address): void;
  /** The peer has updated its keys. */
  onKeyUpdate(now: Millis): void;
  /** A Retry or Version Negotiation packet for a client; not authenticated beyond its form. */
  onRetry(bytes: Uint8Array, header: Header): void;
  onVersionNegotiation(bytes: Uint8Array, header: Header): void;
  onStatelessReset(now: Millis): void;
  /** The peer now sends from `source`. */
  onMigration(now: Millis, source: Address, datagramSize: number, destinationId: Uint8Array): void;
}

/** A datagram's rest that came before its keys. */
interface Aside {
  readonly bytes: Uint8Array;
  readonly source: Address;
  readonly ecn: number;
}

/** From datagrams to frames: headers, keys, packet numbers, duplicates. RFC 9000 §12, RFC 9001 §5. */
export class Receive {
  readonly #parts: ReceiveParts;
  readonly #header = new Header();
  readonly #frames = new FrameReader();
  readonly #run: HeaderBatch = { count: 0, start: new Int32Array(MAX_RUN), pnOffset: new Int32Array(MAX_RUN) };
  /** Batch index of each entry of #run. */
  readonly #runIndex = new Int32Array(MAX_RUN);
  #aside: Aside[] = [];
  #asideBytes = 0;
  /** Whether keys came that may open what was put aside. */
  #asideDue = false;
  /** Where the client's newest Handshake packet came from, when that isn't the address in use, and the size of its datagram. */
  #handshakeSource: Address | undefined;
  #handshakeSize = 0;
  /** Whether a packet of the peer's has been authenticated: no Retry or Version Negotiation counts after that. */
  #heard = false;

  constructor(parts: ReceiveParts) {
    this.#parts = parts;
  }

  /** Takes datagrams [from, to) of the batch, in place. Throws a TransportError on a peer's violation. */
  receive(now: Millis, batch: ReceiveBatch, from: number, to: number): void {
    const { lifecycle, paths, effects } = this.#parts;
    const bytes = batch.arena.bytes;
    let i = from;
    effects.now = now;
    while (i < to && lifecycle.isOpen) {
      const isLong = (bytes[batch.start[i]!]! & 0x80) !== 0;
      if (isLong || this.#parts.spaces.oneRtt === undefined) {
        if (this.#admit(batch.source[i]!, batch.length[i]!)) {
          const start = batch.start[i]!;
          this.#receiveDatagram(now, batch.arena, start, start + batch.length[i]!, batch.source[i]!, batch.ecn[i]!);
        }
        i++;
      } else {
        i = this.#receiveShortRun(now, batch, i, to);
      }
      this.resume(now);
    }
    for (; i < to; i++) {
      if (paths.isActive(batch.source[i]!)) paths.active.bytesReceived += batch.length[i]!;
      lifecycle.onStray();
    }
  }

  /** Opens what was put aside, when keys have come that may do it; follows a client that has moved during the handshake. */
  resume(now: Millis): void {
    if (this.#handshakeSource !== undefined && this.#parts.spaces.handshake.discarded) this.#followHandshake(now);
    while (this.#asideDue) this.#receiveAside(now);
  }

  /** New read keys: what was put aside gets another try. */
  onReadKeys(): void {
    this.#asideDue = this.#aside.length > 0;
  }

  /** Counts a datagram; false for one that a client must ignore because it isn't from its server. RFC 9000 §9. */
  #admit(source: Address, size: number): boolean {
    const { counters, paths, opening } = this.#parts;
    counters.datagramsReceived++;
    counters.bytesReceived += size;
    if (paths.isActive(source)) {
      paths.active.bytesReceived += size;
      return true;
    }
    if (opening.isServer) return true;
    this.#drop('unknown_source', size);
    return false;
  }

  #drop(trigger: string, size: number): void {
    this.#parts.counters.packetsDropped++;
    this.#parts.observation.observer?.(this.#parts.effects.now, { type: 'packet_dropped', trigger, size });
  }

  /**
   * The client's last Handshake packets came from another address, and the handshake is confirmed: they count as any non-probing
   * packet (RFC 9000 §9.3), for a client that has nothing to say sends none, and would wait for HANDSHAKE_DONE where it was.
   */
  #followHandshake(now: Millis): void {
    const source = this.#handshakeSource!;
    this.#handshakeSource = undefined;
    if (this.#parts.paths.isActive(source)) return;
    this.#parts.onMigration(now, source, this.#handshakeSize, this.#parts.opening.localId);
  }

  #receiveAside(now: Millis): void {
    this.#asideDue = false;
    const waiting = this.#aside;
    this.#aside = [];
    this.#asideBytes = 0;
    for (const { bytes, source, ecn } of waiting) {
      if (!this.#parts.lifecycle.isOpen) return;
      const arena = heapArena(bytes.length);
      arena.bytes.set(bytes);
      this.#receiveDatagram(now, arena, 0, bytes.length, source, ecn);
    }
  }

  #putAside(bytes: Uint8Array, start: number, end: number, source: Address, ecn: number): void {
    if (this.#aside.length >= MAX_ASIDE || this.#asideBytes + end - start > MAX_ASIDE_BYTES)
      return this.#drop('keys_unavailable', end - start);
    this.#asideBytes += end - start;
    this.#aside.push({ bytes: bytes.slice(start, end), source, ecn });
  }

  /** One datagram that starts with a long header, or came before its keys. */
  #receiveDatagram(now: Millis, arena: Arena, start: number, end: number, source: Address, ecn: number): void {
    const { effects, counters, lifecycle } = this.#parts;
    effects.now = now;
    effects.source = source;
    effects.datagramSize = end - start;
    // RFC 9000 §10.3: another version's stateless reset may have a long header. It is one when no packet in it can be opened.
    const endsInToken = this.#isStatelessReset(arena.bytes, start, end);
    const received = counters.packetsReceived;
    this.#receivePackets(now, arena, start, end, source, ecn);
    if (endsInToken && counters.packetsReceived === received && lifecycle.isOpen) this.#parts.onStatelessReset(now);
  }

  /** The coalesced packets of a datagram, RFC 9000 §12.2. */
  #receivePackets(now: Millis, arena: Arena, start: number, end: number, source: Address, ecn: number): void {
    const { effects, lifecycle } = this.#parts;
    const header = this.#header;
    const bytes = arena.bytes;
    let destination: Uint8Array | undefined;
    for (let at = start; at < end && lifecycle.isOpen; at = header.end) {
      if (!readHeader(bytes, at, end, LOCAL_ID_LENGTH, header)) return this.#drop('invalid', end - at);
      const id = bytes.slice(header.dcidStart, header.dcidStart + header.dcidLength);
      destination ??= id;
      // RFC 9000 §12.2: coalesced packets of another connection are dropped, the rest of the datagram is not.
      if (!sameBytes(destination, id)) {
        this.#drop('unknown_connection_id', header.end - at);
        continue;
      }
      effects.idBytes = bytes;
      effects.idStart = header.dcidStart;
      effects.idLength = header.dcidLength;
      this.#receivePacket(now, arena, at, source, ecn);
    }
  }

  #receivePacket(now: Millis, arena: Arena, at: number, source: Address, ecn: number): void {
    const header = this.#header;
    const { end } = header;
    const bytes = arena.bytes;
    if (!header.known) return this.#drop('unsupported_version', end - at);
    switch (header.type) {
      case PacketType.ONE_RTT:
        if (this.#parts.spaces.oneRtt === undefined) return this.#putAside(bytes, at, end, source, ecn);
        this.#run.count = 0;
        this.#addToRun(at, end, 0);
        if (this.#run.count === 0) return;
        this.#parts.spaces.oneRtt.readHeader.unprotect(arena, this.#run);
        return this.#receiveShort(now, arena, at, end, source, ecn);
      case PacketType.VERSION_NEGOTIATION:
        if (!this.#isAnswerToFirst(bytes)) return this.#drop('unexpected_packet', end - at);
        return this.#parts.onVersionNegotiation(bytes, header);
      case PacketType.RETRY:
        if (this.#parts.opening.isServer || this.#heard) return this.#drop('unexpected_packet', end - at);
        return this.#parts.onRetry(bytes, header);
      case PacketType.ZERO_RTT:
        return this.#drop('keys_unavailable', end - at);
      default:
        return this.#receiveLong(now, arena, at, source, ecn);
    }
  }

  /**
   * Whether a Version Negotiation packet can be the answer to this client's very first one: nothing else has come, not even
   * a Retry, and it names the connection ID that only those know who saw the first packet. RFC 9000 §6.2, §17.2.1.
   */
  #isAnswerToFirst(bytes: Uint8Array): boolean {
    const { opening } = this.#parts;
    const { scidStart, scidLength } = this.#header;
    if (opening.isServer || this.#heard || opening.retryId !== undefined) return false;
    return sameBytes(bytes.subarray(scidStart, scidStart + scidLength), opening.originalDestinationId);
  }

  /** An Initial or Handshake packet. */
  #receiveLong(now: Millis, arena: Arena, at: number, source: Address, ecn: number): void {
    const { opening, spaces, effects } = this.#parts;
    const header = this.#header;
    const bytes = arena.bytes;
    const { end, pnOffset, type } = header;
    const size = end - at;
    if (header.version !== opening.version) return this.#drop('unexpected_version', size);
    const spaceIndex = type === PacketType.INITIAL ? Space.INITIAL : Space.HANDSHAKE;
    // RFC 9000 §14.1: a server takes Initial packets from datagrams of at least this size only.
    if (opening.isServer && spaceIndex === Space.INITIAL && effects.datagramSize < BASE_DATAGRAM_SIZE)
      return this.#drop('too_short', size);
    const space = spaces.all[spaceIndex]!;
    const keys = space.read;
    if (keys === undefined) {
      if (space.discarded) {
        if (spaceIndex === Space.HANDSHAKE) this.#parts.early.onLateHandshake(now);
        return this.#drop('keys_discarded', size);
      }
      this.#parts.early.onEarlyHandshake(now);
      return this.#putAside(bytes, at, end, source, ecn);
    }
    const sourceId = bytes.subarray(header.scidStart, header.scidStart + header.scidLength);
    if (opening.remoteId !== undefined && !sameBytes(opening.remoteId, sourceId))
      return this.#drop('unknown_connection_id', size);
    if (pnOffset + 4 + TAG_LENGTH > end) return this.#drop('too_short', size);
    // RFC 9000 §17.2.2: only clients put tokens on Initial packets.
    if (!opening.isServer && type === PacketType.INITIAL && header.tokenLength > 0) return this.#drop('token', size);

    this.#run.count = 1;
    this.#run.start[0] = at;
    this.#run.pnOffset[0] = pnOffset;
    keys.headerKey.unprotect(arena, this.#run);
    const pnLength = (bytes[at]! & 0x03) + 1;
    const packetNumber = decodePacketNumber(space.acks.largest, readTruncated(bytes, pnOffset, pnLength), pnLength);
    const payload = pnOffset + pnLength;
    if (!keys.packetKey.open(arena, at, payload - at, end - payload, packetNumber)) {
      spaces.forgeries.onForged(keys.integrityLimit);
      return this.#drop('decryption_failure', size);
    }
    if ((bytes[at]! & LONG_RESERVED_BITS) !== 0) reservedBits();
    if (space.acks.isDuplicate(packetNumber)) return this.#drop('duplicate', size);

    if (opening.remoteId === undefined) {
      opening.remoteId = sourceId.slice();
      this.#parts.remoteIds.replaceInitial(opening.remoteId);
    }
    this.#heard = true;
    this.#parts.onLongPacket(spaceIndex, source);
    effects.space = spaceIndex;
    const newest = packetNumber > space.acks.largest;
    const flags = this.#receiveFrames(now, type, packetNumber, arena, at, payload, end, ecn);
    if (!newest || spaceIndex !== Space.HANDSHAKE || (flags & NON_PROBING) === 0) return;
    this.#handshakeSource = this.#parts.paths.isActive(source) ? undefined : source;
    this.#handshakeSize = effects.datagramSize;
  }

  /** Datagrams that start with short headers, as many as follow each other; returns the index behind them. */
  #receiveShortRun(now: Millis, batch: ReceiveBatch, from: number, to: number): number {
    const { effects, lifecycle, spaces } = this.#parts;
    const bytes = batch.arena.bytes;
    const run = this.#run;
    run.count = 0;
    let i = from;
    for (; i < to && run.count < MAX_RUN; i++) {
      const start = batch.start[i]!;
      const end = start + batch.length[i]!;
      const form = bytes[start]! & FORM_AND_FIXED_BITS;
      if (form > SHORT_FORM) break;
      if (!this.#admit(batch.source[i]!, end - start)) continue;
      if (this.#isStatelessReset(bytes, start, end)) {
        this.#parts.onStatelessReset(now);
        return to;
      }
      if (form !== SHORT_FORM) {
        this.#drop('invalid', end - start);
        continue;
      }
      this.#addToRun(start, end, i);
    }
    if (run.count === 0) return i;
    spaces.oneRtt!.readHeader.unprotect(batch.arena, run);
    const count = run.count;
    for (let k = 0; k < count && lifecycle.isOpen; k++) {
      const index = this.#runIndex[k]!;
      const start = batch.start[index]!;
      const end = start + batch.length[index]!;
      effects.source = batch.source[index]!;
      effects.datagramSize = end - start;
      this.#receiveShort(now, batch.arena, start, end, batch.source[index]!, batch.ecn[index]!);
    }
    return i;
  }

  #addToRun(start: number, end: number, index: number): void {
    const pnOffset = start + 1 + LOCAL_ID_LENGTH;
    if (pnOffset + 4 + TAG_LENGTH > end) return this.#drop('too_short', end - start);
    const run = this.#run;
    run.start[run.count] = start;
    run.pnOffset[run.count] = pnOffset;
    this.#runIndex[run.count++] = index;
  }

  /** RFC 9000 §10.3.1: checked before opening, which leaves the bytes of a packet that fails undefined. */
  #isStatelessReset(bytes: Uint8Array, start: number, end: number): boolean {
    return end - start >= 21 && this.#parts.remoteIds.isResetToken(bytes, end - 16);
  }

  /** A 1-RTT packet whose header protection is off. */
  #receiveShort(now: Millis, arena: Arena, start: number, end: number, source: Address, ecn: number): void {
    const { spaces, effects, paths } = this.#parts;
    const bytes = arena.bytes;
    const first = bytes[start]!;
    const acks = spaces.application.acks;
    const pnOffset = start + 1 + LOCAL_ID_LENGTH;
    const pnLength = (first & 0x03) + 1;
    const packetNumber = decodePacketNumber(acks.largest, readTruncated(bytes, pnOffset, pnLength), pnLength);
    const payload = pnOffset + pnLength;
    const phase = (first & KEY_PHASE_BIT) === 0 ? 0 : 1;
    const oneRtt = spaces.oneRtt!;
    const updates = oneRtt.updates;
    if (!oneRtt.openOneRtt(now, arena, start, payload - start, end - payload, packetNumber, phase)) {
      return this.#drop('decryption_failure', end - start);
    }
    if (oneRtt.updates !== updates) this.#parts.onKeyUpdate(now);
    if ((first & SHORT_RESERVED_BITS) !== 0) reservedBits();
    if (acks.isDuplicate(packetNumber)) return this.#drop('duplicate', end - start);
    const newest = packetNumber > acks.largest;
    effects.space = Space.APPLICATION;
    effects.idBytes = bytes;
    effects.idStart = start + 1;
    effects.idLength = LOCAL_ID_LENGTH;
    const flags = this.#receiveFrames(now, PacketType.ONE_RTT, packetNumber, arena, start, payload, end, ecn);
    const moved = !paths.isActive(source);
    if (moved && newest && (flags & NON_PROBING) !== 0) {
      this.#parts.onMigration(now, source, effects.datagramSize, bytes.slice(start + 1, pnOffset));
    }
  }

  /** Reads the frames of an opened packet and takes note of it; returns the frame reader's flags. */
  #receiveFrames(
    now: Millis,
    type: PacketType,
    packetNumber: number,
    arena: Arena,
    start: number,
    payload: number,
    end: number,
    ecn: number,
  ): number {
    const { effects, spaces, idle, counters, observation } = this.#parts;
    const payloadEnd = end - TAG_LENGTH;
    observation.observer?.(now, {
      type: 'packet_received',
      packetType: type,
      packetNumber,
      size: end - start,
      bytes: arena.bytes,
      payloadStart: payload,
      payloadEnd,
    });
    effects.packetNumber = packetNumber;
    const space = spaces.all[effects.space]!;
    const flags = this.#frames.read(arena.bytes, payload, payloadEnd, type, effects);
    counters.packetsReceived++;
    space.acks.onPacketReceived(now, packetNumber, (flags & ACK_ELICITING) !== 0, ecn);
    idle.onReceived(now);
    if (effects.cryptoArrived) {
      effects.cryptoArrived = false;
      this.#parts.onCrypto();
    }
    return flags;
  }
}

function reservedBits(): never {
  throw new TransportError(TransportErrorCode.PROTOCOL_VIOLATION, 'reserved bits are set');
}
