import assert from 'node:assert/strict';
import type { FileHandle } from 'node:fs/promises';
import { test } from 'node:test';
import type { DirectFile } from './direct-io.ts';
import { DiskPart, type PartSettings } from './disk-part.ts';
import { WriteBack } from './write-back.ts';

/** Disks that do less than they are asked, which real ones do when they are full or failing. */

const SETTINGS: PartSettings = { folder: '/f', path: '/f/.p', name: 'n', overwrite: false, durable: true };

/** Takes no more than `most` bytes a call. */
function shortWriter(disk: Uint8Array, most: number) {
  return (bytes: Uint8Array, from: number, length: number, at: number) => {
    const count = Math.min(most, length);
    disk.set(bytes.subarray(from, from + count), at);
    return count;
  };
}

test('what the disk takes only part of is written on from there, past the page cache or not', async () => {
  const bytes = Uint8Array.from({ length: 12_288 }, (_, i) => i % 251);
  for (const directly of [0, 4096, 12_288]) {
    const disk = new Uint8Array(20_480);
    const short = shortWriter(disk, 1000);
    const handle = {
      write: async (...args: [Uint8Array, number, number, number]) => ({ bytesWritten: short(...args) }),
    } as unknown as FileHandle;
    const shortDirect = shortWriter(disk, directly);
    const direct = {
      writeAt: async (all: Uint8Array, at: number) => shortDirect(all, 0, all.length, at),
    } as unknown as DirectFile;
    await new DiskPart(SETTINGS, handle, direct).writeAt(bytes, 8192);
    assert.deepEqual(disk.subarray(8192), bytes, `${directly} bytes directly`);
    assert.ok(disk.subarray(0, 8192).every((byte) => byte === 0));
  }
});

test('what the disk says once of earlier writes is not forgotten', async () => {
  const failure = Object.assign(new Error('the disk failed'), { code: 'EIO' });
  const handle = {
    datasync: () => Promise.reject(failure),
    sync: async () => undefined,
  } as unknown as FileHandle;
  const atTheEnd = new WriteBack(handle);
  atTheEnd.onWritten(64 << 20);
  await assert.rejects(atTheEnd.finish(), failure);
  const withMore = new WriteBack(handle);
  withMore.onWritten(64 << 20);
  await new Promise((resolve) => setImmediate(resolve));
  assert.throws(() => withMore.onWritten(1), failure);
});
