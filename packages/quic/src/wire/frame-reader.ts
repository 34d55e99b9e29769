import { Reader } from '../base/cursor.ts';
import { TransportError, TransportErrorCode } from '../base/errors.ts';
import type { AckFrame, FrameHandler } from './frame-handler.ts';
import { FrameType, PacketType } from './frame-type.ts';
import { STATELESS_RESET_TOKEN_LENGTH } from './frames.ts';
import { MAX_CONNECTION_ID_LENGTH } from './header.ts';
import { readStreamCount } from './stream-count.ts';

/** Set in what `FrameReader.read` returns when a frame of the packet asks for an acknowledgment (RFC 9000 §13.2.1). */
export const ACK_ELICITING = 1;
/** Set in what `FrameReader.read` returns when a frame of the packet is not a probing frame (RFC 9000 §9.1). */
export const NON_PROBING = 2;

const INITIAL = 1 << PacketType.INITIAL;
const ZERO_RTT = 1 << PacketType.ZERO_RTT;
const HANDSHAKE = 1 << PacketType.HANDSHAKE;
const ONE_RTT = 1 << PacketType.ONE_RTT;
const EVERYWHERE = INITIAL | HANDSHAKE | ZERO_RTT | ONE_RTT;
const NOT_ZERO_RTT = INITIAL | HANDSHAKE | ONE_RTT;
const APPLICATION = ZERO_RTT | ONE_RTT;

/** All frame types that we know are below this, hence one byte long. */
const TYPE_COUNT = 0x40;
/** In which packet types each frame type may appear, as bits: RFC 9000 table 3, RFC 9221 §4. 0: unknown frame type. */
const allowedIn = new Uint8Array(TYPE_COUNT);
/** What each frame type adds to the result: ACK_ELICITING, NON_PROBING. */
const effect = new Uint8Array(TYPE_COUNT);

function define(first: number, last: number, packets: number, effects: number): void {
  allowedIn.fill(packets, first, last + 1);
  effect.fill(effects, first, last + 1);
}
define(FrameType.PADDING, FrameType.PADDING, EVERYWHERE, 0);
define(FrameType.PING, FrameType.PING, EVERYWHERE, ACK_ELICITING | NON_PROBING);
define(FrameType.ACK, FrameType.ACK_ECN, NOT_ZERO_RTT, NON_PROBING);
define(FrameType.RESET_STREAM, FrameType.STOP_SENDING, APPLICATION, ACK_ELICITING | NON_PROBING);
define(FrameType.CRYPTO, FrameType.CRYPTO, NOT_ZERO_RTT, ACK_ELICITING | NON_PROBING);
define(FrameType.NEW_TOKEN, FrameType.NEW_TOKEN, ONE_RTT, ACK_ELICITING | NON_PROBING);
define(FrameType.STREAM, FrameType.STREAMS_BLOCKED_UNI, APPLICATION, ACK_ELICITING | NON_PROBING);
define(FrameType.NEW_CONNECTION_ID, FrameType.NEW_CONNECTION_ID, APPLICATION, ACK_ELICITING);
// RFC 9000 §12.5: it cannot be sent in 0-RTT packets, although table 3 lists it there.
define(FrameType.RETIRE_CONNECTION_ID, FrameType.RETIRE_CONNECTION_ID, ONE_RTT, ACK_ELICITING | NON_PROBING);
define(FrameType.PATH_CHALLENGE, FrameType.PATH_CHALLENGE, APPLICATION, ACK_ELICITING);
define(FrameType.PATH_RESPONSE, FrameType.PATH_RESPONSE, ONE_RTT, ACK_ELICITING);
define(FrameType.CONNECTION_CLOSE, FrameType.CONNECTION_CLOSE, EVERYWHERE, NON_PROBING);
define(FrameType.CONNECTION_CLOSE_APP, FrameType.CONNECTION_CLOSE_APP, APPLICATION, NON_PROBING);
define(FrameType.HANDSHAKE_DONE, FrameType.HANDSHAKE_DONE, ONE_RTT, ACK_ELICITING | NON_PROBING);
define(FrameType.DATAGRAM, FrameType.DATAGRAM_LEN, APPLICATION, ACK_ELICITING | NON_PROBING);

