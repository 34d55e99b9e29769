import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_STREAMS } from '../peer/bounds.ts';
import { ChunkPlan, chunkBytesFor, isChunkSizeAllowed } from './plan.ts';

const sizes = fc.oneof(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 0, max: 2 ** 40 }));
const streamCounts = fc.integer({ min: 1, max: MAX_STREAMS });

test('the chosen chunk size is one that receivers allow', () => {
  fc.assert(
    fc.property(sizes, streamCounts, (size, streams) => {
      assert.ok(isChunkSizeAllowed(chunkBytesFor(size, streams), streams));
    }),
    { seed: 3, numRuns: 500 },
  );
});

test('every stream has something to carry unless the file is tiny', () => {
  for (const streams of [1, 8, 64, 512]) {
    const size = streams * 16 * 1024;
    assert.ok(new ChunkPlan(size, chunkBytesFor(size, streams)).count >= streams);
  }
  assert.equal(chunkBytesFor(64 << 20, 8), 512 << 10);
  assert.equal(chunkBytesFor(5 * 2 ** 30, 8), 1 << 20);
});

test('the chunks cover the file exactly once', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 1, max: 700 }), (size, chunkBytes) => {
      const plan = new ChunkPlan(size, chunkBytes);
      let end = 0;
      for (let i = 0; i < plan.count; i++) {
        assert.equal(plan.offsetOf(i), end);
        assert.ok(plan.lengthOf(i) > 0);
        assert.equal(plan.indexOf(plan.offsetOf(i), plan.lengthOf(i)), i);
        end += plan.lengthOf(i);
      }
      assert.equal(end, size);
    }),
    { seed: 4, numRuns: 300 },
  );
});

test('what is no chunk of the plan has no index', () => {
  const plan = new ChunkPlan(1000, 300);
  for (const [offset, length] of [
    [1, 300],
    [0, 299],
    [900, 300],
    [900, 99],
    [1200, 0],
    [1200, 300],
    [-300, 300],
    [2 ** 60, 300],
  ] as const) {
    assert.equal(plan.indexOf(offset, length), -1, `${offset}+${length}`);
  }
  assert.equal(new ChunkPlan(0, 300).indexOf(0, 0), -1);
});

test('chunks smaller than a kibibyte are not allowed, however few', () => {
  assert.ok(!isChunkSizeAllowed(1, 1) && !isChunkSizeAllowed(1023, 1));
  assert.ok(isChunkSizeAllowed(1024, 512));
  assert.ok(!isChunkSizeAllowed((1 << 20) + 1, 1) && !isChunkSizeAllowed(1 << 20, 65));
});
