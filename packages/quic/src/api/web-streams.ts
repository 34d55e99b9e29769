import type { BodyChunk } from './options.ts';
import type { QuicStreamWriter } from './writer.ts';

/** What a readable needs of a QuicStream. */
interface Source {
  readSync(): Uint8Array | undefined;
  wait(signal?: AbortSignal): Promise<boolean>;
  stopSending(code: number): void;
}

/** A WHATWG byte stream that pulls from a stream: nothing is read, and no credit given, before the consumer asks. */
export function readableOf(source: Source): ReadableStream<Uint8Array> {
  return new ReadableStream({
    type: 'bytes',
    async pull(controller) {
      if (await source.wait()) {
        const piece = source.readSync();
        // Its own buffer: enqueueing transfers it, and the piece may be a view of a slab that holds others' bytes too.
        if (piece !== undefined) controller.enqueue(piece.slice());
        return;
      }
      controller.close();
      controller.byobRequest?.respond(0);
    },
    cancel() {
      source.stopSending(0);
    },
  });
}

/** A WHATWG stream onto a writer, which does the buffering. Chunks are copied, because their owner may reuse them. */
export function writableOf(writer: QuicStreamWriter): WritableStream<BodyChunk> {
  return new WritableStream(
    {
      async write(chunk, controller) {
        const own = typeof chunk === 'string' ? chunk : copyOf(chunk);
        // The standard's `signal`, by which an abort reaches a write that waits; Node 20's types lack it.
        const { signal } = controller as unknown as { signal: AbortSignal };
        await writer.write(own, { signal });
      },
      async close() {
        await writer.end();
      },
      abort(reason) {
        writer.fail(reason);
      },
    },
    { highWaterMark: 1 },
  );
}

function copyOf(chunk: Exclude<BodyChunk, string>): Uint8Array {
  return ArrayBuffer.isView(chunk)
    ? new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength).slice()
    : new Uint8Array(chunk).slice();
}
