import type { QuicStream, QuicStreamWriter } from 'weir-quic';

/** What is sent, again and again: the transport keeps it by reference, so it costs no memory. It must never change. */
const CHUNK = new Uint8Array(256 << 10);

/** Where everything that is received goes: nobody looks at it. */
const SCRATCH = new Uint8Array(256 << 10);

/**
 * Writes so many bytes, or as many as there is time for, and leaves the stream open.
 * @param bytes may be Infinity. @param isOver asked before each piece: true ends it early.
 * @returns how many were written. @throws what `writer.write` does.
 */
export async function writePayload(
  writer: QuicStreamWriter,
  bytes: number,
  isOver: () => boolean = () => false,
): Promise<number> {
  let written = 0;
  while (written < bytes && !isOver()) {
    const left = bytes - written;
    const chunk = left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK;
    await writer.write(chunk);
    written += chunk.length;
  }
  return written;
}

/**
 * Reads up to the peer's FIN and hands each piece to `take`, which must not keep it.
 * @throws what `stream.wait` does, and what `take` throws.
 */
export async function readPayload(stream: QuicStream, take: (piece: Uint8Array) => void): Promise<void> {
  while (await stream.wait()) {
    for (let count = stream.readInto(SCRATCH); count > 0; count = stream.readInto(SCRATCH)) {
      take(SCRATCH.subarray(0, count));
    }
  }
}
