import type { FileHandle } from 'node:fs/promises';
import { QuicError } from './errors.ts';
import type { Body, BodyChunk } from './options.ts';
import { type QuicStreamWriter, toBytes } from './writer.ts';

/** Bytes read from a file at a time. */
const FILE_CHUNK = 256 << 10;

/**
 * Writes a whole body and ends the stream. When the source fails, the stream is reset and the source's error thrown; a
 * writer that fails stops the source.
 */
export async function sendBody(
  writer: QuicStreamWriter,
  body: Body | Promise<Body>,
  signal?: AbortSignal,
): Promise<void> {
  try {
    const source = await body;
    if (source !== null) await sendSource(writer, source, signal);
    await writer.end({ signal });
  } catch (error) {
    writer.fail(error);
    throw error;
  }
}

async function sendSource(writer: QuicStreamWriter, source: Exclude<Body, null>, signal?: AbortSignal): Promise<void> {
  if (isChunk(source)) return writer.write(source, { signal });
  if (source instanceof Blob)
    return sendPieces(writer, source.stream() as unknown as AsyncIterable<Uint8Array>, signal);
  if (isFileHandle(source)) return sendFile(writer, source, signal);
  if (typeof source === 'object' && (Symbol.asyncIterator in source || Symbol.iterator in source)) {
    return sendPieces(writer, source as AsyncIterable<BodyChunk> | Iterable<BodyChunk>, signal);
  }
  throw new QuicError(
    'ERR_QUIC_INVALID_ARGUMENT',
    'the body is neither bytes, a string, a Blob, a FileHandle nor iterable',
  );
}

function isChunk(source: unknown): source is BodyChunk {
  return (
    typeof source === 'string' ||
    ArrayBuffer.isView(source) ||
    source instanceof ArrayBuffer ||
    source instanceof SharedArrayBuffer
  );
}

function isFileHandle(source: object): source is FileHandle {
  return 'fd' in source && 'read' in source && typeof source.read === 'function';
}

async function sendPieces(
  writer: QuicStreamWriter,
  pieces: AsyncIterable<BodyChunk | readonly BodyChunk[]> | Iterable<BodyChunk | readonly BodyChunk[]>,
  signal?: AbortSignal,
): Promise<void> {
  for await (const piece of pieces) {
    if (Array.isArray(piece)) await writer.writev(piece, { signal });
    else await writer.write(toBytes(piece as BodyChunk), { signal });
  }
}

async function sendFile(writer: QuicStreamWriter, file: FileHandle, signal?: AbortSignal): Promise<void> {
  for (;;) {
    // A new buffer each time: the transport keeps it until the peer has acknowledged it.
    const { bytesRead, buffer } = await file.read({ buffer: new Uint8Array(FILE_CHUNK), position: null });
    if (bytesRead === 0) return;
    await writer.write(buffer.subarray(0, bytesRead), { signal });
  }
}
