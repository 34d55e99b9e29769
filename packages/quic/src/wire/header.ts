import { writeBytes, writeU32, writeVarint, writeVarint2 } from '../base/cursor.ts';
import { PacketType } from './frame-type.ts';
import { writePacketNumber } from './packet-number.ts';
import { isNumberedLong, isSupported, longTypeBits, longTypeOf } from './versions.ts';

/** The longest connection ID that versions 1 and 2 allow, RFC 9000 §17.2. */
export const MAX_CONNECTION_ID_LENGTH = 20;
/** The length of a Retry integrity tag, RFC 9001 §5.8. */
export const RETRY_TAG_LENGTH = 16;
/** Bits of the first byte, under header protection, that must be 0 in a long header (RFC 9000 §17.2). */
export const LONG_RESERVED_BITS = 0x0c;
/** Bits of the first byte, under header protection, that must be 0 in a short header (RFC 9000 §17.3.1). */
export const SHORT_RESERVED_BITS = 0x18;
/** The Key Phase bit of a short header's first byte, under header protection. */
export const KEY_PHASE_BIT = 0x04;

const LONG_FORM = 0x80;
const FIXED_BIT = 0x40;
const SPIN_BIT = 0x20;

/** Where the fields of one packet's unprotected header are. Offsets are into the bytes given to `readHeader`; reused. */
export class Header {
  /** Means nothing while `known` is false. */
  type: PacketType = PacketType.INITIAL;
  /** 0 for Version Negotiation packets and for short headers, which do not say. */
  version = 0;
  /** Whether everything was read. False: a version we do not speak, of which RFC 8999 gives only version, dcid and scid. */
  known = false;
  start = 0;
  dcidStart = 0;
  /** At most 20 while `known`, else at most 255. */
  dcidLength = 0;
  scidStart = 0;
  /** 0 for short headers. At most 20 while `known`, else at most 255. */
  scidLength = 0;
  /** Initial: the Token. Retry: the Retry Token. Version Negotiation: the list of versions. */
  tokenStart = 0;
  tokenLength = 0;
  /** Where the packet number starts; for a Retry, where its integrity tag starts. */
  pnOffset = 0;
  /** Where this packet ends within the datagram: the next coalesced packet starts there. start < end <= datagramEnd. */
  end = 0;
}

/**
 * Reads the unprotected part of the packet that starts at `start` in a datagram that ends at `datagramEnd`. Short headers
 * are taken to carry a connection ID of `localCidLength` bytes. Returns false for what is no packet that we can tell the
 * extent of: the rest of the datagram is to be dropped. Never throws. RFC 9000 §17, RFC 8999 §5.
 *
 * It does not check that there is enough for a header protection sample (RFC 9001 §5.4.2): a packet too short for that must
 * not stop the processing of the packets coalesced behind it.
 */
export function readHeader(
  bytes: Uint8Array,
  start: number,
  datagramEnd: number,
  localCidLength: number,
  out: Header,
): boolean {
  if (start >= datagramEnd) return false;
  const first = bytes[start]!;
  out.start = start;
  out.end = datagramEnd;
  out.tokenLength = 0;
  if (first & LONG_FORM) return readLong(bytes, first, datagramEnd, out);
  if ((first & FIXED_BIT) === 0) return false;
  out.type = PacketType.ONE_RTT;
  out.known = true;
  out.version = 0;
  out.dcidStart = start + 1;
  out.dcidLength = localCidLength;
  out.scidStart = out.tokenStart = out.pnOffset = start + 1 + localCidLength;
  out.scidLength = 0;
  return out.pnOffset < datagramEnd;
}

function readLong(bytes: Uint8Array, first: number, datagramEnd: number, out: Header): boolean {
  const at = out.start;
  if (datagramEnd - at < 7) return false;
  const version = readU32(bytes, at + 1);
  const dcidLength = bytes[at + 5]!;
  const scidLengthAt = at + 6 + dcidLength;
  if (scidLengthAt >= datagramEnd) return false;
  const scidLength = bytes[scidLengthAt]!;
  const behind = scidLengthAt + 1 + scidLength;
  if (behind > datagramEnd) return false;
  out.version = version;
  out.dcidStart = at + 6;
  out.dcidLength = dcidLength;
  out.scidStart = scidLengthAt + 1;
  out.scidLength = scidLength;
  out.tokenStart = out.pnOffset = behind;
  out.known = isSupported(version);
  if (!out.known && version !== 0) return true;
  if (version === 0) return readVersionList(behind, datagramEnd, out);
  if ((first & FIXED_BIT) === 0) return false;
  if (dcidLength > MAX_CONNECTION_ID_LENGTH || scidLength > MAX_CONNECTION_ID_LENGTH) return false;
  const type = longTypeOf(version, (first >>> 4) & 3);
  out.type = type;
  return type === PacketType.RETRY
    ? readRetry(behind, datagramEnd, out)
    : readNumbered(bytes, type, behind, datagramEnd, out);
}

function readVersionList(at: number, datagramEnd: number, out: Header): boolean {
  out.type = PacketType.VERSION_NEGOTIATION;
  out.known = true;
  out.tokenLength = datagramEnd - at;
  out.pnOffset = datagramEnd;
  return out.tokenLength >= 4 && out.tokenLength % 4 === 0;
}

/** A Retry with an empty token is to be discarded, RFC 9000 §17.2.5.2. */
function readRetry(at: number, datagramEnd: number, out: Header): boolean {
  out.tokenLength = datagramEnd - at - RETRY_TAG_LENGTH;
  out.pnOffset = datagramEnd - RETRY_TAG_LENGTH;
  return out.tokenLength > 0;
}

