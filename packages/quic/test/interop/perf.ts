/**
 * The `perf` protocol (draft-banks-quic-performance): a stream's first eight bytes say how many bytes are wanted back,
 * whatever follows them up to FIN is payload.
 */
import type { PeerConnection, PeerStream } from './peer.ts';

/** Bytes of one write: every stack gets the same. */
const chunkLength = 1 << 18;
const chunk = new Uint8Array(chunkLength).fill(0x57);

/** All bytes of a run over its wall time. */
export interface PerfRate {
  /** Payload bytes over all streams; the request headers are not counted. */
  readonly bytes: number;
  /** From before the first stream is opened to the last FIN that came back. */
  readonly milliseconds: number;
}

function* payload(bytes: number): Generator<Uint8Array> {
  for (let left = bytes; left > 0; left -= chunkLength) yield left < chunkLength ? chunk.subarray(0, left) : chunk;
}

function* request(wanted: number, sent: number): Generator<Uint8Array> {
  const header = new Uint8Array(8);
  new DataView(header.buffer).setBigUint64(0, BigInt(wanted));
  yield header;
  yield* payload(sent);
}

/** Runs one measurement on a connection: `bytes` in all, split evenly over `streams` bidirectional streams. */
export async function runPerf(
  connection: PeerConnection,
  direction: 'up' | 'down',
  streams: number,
  bytes: number,
): Promise<PerfRate> {
  const share = Math.floor(bytes / streams);
  const started = performance.now();
  const counts = await Promise.all(
    Array.from({ length: streams }, async () => {
      const stream = await connection.open(true);
      const [, received] = await Promise.all([
        stream.send(direction === 'up' ? request(0, share) : request(share, 0)),
        drain(stream, new Uint8Array(0)),
      ]);
      return direction === 'up' ? share : received;
    }),
  );
  const total = counts.reduce((sum, value) => sum + value, 0);
  const milliseconds = performance.now() - started;
  if (total !== share * streams) throw new Error(`${total} bytes came, ${share * streams} were asked for`);
  return { bytes: total, milliseconds };
}

/** Reads a stream up to its FIN; the first bytes go into `head`. Settles with how many came. */
async function drain(stream: PeerStream, head: Uint8Array): Promise<number> {
  if (stream.drain !== undefined) return stream.drain(head);
  let bytes = 0;
  for await (const part of stream.receive()) {
    if (bytes < head.length) head.set(part.subarray(0, head.length - bytes), bytes);
    bytes += part.length;
  }
  return bytes;
}

/** Answers one stream after its FIN. A stream that ends before its eight bytes is ended without an answer. */
export async function perfServeStream(stream: PeerStream): Promise<void> {
  const header = new Uint8Array(8);
  const filled = await drain(stream, header);
  const wanted = filled >= 8 ? Number(new DataView(header.buffer).getBigUint64(0)) : 0;
  await stream.send(payload(wanted));
}