const utf8 = new TextDecoder();

/**
 * Reads the frames of packets and calls a FrameHandler for each, in order. One reader serves any number of packets, one
 * after the other: the AckFrame that it hands out is always the same object.
 */
export class FrameReader {
  readonly #reader = new Reader(new Uint8Array(0), TransportErrorCode.FRAME_ENCODING_ERROR, 'frame');
  readonly #ack: AckFrame = {
    largest: 0,
    delay: 0,
    rangeCount: 0,
    rangeStart: new Float64Array(64),
    rangeEnd: new Float64Array(64),
    hasEcn: false,
    ect0: 0,
    ect1: 0,
    ce: 0,
  };

  /**
   * Reads the frames in [start, end), the decrypted payload of a packet of `packetType`, and returns which of ACK_ELICITING
   * and NON_PROBING its frames are together. Throws a TransportError for no frame at all, a frame that is malformed,
   * unknown or not allowed in such a packet (RFC 9000 §12.4), and whatever the handler throws. Whether the peer's role
   * allows a frame (NEW_TOKEN, HANDSHAKE_DONE) is for the handler to say.
   */
  read(bytes: Uint8Array, start: number, end: number, packetType: PacketType, handler: FrameHandler): number {
    if (start >= end) throw new TransportError(TransportErrorCode.PROTOCOL_VIOLATION, 'packet without frames');
    const reader = this.#reader.reset(bytes, start, end);
    const packetBit = 1 << packetType;
    let flags = 0;
    while (reader.at < end) {
      const type = bytes[reader.at]!;
      if (type === FrameType.PADDING) {
        skipPadding(reader);
        continue;
      }
      reader.frameType = type;
      if (type >= TYPE_COUNT || allowedIn[type] === 0) refuseType(reader);
      if ((allowedIn[type]! & packetBit) === 0) refuseHere(type, packetType);
      flags |= effect[type]!;
      reader.at++;
      if ((type & 0xf8) === FrameType.STREAM) readStream(reader, type, handler);
      else if (type <= FrameType.NEW_TOKEN) this.#readLow(reader, type, handler);
      else if (type <= FrameType.STREAMS_BLOCKED_UNI) readLimit(reader, type, handler);
      else readHigh(reader, type, handler);
    }
    return flags;
  }

  #readLow(reader: Reader, type: number, handler: FrameHandler): void {
    switch (type) {
      case FrameType.PING:
        handler.onPing();
        break;
      case FrameType.ACK:
      case FrameType.ACK_ECN:
        handler.onAck(readAck(reader, this.#ack, type === FrameType.ACK_ECN));
        break;
      case FrameType.RESET_STREAM: {
        const id = streamId(reader);
        const errorCode = saturated(reader);
        const finalSize = reader.varint();
        if (finalSize > Number.MAX_SAFE_INTEGER) refuse(reader, TransportErrorCode.FLOW_CONTROL_ERROR, 'final size');
        handler.onResetStream(id, errorCode, finalSize);
        break;
      }
      case FrameType.STOP_SENDING: {
        const id = streamId(reader);
        handler.onStopSending(id, saturated(reader));
        break;
      }
      case FrameType.CRYPTO:
        readCrypto(reader, handler);
        break;
      default: {
        const length = reader.varint();
        if (length === 0) reader.fail('empty token');
        handler.onNewToken(reader.bytes, reader.skip(length), length);
      }
    }
  }
}

function skipPadding(reader: Reader): void {
  const { bytes, end } = reader;
  let at = reader.at + 1;
  while (at < end && bytes[at] === 0) at++;
  reader.at = at;
}

