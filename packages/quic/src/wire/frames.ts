import { varintSize, writeBytes, writeVarint, writeVarint2 } from '../base/cursor.ts';
import type { Ranges } from '../base/ranges.ts';
import { FrameType } from './frame-type.ts';

// One writer for each frame of RFC 9000 §19 and RFC 9221 §4. Each writes at `at` and returns the offset behind the frame.
// The caller has checked the room, with the size function of the same name; writeAck and writeConnectionClose fit
// themselves into it.

const STREAM_OFF = 0x04;
const STREAM_LEN = 0x02;
const STREAM_FIN = 0x01;

/** The length of a stateless reset token, RFC 9000 §10.3. */
export const STATELESS_RESET_TOKEN_LENGTH = 16;

/** Fills [at, end) with PADDING frames and returns `end`. RFC 9000 §19.1. */
export function writePadding(bytes: Uint8Array, at: number, end: number): number {
  bytes.fill(FrameType.PADDING, at, end);
  return end;
}

/** PING, one byte. RFC 9000 §19.2. */
export function writePing(bytes: Uint8Array, at: number): number {
  bytes[at] = FrameType.PING;
  return at + 1;
}

/** The ECN counts of an ACK frame, RFC 9000 §19.3.2. */
export interface EcnCounts {
  ect0: number;
  ect1: number;
  ce: number;
}

/**
 * ACK (RFC 9000 §19.3) of the packet numbers in `ranges` (half-open), as many of the highest `maxRanges` ranges as fit before
 * `end`. `delayField` is the delay in microseconds, already divided by 2^ack_delay_exponent. Returns `at`, with nothing
 * written that counts, when `ranges` is empty or not even its highest range fits.
 */
export function writeAck(
  bytes: Uint8Array,
  at: number,
  end: number,
  ranges: Ranges,
  delayField: number,
  maxRanges: number,
  ecn?: EcnCounts,
): number {
  let i = ranges.count - 1;
  if (i < 0) return at;
  let start = ranges.start(i);
  const largest = ranges.end(i) - 1;
  const wanted = Math.min(i, maxRanges - 1);
  // How many ranges fit is known only behind them, so their count gets the room that the most would need.
  const countSize = wanted < 0x40 ? 1 : 2;
  const ecnSize = ecn === undefined ? 0 : varintSize(ecn.ect0) + varintSize(ecn.ect1) + varintSize(ecn.ce);
  const rangesEnd = end - ecnSize;
  const size = 1 + varintSize(largest) + varintSize(delayField) + countSize + varintSize(largest - start);
  if (at + size > rangesEnd) return at;

  bytes[at] = ecn === undefined ? FrameType.ACK : FrameType.ACK_ECN;
  const countAt = writeVarint(bytes, writeVarint(bytes, at + 1, largest), delayField);
  let next = writeVarint(bytes, countAt + countSize, largest - start);
  let count = 0;
  while (count < wanted) {
    i--;
    const gap = start - ranges.end(i) - 1;
    start = ranges.start(i);
    const length = ranges.end(i) - start - 1;
    if (next + varintSize(gap) + varintSize(length) > rangesEnd) break;
    next = writeVarint(bytes, writeVarint(bytes, next, gap), length);
    count++;
  }
  if (countSize === 1) bytes[countAt] = count;
  else writeVarint2(bytes, countAt, count);
  if (ecn === undefined) return next;
  return writeVarint(bytes, writeVarint(bytes, writeVarint(bytes, next, ecn.ect0), ecn.ect1), ecn.ce);
}

export function resetStreamSize(id: number, errorCode: number, finalSize: number): number {
  return 1 + varintSize(id) + varintSize(errorCode) + varintSize(finalSize);
}

/** RESET_STREAM, RFC 9000 §19.4. */
export function writeResetStream(
  bytes: Uint8Array,
  at: number,
  id: number,
  errorCode: number,
  finalSize: number,
): number {
  bytes[at] = FrameType.RESET_STREAM;
  return writeVarint(bytes, writeVarint(bytes, writeVarint(bytes, at + 1, id), errorCode), finalSize);
}

export function stopSendingSize(id: number, errorCode: number): number {
  return twoFieldSize(id, errorCode);
}

/** STOP_SENDING, RFC 9000 §19.5. */
export function writeStopSending(bytes: Uint8Array, at: number, id: number, errorCode: number): number {
  return writeTwoFields(bytes, at, FrameType.STOP_SENDING, id, errorCode);
}

