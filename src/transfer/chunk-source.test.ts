import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { withServer } from '../../test/support/simulated-pair.ts';
import { SeededRandom } from '../quic/base/random.ts';
import { ChunkSource } from './chunk-source.ts';
import { ChunkPlan } from './plan.ts';
import { receiveFile } from './receiver.ts';
import { sendFile } from './sender.ts';
import type { HashedChunk, PartFile, SourceFile, TargetStore } from './storage.ts';

const TOKEN = new Uint8Array(16).fill(7);

function bytesOf(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  new SeededRandom(seed).fill(bytes);
  return bytes;
}

/** Hands memory over as a thread would: the giver's is empty from now on. */
function handOver(memory: ArrayBuffer): ArrayBuffer {
  return structuredClone(memory, { transfer: [memory] });
}

function hashed(memory: ArrayBuffer, length: number): HashedChunk {
  const hash = createHash('sha256')
    .update(new Uint8Array(memory, 0, length))
    .digest();
  return { memory, hash: new Uint8Array(hash) };
}

/** A file in memory that is read into memory handed over; counts how much of it there is. */
class HandedSource implements SourceFile {
  readonly name = 'file.bin';
  readonly size: number;
  /** Chunks of memory seen, each once: those that came back are marked in their first reading. */
  made = 0;
  readonly #content: Uint8Array;
  readonly #known = new Set<ArrayBuffer>();

  constructor(content: Uint8Array) {
    this.size = content.length;
    this.#content = content;
  }

  readAt(): Promise<void> {
    throw new Error('readHashed is there');
  }

  async readHashed(memory: ArrayBuffer, offset: number, length: number): Promise<HashedChunk> {
    if (!this.#known.delete(memory)) this.made++;
    const own = handOver(memory);
    this.#known.add(own);
    new Uint8Array(own).set(this.#content.subarray(offset, offset + length));
    return hashed(own, length);
  }

  async assertUnchanged(): Promise<void> {}
  async close(): Promise<void> {}
}

/** Keeps one file in memory, written from memory handed over. */
class HandedStore implements TargetStore {
  content: Uint8Array | undefined;

  async freeBytes(): Promise<number> {
    return 1 << 30;
  }

  async begin(_name: string, size = 0): Promise<PartFile> {
    const content = new Uint8Array(size);
    return {
      restart: async () => void content.fill(0),
      writeAt: () => Promise.reject(new Error('writeHashed is there')),
      writeHashed: async (memory, offset, length) => {
        const own = handOver(memory);
        content.set(new Uint8Array(own, 0, length), offset);
        return hashed(own, length);
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
      const file = new HandedSource(content);
      const store = new HandedStore();
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
  const file = new HandedSource(bytesOf(1000 * 64, 1));
  const source = new ChunkSource(file, new ChunkPlan(file.size, 64), 4);
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
  const file = new HandedSource(content);
  const source = new ChunkSource(file, new ChunkPlan(640, 64), 2);
  const writer = { writev: async () => undefined, end: async () => 0 };
  const kept: Uint8Array[] = [];
  for (let next = source.take(); next !== undefined; next = source.take()) {
    const { bytes } = await next;
    kept.push(bytes);
    source.lend(bytes, writer, 1);
  }
  assert.deepEqual(new Uint8Array(Buffer.concat(kept)), content);
});
