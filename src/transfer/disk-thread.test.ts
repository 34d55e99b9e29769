import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants, existsSync, statfsSync } from 'node:fs';
import { type FileHandle, mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import fc from 'fast-check';
import { SeededRandom } from '../quic/base/random.ts';
import { pageAligned } from './direct-io.ts';
import { DiskThread } from './disk-thread.ts';

let folder: string;
const opened: { close(): Promise<void> }[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-thread-'));
});
afterEach(async () => {
  // Threads before their files.
  for (const each of opened.splice(0).reverse()) await each.close();
  await rm(folder, { recursive: true, force: true });
});

async function opening(path: string, flags: string | number): Promise<FileHandle> {
  const handle = await open(path, flags);
  opened.push(handle);
  return handle;
}

function threadFor(fd: number, direction: 'read' | 'write', directFd?: number): DiskThread {
  const thread = DiskThread.start(fd, direction, directFd)!;
  opened.push(thread);
  return thread;
}

function randomBytes(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  new SeededRandom(seed).fill(bytes);
  return bytes;
}

const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest());

test('reads and hashes any part of a file, many at once, each answer its own', async () => {
  const content = randomBytes(300_000, 1);
  await writeFile(join(folder, 's'), content);
  const thread = threadFor((await opening(join(folder, 's'), 'r')).fd, 'read');
  const part = fc.record({ offset: fc.nat(310_000), length: fc.integer({ min: 1, max: 150_000 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 20 }), async (parts) => {
      const moves = parts.map(({ offset, length }) => thread.move(new ArrayBuffer(length + 7), offset, length));
      for (const [i, { memory, count, hash }] of (await Promise.all(moves)).entries()) {
        const { offset, length } = parts[i]!;
        const expected = content.subarray(offset, offset + length);
        assert.equal(count, expected.length);
        assert.deepEqual(new Uint8Array(memory, 0, count), expected);
        assert.equal(memory.byteLength, length + 7);
        if (count === length) assert.deepEqual(hash, sha256(expected));
      }
    }),
    { seed: 3, numRuns: 30 },
  );
});

test('memory is out of reach while the thread has it', async () => {
  await writeFile(join(folder, 's'), 'abc');
  const thread = threadFor((await opening(join(folder, 's'), 'r')).fd, 'read');
  const memory = new ArrayBuffer(3);
  const moving = thread.move(memory, 0, 3);
  await Promise.resolve();
  assert.equal(memory.byteLength, 0);
  assert.equal(Buffer.from((await moving).memory).toString(), 'abc');
});

/** Whether files opened there for direct writes really take them. */
function writesDirectly(path: string): boolean {
  return constants.O_DIRECT !== undefined && statfsSync(path).type === 0xef53;
}

test('writes in any order, past the page cache where it can, and says where it could not', async () => {
  const chunk = 8192;
  const path = join(folder, 't');
  const content = randomBytes(10 * chunk + 777, 5);
  content.fill(0, 3 * chunk, 4 * chunk);
  const handle = await opening(path, 'w+');
  const direct = writesDirectly(folder) ? await opening(path, constants.O_WRONLY | constants.O_DIRECT) : undefined;
  const thread = threadFor(handle.fd, 'write', direct?.fd);
  const order = [7, 3, 0, 10, 9, 1, 2, 8, 5, 4, 6];
  const moved = await Promise.all(
    order.map((index) => {
      const bytes = content.subarray(index * chunk, (index + 1) * chunk);
      const memory = pageAligned(chunk);
      new Uint8Array(memory).set(bytes);
      return thread.move(memory, index * chunk, bytes.length);
    }),
  );
  for (const [i, { memory, hash, isCached }] of moved.entries()) {
    const bytes = content.subarray(order[i]! * chunk, (order[i]! + 1) * chunk);
    assert.deepEqual(hash, sha256(bytes));
    assert.equal(memory.byteLength, chunk);
    // Zeros are not written at all; the last chunk is no whole number of blocks.
    if (order[i] === 3) assert.equal(isCached, false);
    else if (order[i] === 10) assert.equal(isCached, true);
    else assert.equal(isCached, direct === undefined);
  }
  assert.deepEqual(new Uint8Array(await readFile(path)), content);
  if (process.platform === 'linux') assert.ok((await stat(path)).blocks * 512 < content.length);
});

