import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Reassembly } from './reassembly.ts';
import { KEPT_SLAB, SlabPool } from './slab-pool.ts';

/** A packet buffer in which the data stands at `start`, as bytes that name their stream offset and which copy they are. */
function segment(offset: number, length: number, copy: number): Uint8Array {
  const bytes = new Uint8Array(length + 3);
  for (let i = 0; i < length; i++) bytes[3 + i] = (offset + i) * 13 + copy * 57;
  return bytes;
}

test('any segments in any order: each byte as it came first, once, in views that never change', () => {
  const segments = fc.array(
    fc.record({
      offset: fc.integer({ min: 0, max: 14_000 }),
      length: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 6000 })),
      read: fc.integer({ min: 0, max: 3 }),
      copy: fc.integer({ min: 0, max: 5000 }),
    }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(segments, (list) => {
      const reassembly = new Reassembly();
      const model = new Map<number, number>();
      const views: { bytes: Uint8Array; copy: Uint8Array }[] = [];
      let read = 0;
      list.forEach(({ offset, length, read: reads, copy: room }, copy) => {
        const bytes = segment(offset, length, copy);
        let fresh = 0;
        for (let i = 0; i < length; i++) {
          if (model.has(offset + i)) continue;
          model.set(offset + i, bytes[3 + i]!);
          fresh++;
        }
        assert.equal(reassembly.insert(offset, bytes, 3, length), fresh);
        let contiguous = reassembly.contiguous;
        assert.ok(!model.has(contiguous));
        while (--contiguous >= read) assert.ok(model.has(contiguous));
        assert.equal(
          reassembly.gaps > 0,
          [...model.keys()].some((at) => at > reassembly.contiguous),
        );
        for (let i = 0; i < reads; i++) {
          const view = reassembly.read();
          if (view === undefined) break;
          for (const byte of view) assert.equal(byte, model.get(read++));
          views.push({ bytes: view, copy: view.slice() });
        }
        const target = new Uint8Array(room);
        const count = reassembly.readInto(target);
        assert.equal(count, Math.min(room, reassembly.contiguous - read));
        for (let i = 0; i < count; i++) assert.equal(target[i], model.get(read++));
        assert.equal(reassembly.readOffset, read);
        assert.equal(reassembly.readable, reassembly.contiguous - read);
      });
      for (const { bytes, copy } of views) assert.deepEqual(bytes, copy);
    }),
    { seed: 11, numRuns: 300 },
  );
});

test('data in order is read back in few large pieces, from slabs that start small', () => {
  const reassembly = new Reassembly();
  const bytes = new Uint8Array(1000).map((_, i) => i);
  const sizes: number[] = [];
  let at = 0;
  for (; at < 1_000_000; at += 1000) reassembly.insert(at, bytes, 0, 1000);
  let read = 0;
  for (let piece = reassembly.read(); piece !== undefined; piece = reassembly.read()) {
    sizes.push(piece.buffer.byteLength);
    assert.equal(piece[0], bytes[read % 1000]);
    read += piece.length;
  }
  assert.equal(read, 1_000_000);
  assert.deepEqual(
    sizes.slice(0, 8),
    [4, 8, 16, 32, 64, 64, 64, 64].map((kib) => kib << 10),
  );
});

test('slabs that were copied from are used again, those with views never', () => {
  const pool = new SlabPool();
  const first = new Reassembly(pool);
  const bytes = new Uint8Array(1000).fill(1);
  const target = new Uint8Array(1000);
  for (let at = 0; at < 1_000_000; at += 1000) {
    first.insert(at, bytes, 0, 1000);
    assert.equal(first.readInto(target), 1000);
  }
  assert.equal(pool.take(KEPT_SLAB)[0], 1, 'the slab of the stream that was read empty');
  const second = new Reassembly(pool);
  for (let at = 0; at < 1_000_000; at += 1000) second.insert(at, bytes, 0, 1000);
  const views: Uint8Array[] = [];
  for (let view = second.read(); view !== undefined; view = second.read()) views.push(view);
  const fresh = new Uint8Array(1000).fill(2);
  for (let at = 1_000_000; at < 2_000_000; at += 1000) {
    second.insert(at, fresh, 0, 1000);
    second.readInto(target);
  }
  assert.ok(views.every((view) => view.every((byte) => byte === 1)));
});