function readNumbered(bytes: Uint8Array, type: PacketType, behind: number, datagramEnd: number, out: Header): boolean {
  let at = behind;
  if (type === PacketType.INITIAL) {
    const tokenLength = peekVarint(bytes, at, datagramEnd);
    if (tokenLength < 0) return false;
    out.tokenStart = at + peekedSize(bytes, at);
    out.tokenLength = tokenLength;
    at = out.tokenStart + tokenLength;
  }
  const length = peekVarint(bytes, at, datagramEnd);
  if (length <= 0) return false;
  out.pnOffset = at + peekedSize(bytes, at);
  out.end = out.pnOffset + length;
  return out.end <= datagramEnd;
}

/** The variable-length integer at `at`, or -1 when it runs past `end`: a garbled datagram is no error here, but noise. */
function peekVarint(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return -1;
  const first = bytes[at]!;
  const size = 1 << (first >>> 6);
  if (size > end - at) return -1;
  let value = first & 0x3f;
  for (let i = 1; i < size; i++) value = value * 256 + bytes[at + i]!;
  return value;
}

function peekedSize(bytes: Uint8Array, at: number): number {
  return 1 << (bytes[at]! >>> 6);
}

function readU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

/** The versions that a Version Negotiation packet lists, in its order. `header` is what `readHeader` made of it. */
export function readSupportedVersions(bytes: Uint8Array, header: Header): number[] {
  const versions: number[] = [];
  for (let at = header.tokenStart; at + 4 <= header.end; at += 4) versions.push(readU32(bytes, at));
  return versions;
}

/**
 * Writes an Initial, 0-RTT or Handshake header (RFC 9000 §17.2) up to and including the packet number, and returns the
 * offset behind it. The token is for Initial packets (elsewhere ignored). The Length takes two bytes whose value
 * `patchLength` fills in when it is known.
 */
export function writeLongHeader(
  bytes: Uint8Array,
  at: number,
  type: PacketType,
  version: number,
  dcid: Uint8Array,
  scid: Uint8Array,
  token: Uint8Array,
  pnLength: number,
  packetNumber: number,
): number {
  const lowBits = isNumberedLong(type) ? pnLength - 1 : 0;
  let next = writeLongStart(bytes, at, LONG_FORM | FIXED_BIT | (longTypeBits(version, type) << 4) | lowBits, version);
  next = writeConnectionIds(bytes, next, dcid, scid);
  if (type === PacketType.INITIAL) next = writeBytes(bytes, writeVarint(bytes, next, token.length), token);
  return writePacketNumber(bytes, writeVarint2(bytes, next, 0), packetNumber, pnLength);
}

/**
 * Fills in the Length of a long header: the bytes of packet number, payload and AEAD tag together (below 16,384).
 * `pnOffset` is where the packet number starts.
 */
export function patchLength(bytes: Uint8Array, pnOffset: number, length: number): void {
  writeVarint2(bytes, pnOffset - 2, length);
}

/** Writes a 1-RTT header (RFC 9000 §17.3.1) up to and including the packet number; returns the offset behind it. */
export function writeShortHeader(
  bytes: Uint8Array,
  at: number,
  dcid: Uint8Array,
  spin: 0 | 1,
  keyPhase: 0 | 1,
  pnLength: number,
  packetNumber: number,
): number {
  bytes[at] = FIXED_BIT | (spin ? SPIN_BIT : 0) | (keyPhase ? KEY_PHASE_BIT : 0) | (pnLength - 1);
  return writePacketNumber(bytes, writeConnectionId(bytes, at + 1, dcid), packetNumber, pnLength);
}

/**
 * Writes a Version Negotiation packet (RFC 9000 §17.2.1) and returns the offset behind it. `dcid` and `scid` are the
 * client's source and destination connection IDs, up to 255 bytes each; `randomByte` fills the unused bits.
 */
export function writeVersionNegotiation(
  bytes: Uint8Array,
  at: number,
  dcid: Uint8Array,
  scid: Uint8Array,
  versions: readonly number[],
  randomByte: number,
): number {
  let next = writeLongStart(bytes, at, LONG_FORM | FIXED_BIT | (randomByte & 0x3f), 0);
  next = writeConnectionIds(bytes, next, dcid, scid);
  for (const version of versions) next = writeU32(bytes, next, version);
  return next;
}

/** Writes a Retry packet (RFC 9000 §17.2.5) without its integrity tag and returns the offset where that goes. */
export function writeRetry(
  bytes: Uint8Array,
  at: number,
  version: number,
  dcid: Uint8Array,
  scid: Uint8Array,
  token: Uint8Array,
): number {
  // The four unused bits are all ones, as in the examples of RFC 9001 A.4 and RFC 9369 A.4.
  const first = LONG_FORM | FIXED_BIT | (longTypeBits(version, PacketType.RETRY) << 4) | 0x0f;
  const next = writeConnectionIds(bytes, writeLongStart(bytes, at, first, version), dcid, scid);
  return writeBytes(bytes, next, token);
}

function writeLongStart(bytes: Uint8Array, at: number, first: number, version: number): number {
  bytes[at] = first;
  return writeU32(bytes, at + 1, version);
}

function writeConnectionIds(bytes: Uint8Array, at: number, dcid: Uint8Array, scid: Uint8Array): number {
  bytes[at] = dcid.length;
  const next = writeConnectionId(bytes, at + 1, dcid);
  bytes[next] = scid.length;
  return writeConnectionId(bytes, next + 1, scid);
}

/** A loop, not `set`: at these lengths the call costs more than the bytes. */
function writeConnectionId(bytes: Uint8Array, at: number, id: Uint8Array): number {
  const length = id.length;
  for (let i = 0; i < length; i++) bytes[at + i] = id[i]!;
  return at + length;
}
