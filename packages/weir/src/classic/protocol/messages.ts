/**
 * The wire format of the notebook's protocol, docs/classic.md. All integers are big-endian; nothing has a length field or a
 * type, so what a datagram is depends on when it comes.
 */

/** Where the original server listens. */
export const DEFAULT_PORT = 12_345;
/** Where the original server sends its answers, on the sender's host. */
export const DEFAULT_REPLY_PORT = 12_346;

/** Bytes of the stream number before data. */
export const HEADER_BYTES = 4;
/** The most data of one datagram: the original server reads no further. */
export const MAX_PAYLOAD = 1024;
export const MAX_DATAGRAM = HEADER_BYTES + MAX_PAYLOAD;
/** The initial message: number of streams, size of the file. */
export const ANNOUNCEMENT_BYTES = 8;

/** The size is a u32. */
export const MAX_FILE_BYTES = 0xffff_ffff;
/** The number of streams is a u32 on the wire, too; each one that is seen costs memory. */
export const MAX_STREAMS = 1024;

/** What the initial message says. */
export interface Announcement {
  /** From 1 to MAX_STREAMS. */
  readonly streams: number;
  /** Bytes of the file. */
  readonly size: number;
}

/** What a server answers at the end of an iteration: the sender may go on, or that was the last. */
export type Reply = 'READY' | 'FINISHED';

const END = new Uint8Array([0x45, 0x4e, 0x44]);
const REPLIES: Readonly<Record<Reply, Uint8Array>> = {
  READY: new TextEncoder().encode('READY'),
  FINISHED: new TextEncoder().encode('FINISHED'),
};

/** Writes an initial message at the start of `out`; returns its length. */
export function writeAnnouncement(out: Uint8Array, { streams, size }: Announcement): number {
  writeU32(out, 0, streams);
  writeU32(out, 4, size);
  return ANNOUNCEMENT_BYTES;
}

/** Reads the two numbers of an initial message of at least ANNOUNCEMENT_BYTES; whether they make sense is the caller's. */
export function readAnnouncement(bytes: Uint8Array): Announcement {
  return { streams: readU32(bytes, 0), size: readU32(bytes, 4) };
}

/** Writes what precedes the data of a stream; returns its length. */
export function writeStreamHeader(out: Uint8Array, stream: number): number {
  writeU32(out, 0, stream);
  return HEADER_BYTES;
}

/** Writes the datagram that ends a stream; returns its length. */
export function writeEnd(out: Uint8Array, stream: number): number {
  out.set(END, writeStreamHeader(out, stream));
  return HEADER_BYTES + END.length;
}

/** The stream that a datagram of at least HEADER_BYTES belongs to. */
export function streamOf(datagram: Uint8Array): number {
  return readU32(datagram, 0);
}

/** Whether a datagram ends its stream. A chunk of data with just these three bytes cannot be told from it. */
export function isEnd(datagram: Uint8Array): boolean {
  return datagram.length === HEADER_BYTES + END.length && looksLikeEnd(datagram, HEADER_BYTES, END.length);
}

/** Whether data would be taken for the end of its stream if it were sent in a datagram of its own. */
export function looksLikeEnd(bytes: Uint8Array, start: number, length: number): boolean {
  return length === 3 && bytes[start] === END[0] && bytes[start + 1] === END[1] && bytes[start + 2] === END[2];
}

/** The bytes that mean the end of a stream, which may have been data after all. */
export function endBytes(): Uint8Array {
  return END.slice();
}

export function replyBytes(reply: Reply): Uint8Array {
  return REPLIES[reply];
}

/** Reads a server's answer; undefined when it is none. */
export function readReply(datagram: Uint8Array): Reply | undefined {
  if (equal(datagram, REPLIES.READY)) return 'READY';
  return equal(datagram, REPLIES.FINISHED) ? 'FINISHED' : undefined;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function readU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