/** A type that we do not know, or one that is not encoded in as few bytes as it could be (RFC 9000 §12.4). */
function refuseType(reader: Reader): never {
  const at = reader.at;
  const type = reader.varint();
  const size = reader.at - at;
  reader.frameType = type;
  const isShortest = size === 1 || (size === 2 && type >= 0x40) || (size === 4 && type >= 0x4000) || type >= 0x40000000;
  if (!isShortest) refuse(reader, TransportErrorCode.PROTOCOL_VIOLATION, 'type not in its shortest encoding');
  return reader.fail(`unknown type 0x${type.toString(16)}`);
}

function refuseHere(type: number, packetType: PacketType): never {
  const reason = `frame 0x${type.toString(16)} in a packet of type ${packetType}`;
  throw new TransportError(TransportErrorCode.PROTOCOL_VIOLATION, reason, type);
}

function refuse(reader: Reader, code: number, reason: string): never {
  throw new TransportError(code, `frame: ${reason}`, reader.frameType);
}

function readStream(reader: Reader, type: number, handler: FrameHandler): void {
  const id = streamId(reader);
  const offset = type & 0x04 ? reader.varint() : 0;
  const length = type & 0x02 ? reader.varint() : reader.end - reader.at;
  // Truncation first, so that the sum below is of a length that was there.
  const start = reader.skip(length);
  if (offset + length > Number.MAX_SAFE_INTEGER) refuse(reader, TransportErrorCode.FLOW_CONTROL_ERROR, 'offset');
  handler.onStream(id, offset, reader.bytes, start, length, (type & 0x01) !== 0);
}

function readCrypto(reader: Reader, handler: FrameHandler): void {
  const offset = reader.varint();
  const length = reader.varint();
  const start = reader.skip(length);
  if (offset + length > Number.MAX_SAFE_INTEGER) refuse(reader, TransportErrorCode.CRYPTO_BUFFER_EXCEEDED, 'offset');
  handler.onCrypto(offset, reader.bytes, start, length);
}

function readLimit(reader: Reader, type: number, handler: FrameHandler): void {
  switch (type) {
    case FrameType.MAX_DATA:
      handler.onMaxData(saturated(reader));
      break;
    case FrameType.MAX_STREAM_DATA: {
      const id = streamId(reader);
      handler.onMaxStreamData(id, saturated(reader));
      break;
    }
    case FrameType.MAX_STREAMS_BIDI:
    case FrameType.MAX_STREAMS_UNI:
      handler.onMaxStreams(type === FrameType.MAX_STREAMS_BIDI, readStreamCount(reader));
      break;
    case FrameType.DATA_BLOCKED:
      handler.onDataBlocked(saturated(reader));
      break;
    case FrameType.STREAM_DATA_BLOCKED: {
      const id = streamId(reader);
      handler.onStreamDataBlocked(id, saturated(reader));
      break;
    }
    default:
      handler.onStreamsBlocked(type === FrameType.STREAMS_BLOCKED_BIDI, readStreamCount(reader));
  }
}

function readHigh(reader: Reader, type: number, handler: FrameHandler): void {
  switch (type) {
    case FrameType.NEW_CONNECTION_ID:
      readNewConnectionId(reader, handler);
      break;
    case FrameType.RETIRE_CONNECTION_ID:
      handler.onRetireConnectionId(sequenceNumber(reader));
      break;
    case FrameType.PATH_CHALLENGE:
      handler.onPathChallenge(reader.bytes, reader.skip(8));
      break;
    case FrameType.PATH_RESPONSE:
      handler.onPathResponse(reader.bytes, reader.skip(8));
      break;
    case FrameType.CONNECTION_CLOSE:
    case FrameType.CONNECTION_CLOSE_APP:
      readConnectionClose(reader, type === FrameType.CONNECTION_CLOSE_APP, handler);
      break;
    case FrameType.HANDSHAKE_DONE:
      handler.onHandshakeDone();
      break;
    default: {
      const length = type === FrameType.DATAGRAM_LEN ? reader.varint() : reader.end - reader.at;
      handler.onDatagram(reader.bytes, reader.skip(length), length);
    }
  }
}