/** What `writeCryptoHeader` writes, in bytes, the data not included. */
export function cryptoHeaderSize(offset: number, length: number): number {
  return twoFieldSize(offset, length);
}

/** The part of a CRYPTO frame before its data; the caller copies `length` bytes behind it. RFC 9000 §19.6. */
export function writeCryptoHeader(bytes: Uint8Array, at: number, offset: number, length: number): number {
  return writeTwoFields(bytes, at, FrameType.CRYPTO, offset, length);
}

export function newTokenSize(tokenLength: number): number {
  return oneFieldSize(tokenLength) + tokenLength;
}

/** NEW_TOKEN; the token is not empty. RFC 9000 §19.7. */
export function writeNewToken(bytes: Uint8Array, at: number, token: Uint8Array): number {
  return writeBytes(bytes, writeOneField(bytes, at, FrameType.NEW_TOKEN, token.length), token);
}

/**
 * The part of a STREAM frame before its data; the caller copies the data behind it. A `length` of -1 leaves the length field
 * out: the data then runs to the packet's end. RFC 9000 §19.8.
 */
export function writeStreamHeader(
  bytes: Uint8Array,
  at: number,
  id: number,
  offset: number,
  length: number,
  fin: boolean,
): number {
  let type: number = FrameType.STREAM;
  let next = writeVarint(bytes, at + 1, id);
  if (offset !== 0) {
    type |= STREAM_OFF;
    next = writeVarint(bytes, next, offset);
  }
  if (length >= 0) {
    type |= STREAM_LEN;
    next = writeVarint(bytes, next, length);
  }
  bytes[at] = fin ? type | STREAM_FIN : type;
  return next;
}

export function maxDataSize(maximum: number): number {
  return oneFieldSize(maximum);
}

/** MAX_DATA, RFC 9000 §19.9. */
export function writeMaxData(bytes: Uint8Array, at: number, maximum: number): number {
  return writeOneField(bytes, at, FrameType.MAX_DATA, maximum);
}

export function maxStreamDataSize(id: number, maximum: number): number {
  return twoFieldSize(id, maximum);
}

/** MAX_STREAM_DATA, RFC 9000 §19.10. */
export function writeMaxStreamData(bytes: Uint8Array, at: number, id: number, maximum: number): number {
  return writeTwoFields(bytes, at, FrameType.MAX_STREAM_DATA, id, maximum);
}

export function maxStreamsSize(maximum: number): number {
  return oneFieldSize(maximum);
}

/** MAX_STREAMS, RFC 9000 §19.11. */
export function writeMaxStreams(bytes: Uint8Array, at: number, bidirectional: boolean, maximum: number): number {
  return writeOneField(bytes, at, bidirectional ? FrameType.MAX_STREAMS_BIDI : FrameType.MAX_STREAMS_UNI, maximum);
}

export function dataBlockedSize(limit: number): number {
  return oneFieldSize(limit);
}

/** DATA_BLOCKED, RFC 9000 §19.12. */
export function writeDataBlocked(bytes: Uint8Array, at: number, limit: number): number {
  return writeOneField(bytes, at, FrameType.DATA_BLOCKED, limit);
}

export function streamDataBlockedSize(id: number, limit: number): number {
  return twoFieldSize(id, limit);
}

/** STREAM_DATA_BLOCKED, RFC 9000 §19.13. */
export function writeStreamDataBlocked(bytes: Uint8Array, at: number, id: number, limit: number): number {
  return writeTwoFields(bytes, at, FrameType.STREAM_DATA_BLOCKED, id, limit);
}

export function streamsBlockedSize(limit: number): number {
  return oneFieldSize(limit);
}

/** STREAMS_BLOCKED, RFC 9000 §19.14. */
export function writeStreamsBlocked(bytes: Uint8Array, at: number, bidirectional: boolean, limit: number): number {
  return writeOneField(
    bytes,
    at,
    bidirectional ? FrameType.STREAMS_BLOCKED_BIDI : FrameType.STREAMS_BLOCKED_UNI,
    limit,
  );
}

export function newConnectionIdSize(sequence: number, retirePriorTo: number, idLength: number): number {
  return twoFieldSize(sequence, retirePriorTo) + 1 + idLength + STATELESS_RESET_TOKEN_LENGTH;
}

