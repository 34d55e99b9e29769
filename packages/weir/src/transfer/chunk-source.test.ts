import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SeededRandom } from 'weir-quic/random';
import { withServer } from 'weir-quic/sim';
import { ChunkSource } from './chunk-source.ts';
import { ChunkPlan } from './plan.ts';
import { receiveFile } from './receiver.ts';
import { sendFile } from './sender.ts';
import type { PartFile, SourceFile, TargetStore } from './storage.ts';
import { TAG_KEY_BYTES } from './tag.ts';

const TOKEN = new Uint8Array(16).fill(7);
const KEY = new Uint8Array(TAG_KEY_BYTES);

function bytesOf(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  new SeededRandom(seed).fill(bytes);
  return bytes;
}

/** A file in memory; counts how many memories it has been read into, each once. */
class MemorySource implements SourceFile {
  readonly name = 'file.bin';
  readonly size: number;
  readonly #memories = new Set<ArrayBufferLike>();
  readonly #content: Uint8Array;

  constructor(content: Uint8Array) {
    this.size = content.length;
    this.#content = content;
  }

  get made(): number {
    return this.#memories.size;
  }

  async readAt(into: Uint8Array, offset: number): Promise<void> {
    this.#memories.add(into.buffer);
    // What was there is gone at once, also where the file ends.
    new Uint8Array(into.buffer).fill(0xee);
    into.set(this.#content.subarray(offset, offset + into.length));
  }

  async assertUnchanged(): Promise<void> {}
  async close(): Promise<void> {}
}

/** Keeps one file in memory, written some time after it was asked. */
class MemoryStore implements TargetStore {
  content: Uint8Array | undefined;

  async freeBytes(): Promise<number> {
    return 1 << 30;
  }

  async begin(_name: string, size = 0): Promise<PartFile> {
    const content = new Uint8Array(size);
    return {
      restart: async () => void content.fill(0),
      writeAt: async (bytes, offset) => {
        await new Promise((resolve) => setImmediate(resolve));
        content.set(bytes, offset);
      },
      commit: async () => {
        this.content = content;
        return 'file.bin';
      },
      discard: async () => undefined,
    };
  }
}

test('memory that is used again never changes what is still to be sent, whatever the path loses and reorders', async () => {
  const settings = fc.record({
    seed: fc.integer({ min: 1, max: 2 ** 31 }),
    loss: fc.constantFrom(0, 0.01, 0.05),
    jitter: fc.constantFrom(0, 20),
    streams: fc.integer({ min: 1, max: 3 }),
    iterations: fc.integer({ min: 1, max: 2 }),
  });
  let made = 0;
  let chunks = 0;
  await fc.assert(
    fc.asyncProperty(settings, async ({ seed, loss, jitter, streams, iterations }) => {
      const content = bytesOf(2_000_000, seed);
      const file = new MemorySource(content);
      const store = new MemoryStore();
      const path = { delay: 10, jitter, loss, bitsPerSecond: 50e6 };
      await withServer({ seed, path }, async ({ world, accepted, connect }) => {
        const session = await connect();
        while (accepted.length === 0) await world.sleep(10);
        const sent = sendFile(session, { file, token: TOKEN, streams, iterations, chunkBytes: 4096, software: 'test' });
        const received = receiveFile(accepted[0]!, { token: TOKEN, store, software: 'test' });
        await Promise.all([sent, received]);
      });
      assert.deepEqual(store.content, content);
      made += file.made;
      chunks += iterations * Math.ceil(content.length / 4096);
    }),
    { seed: 11, numRuns: 4 },
  );
  assert.ok(made < 0.9 * chunks, `${made} of ${chunks} chunks had memory of their own: none was used again`);
});

test('what it holds is what is read ahead and what the streams have not released', async () => {
  const file = new MemorySource(bytesOf(1000 * 64, 1));
  const source = new ChunkSource(file, new ChunkPlan(file.size, 64), KEY, 4);
  const writer = { bytesReleased: 0, writev: async () => undefined, end: async () => 0 };
  let end = 0;
  for (let taken = 1; taken <= 1000; taken++) {
    const { bytes } = (await source.take())!;
    end += bytes.length;
    source.lend(bytes, writer, end);
    // Ten chunks are always under way, the eleventh in part.
    writer.bytesReleased = Math.max(0, end - 10 * 64 - 1);
  }
  assert.equal(source.take(), undefined);
  assert.ok(file.made >= 11 && file.made <= 4 + 11 + 1, `${file.made} were made`);
});

test('a stream that never says what it has released costs memory, not data', async () => {
  const content = bytesOf(640, 2);
  const file = new MemorySource(content);
  const source = new ChunkSource(file, new ChunkPlan(640, 64), KEY, 2);
  const writer = { writev: async () => undefined, end: async () => 0 };
  const kept: Uint8Array[] = [];
  for (let next = source.take(); next !== undefined; next = source.take()) {
    const { bytes } = await next;
    kept.push(bytes);
    source.lend(bytes, writer, 1);
  }
  assert.deepEqual(new Uint8Array(Buffer.concat(kept)), content);
});