function readNewConnectionId(reader: Reader, handler: FrameHandler): void {
  const sequence = sequenceNumber(reader);
  const retirePriorTo = reader.varint();
  if (retirePriorTo > sequence) reader.fail('Retire Prior To above the sequence number');
  const length = reader.u8();
  if (length < 1 || length > MAX_CONNECTION_ID_LENGTH) reader.fail(`connection ID of ${length} bytes`);
  const start = reader.skip(length);
  const tokenStart = reader.skip(STATELESS_RESET_TOKEN_LENGTH);
  handler.onNewConnectionId(sequence, retirePriorTo, reader.bytes, start, length, tokenStart);
}

function readConnectionClose(reader: Reader, application: boolean, handler: FrameHandler): void {
  const errorCode = saturated(reader);
  const frameType = application ? -1 : saturated(reader);
  const reason = utf8.decode(reader.view(reader.varint()));
  handler.onConnectionClose(application, errorCode, frameType, reason);
}

/** RFC 9000 §19.3.1. A packet number that is no safe integer was never sent: PROTOCOL_VIOLATION (§13.1). */
function readAck(reader: Reader, ack: AckFrame, hasEcn: boolean): AckFrame {
  const largest = reader.varint();
  if (largest > Number.MAX_SAFE_INTEGER) {
    refuse(reader, TransportErrorCode.PROTOCOL_VIOLATION, 'acknowledgment of a packet never sent');
  }
  ack.largest = largest;
  ack.delay = saturated(reader);
  const more = reader.varint();
  let smallest = largest - reader.varint();
  if (smallest < 0) reader.fail('negative packet number');
  // Each further range takes two bytes at least: a count that cannot be true must not grow the arrays.
  if (more * 2 > reader.remaining) reader.fail('truncated');
  if (more >= ack.rangeStart.length) growRanges(ack, more + 1);
  const starts = ack.rangeStart;
  const ends = ack.rangeEnd;
  starts[0] = smallest;
  ends[0] = largest;
  for (let i = 1; i <= more; i++) {
    const end = smallest - reader.varint() - 2;
    smallest = end - reader.varint();
    if (smallest < 0) reader.fail('negative packet number');
    starts[i] = smallest;
    ends[i] = end;
  }
  ack.rangeCount = more + 1;
  ack.hasEcn = hasEcn;
  ack.ect0 = hasEcn ? saturated(reader) : 0;
  ack.ect1 = hasEcn ? saturated(reader) : 0;
  ack.ce = hasEcn ? saturated(reader) : 0;
  return ack;
}

function growRanges(ack: AckFrame, needed: number): void {
  let length = ack.rangeStart.length;
  while (length < needed) length *= 2;
  ack.rangeStart = new Float64Array(length);
  ack.rangeEnd = new Float64Array(length);
}

/** A limit, code or count: what exceeds 2^53-1 means as much as 2^53-1 does. */
function saturated(reader: Reader): number {
  return Math.min(reader.varint(), Number.MAX_SAFE_INTEGER);
}

/** No limit that we announce ever admits a stream whose ID exceeds 2^53-1. */
function streamId(reader: Reader): number {
  const id = reader.varint();
  if (id > Number.MAX_SAFE_INTEGER) refuse(reader, TransportErrorCode.STREAM_LIMIT_ERROR, 'stream ID');
  return id;
}

/** Sequence numbers count up from 0 one at a time (RFC 9000 §5.1.1), so none gets beyond 2^53-1. */
function sequenceNumber(reader: Reader): number {
  const sequence = reader.varint();
  if (sequence > Number.MAX_SAFE_INTEGER) refuse(reader, TransportErrorCode.PROTOCOL_VIOLATION, 'sequence number');
  return sequence;
}