/** NEW_CONNECTION_ID; `id` has 1 to 20 bytes and `token` 16. RFC 9000 §19.15. */
export function writeNewConnectionId(
  bytes: Uint8Array,
  at: number,
  sequence: number,
  retirePriorTo: number,
  id: Uint8Array,
  token: Uint8Array,
): number {
  const next = writeTwoFields(bytes, at, FrameType.NEW_CONNECTION_ID, sequence, retirePriorTo);
  bytes[next] = id.length;
  return writeBytes(bytes, writeBytes(bytes, next + 1, id), token);
}

export function retireConnectionIdSize(sequence: number): number {
  return oneFieldSize(sequence);
}

/** RETIRE_CONNECTION_ID, RFC 9000 §19.16. */
export function writeRetireConnectionId(bytes: Uint8Array, at: number, sequence: number): number {
  return writeOneField(bytes, at, FrameType.RETIRE_CONNECTION_ID, sequence);
}

/** PATH_CHALLENGE with eight bytes of data, nine bytes in all. RFC 9000 §19.17. */
export function writePathChallenge(bytes: Uint8Array, at: number, data: Uint8Array): number {
  bytes[at] = FrameType.PATH_CHALLENGE;
  return writeBytes(bytes, at + 1, data);
}

/** PATH_RESPONSE with the eight bytes of the challenge, nine bytes in all. RFC 9000 §19.18. */
export function writePathResponse(bytes: Uint8Array, at: number, data: Uint8Array): number {
  bytes[at] = FrameType.PATH_RESPONSE;
  return writeBytes(bytes, at + 1, data);
}

const utf8 = new TextEncoder();

/**
 * CONNECTION_CLOSE (RFC 9000 §19.19), with as much of `reason` as fits before `end`, cut at a character. `frameType` is
 * ignored for an application close (0x1d). Returns `at` when not even an empty reason fits.
 */
export function writeConnectionClose(
  bytes: Uint8Array,
  at: number,
  end: number,
  application: boolean,
  errorCode: number,
  frameType: number,
  reason: string,
): number {
  const lengthSize = reason.length * 3 < 0x40 ? 1 : 2;
  const headSize = oneFieldSize(errorCode) + (application ? 0 : varintSize(frameType));
  if (at + headSize + lengthSize > end) return at;
  const type = application ? FrameType.CONNECTION_CLOSE_APP : FrameType.CONNECTION_CLOSE;
  let next = writeOneField(bytes, at, type, errorCode);
  if (!application) next = writeVarint(bytes, next, frameType);
  const reasonAt = next + lengthSize;
  const written = utf8.encodeInto(reason, bytes.subarray(reasonAt, Math.min(end, reasonAt + 0x3fff))).written;
  if (lengthSize === 1) bytes[next] = written;
  else writeVarint2(bytes, next, written);
  return reasonAt + written;
}

/** HANDSHAKE_DONE, one byte. RFC 9000 §19.20. */
export function writeHandshakeDone(bytes: Uint8Array, at: number): number {
  bytes[at] = FrameType.HANDSHAKE_DONE;
  return at + 1;
}

/** What `writeDatagramHeader` writes, in bytes, the data not included. A `length` of -1 means: no length field. */
export function datagramHeaderSize(length: number): number {
  return length < 0 ? 1 : oneFieldSize(length);
}

/**
 * The part of a DATAGRAM frame before its data. A `length` of -1 leaves the length field out: the data then runs to the
 * packet's end. RFC 9221 §4.
 */
export function writeDatagramHeader(bytes: Uint8Array, at: number, length: number): number {
  if (length >= 0) return writeOneField(bytes, at, FrameType.DATAGRAM_LEN, length);
  bytes[at] = FrameType.DATAGRAM;
  return at + 1;
}

function oneFieldSize(a: number): number {
  return 1 + varintSize(a);
}

function writeOneField(bytes: Uint8Array, at: number, type: number, a: number): number {
  bytes[at] = type;
  return writeVarint(bytes, at + 1, a);
}

function twoFieldSize(a: number, b: number): number {
  return 1 + varintSize(a) + varintSize(b);
}

function writeTwoFields(bytes: Uint8Array, at: number, type: number, a: number, b: number): number {
  bytes[at] = type;
  return writeVarint(bytes, writeVarint(bytes, at + 1, a), b);
}