test('memory that the disk does not take directly is written the ordinary way', {
  skip: !writesDirectly(tmpdir()),
}, async () => {
  const path = join(folder, 't');
  const content = randomBytes(16_384, 6);
  const handle = await opening(path, 'w+');
  const direct = await opening(path, constants.O_WRONLY | constants.O_DIRECT);
  const thread = threadFor(handle.fd, 'write', direct.fd);
  for (const offset of [0, 8192]) {
    // Behind a header of malloc's: not aligned.
    const memory = new ArrayBuffer(8192);
    new Uint8Array(memory).set(content.subarray(offset, offset + 8192));
    assert.equal((await thread.move(memory, offset, 8192)).isCached, true);
  }
  assert.deepEqual(new Uint8Array(await readFile(path)), content);
});

test("the system's errors come with their codes, and the thread goes on", async () => {
  await writeFile(join(folder, 's'), 'abc');
  const { fd } = await opening(join(folder, 's'), 'r');
  const writer = threadFor(fd, 'write');
  const memory = new Uint8Array(10).fill(1).buffer;
  await assert.rejects(writer.move(memory, 0, 10), { code: 'EBADF' });
  await assert.rejects(writer.move(new Uint8Array(10).fill(1).buffer, 0, 10), { code: 'EBADF' });
  if (existsSync('/dev/full')) {
    const full = threadFor((await opening('/dev/full', 'w')).fd, 'write');
    await assert.rejects(full.move(new Uint8Array(10).fill(1).buffer, 0, 10), { code: 'ENOSPC' });
  }
});

test('closing ends what waits, and nothing more is taken', async () => {
  await writeFile(join(folder, 's'), randomBytes(1 << 20, 2));
  const thread = threadFor((await opening(join(folder, 's'), 'r')).fd, 'read');
  const moves = Array.from({ length: 50 }, () => thread.move(new ArrayBuffer(1 << 20), 0, 1 << 20));
  const settled = Promise.allSettled(moves);
  await moves[0];
  await thread.close();
  const last = (await settled).at(-1)!;
  assert.equal(last.status, 'rejected');
  assert.match(String(last.reason), /closed/u);
  await assert.rejects(thread.move(new ArrayBuffer(1), 0, 1), /closed/u);
});

test('a thread that dies fails all that waits and all that comes', async () => {
  await writeFile(join(folder, 's'), 'abc');
  const thread = threadFor((await opening(join(folder, 's'), 'r')).fd, 'read');
  // A length that no view can have: the defect of a caller.
  const moves = [thread.move(new ArrayBuffer(3), 0, -1), thread.move(new ArrayBuffer(3), 0, 3)];
  for (const result of await Promise.allSettled(moves)) {
    assert.equal(result.status, 'rejected');
    assert.match(String(result.reason), /its thread failed: .*length/u);
  }
  await assert.rejects(thread.move(new ArrayBuffer(3), 0, 3), /its thread failed/u);
});

test('memory that is gone is refused, not a crash', async () => {
  await writeFile(join(folder, 's'), 'abc');
  const thread = threadFor((await opening(join(folder, 's'), 'r')).fd, 'read');
  const memory = new ArrayBuffer(3);
  const both = [thread.move(memory, 0, 3), thread.move(memory, 0, 3)];
  for (const result of await Promise.allSettled(both)) assert.equal(result.status, 'rejected');
});

test('a process that has nothing else to do waits until the thread has ended', () => {
  const module = new URL('disk-thread.js', import.meta.url).href;
  const source = `import { openSync } from 'node:fs';
    import { DiskThread } from '${module}';
    const thread = DiskThread.start(openSync(process.execPath, 'r'), 'read');
    const moves = Array.from({ length: 40 }, () => thread.move(new ArrayBuffer(1 << 20), 0, 1 << 20));
    for (const move of moves) move.catch(() => undefined);
    await moves[0];
    await thread.close();
    console.log('closed');`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' });
  assert.equal(stdout, 'closed\n', stderr);
});