test('streams that are read empty in turn share one slab of memory', () => {
  const slabs = new Set<Uint8Array>();
  class CountingPool extends SlabPool {
    override take(size: number): Uint8Array {
      const slab = super.take(size);
      if (size === KEPT_SLAB) slabs.add(slab);
      return slab;
    }
  }
  const pool = new CountingPool();
  const streams = Array.from({ length: 20 }, () => new Reassembly(pool));
  const bytes = new Uint8Array(1000);
  const target = new Uint8Array(1000);
  for (let at = 0; at < 500_000; at += 1000) {
    for (const stream of streams) {
      stream.insert(at, bytes.fill(at % 251), 0, 1000);
      assert.equal(stream.readInto(target), 1000);
      assert.deepEqual(target, bytes);
    }
  }
  assert.equal(slabs.size, 1);
  // What waits behind a gap keeps its memory.
  const [gapped, other] = streams as [Reassembly, Reassembly];
  gapped.insert(500_000, bytes.fill(1), 0, 1000);
  gapped.insert(502_000, bytes.fill(3), 0, 1000);
  assert.equal(gapped.readInto(target), 1000);
  other.insert(500_000, bytes.fill(9), 0, 1000);
  gapped.insert(501_000, bytes.fill(2), 0, 1000);
  const rest = new Uint8Array(2000);
  assert.equal(gapped.readInto(rest), 2000);
  assert.deepEqual(rest, new Uint8Array(2000).fill(2, 0, 1000).fill(3, 1000));
  assert.equal(slabs.size, 2);
});

test('no slab goes beyond the end of the stream', () => {
  const reassembly = new Reassembly();
  reassembly.finalSize = 10;
  reassembly.insert(4, new Uint8Array(6), 0, 6);
  reassembly.insert(0, new Uint8Array(4), 0, 4);
  const piece = reassembly.read()!;
  assert.equal(piece.length, 10);
  assert.equal(piece.buffer.byteLength, 10);
});

test('data behind a gap takes the memory of its own slab only', () => {
  const reassembly = new Reassembly();
  reassembly.insert(2_000_000, new Uint8Array(100), 0, 100);
  assert.equal(reassembly.gaps, 1);
  assert.equal(reassembly.readable, 0);
  assert.equal(reassembly.read(), undefined);
  reassembly.insert(0, new Uint8Array(2_000_000), 0, 2_000_000);
  assert.equal(reassembly.gaps, 0);
  assert.equal(reassembly.readable, 2_000_100);
});

test('after discard, data is counted and not kept', () => {
  const reassembly = new Reassembly();
  reassembly.insert(0, new Uint8Array(100), 0, 100);
  reassembly.insert(200, new Uint8Array(100), 0, 100);
  reassembly.discard();
  assert.equal(reassembly.read(), undefined);
  assert.equal(reassembly.insert(150, new Uint8Array(100), 0, 100), 50);
  assert.equal(reassembly.insert(100, new Uint8Array(50), 0, 50), 50);
  assert.equal(reassembly.contiguous, 300);
  assert.equal(reassembly.insert(300, new Uint8Array(50), 0, 50), 50);
  assert.equal(reassembly.readable, 0);
  assert.equal(reassembly.read(), undefined);
});

test('memory of which the reader has a view is not used again when the rest is discarded', () => {
  const pool = new SlabPool();
  const reassembly = new Reassembly(pool);
  // Slabs of 4, 8, 16 and 32 KiB, and the beginning of one of a size that is kept.
  reassembly.insert(0, new Uint8Array(70 << 10).fill(7), 0, 70 << 10);
  const views: Uint8Array[] = [];
  for (let view = reassembly.read(); view !== undefined; view = reassembly.read()) views.push(view);
  assert.equal(views.at(-1)!.length, 10 << 10);
  reassembly.discard();
  pool.take(KEPT_SLAB).fill(8);
  assert.ok(views.every((view) => view.every((byte) => byte === 7)));
});

test('whatever a peer puts where, the memory is no more than twice what it may send, and a first slab', () => {
  class CountingPool extends SlabPool {
    bytes = 0;
    override take(size: number): Uint8Array {
      this.bytes += size;
      return super.take(size);
    }
  }
  for (const reach of [1, 4096, 4097, 12_289, 61_441, 100_000, 1 << 20, 8 << 20]) {
    const pool = new CountingPool();
    const reassembly = new Reassembly(pool);
    // A byte in each stretch of a first slab, the last byte that may be sent, and none at the start: nothing can be read.
    for (let at = reach - 1; at > 0; at -= 4096) reassembly.insert(at, new Uint8Array(1), 0, 1);
    assert.equal(reassembly.readable, 0);
    assert.ok(pool.bytes <= 2 * reach + 4096, `${pool.bytes} bytes for ${reach}`);
  }
});
