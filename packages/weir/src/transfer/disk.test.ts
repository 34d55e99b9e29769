import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  statfs,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { canFlock, formatClaim, lockOwn } from 'weir-quic/system';
import { TransferError } from '../peer/errors.ts';
import { DIRECT_FROM_BYTES } from './direct-io.ts';
import { openSource } from './disk-source.ts';
import { TargetFolder } from './disk-target.ts';
import { storageError } from './storage-error.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-storage-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const text = (value: string) => new TextEncoder().encode(value);
const isError = (code: string, pattern: RegExp) => (error: unknown) =>
  error instanceof TransferError && error.code === code && pattern.test(error.message);

test('a file appears only with commit, complete, whatever the order of the writes', async () => {
  const part = await new TargetFolder(folder).begin('a.txt');
  await part.writeAt(text('world'), 6);
  await part.writeAt(text('hello '), 0);
  const during = await readdir(folder);
  assert.equal(during.length, 1);
  assert.match(during[0]!, /^\.a\.txt\.weir-.*\.part$/u);
  assert.equal(await part.commit(11), 'a.txt');
  assert.deepEqual(await readdir(folder), ['a.txt']);
  assert.equal(await readFile(join(folder, 'a.txt'), 'utf8'), 'hello world');
});

test('discard leaves nothing, also while a write is under way', async () => {
  const part = await new TargetFolder(folder).begin('a.txt');
  const writing = part.writeAt(text('x'.repeat(100_000)), 0).catch(() => undefined);
  await part.discard();
  await writing;
  assert.deepEqual(await readdir(folder), []);
});

test('a name that is taken is never overwritten, also by a folder or a dangling link', async () => {
  await writeFile(join(folder, 'a.txt'), 'old');
  await mkdir(join(folder, 'a (1).txt'));
  await symlink('/nowhere', join(folder, 'a (2).txt'));
  const part = await new TargetFolder(folder).begin('a.txt');
  await part.writeAt(text('new'), 0);
  assert.equal(await part.commit(3), 'a (3).txt');
  assert.equal(await readFile(join(folder, 'a.txt'), 'utf8'), 'old');
  assert.equal(await readFile(join(folder, 'a (3).txt'), 'utf8'), 'new');
});

test('with overwrite the new file takes the place of the old one', async () => {
  await writeFile(join(folder, 'a.txt'), 'old and longer');
  const part = await new TargetFolder(folder, { overwrite: true }).begin('a.txt');
  await part.writeAt(text('new'), 0);
  assert.equal(await part.commit(3), 'a.txt');
  assert.deepEqual(await readdir(folder), ['a.txt']);
  assert.equal(await readFile(join(folder, 'a.txt'), 'utf8'), 'new');
});

test('zeros are there without being written, also at the end, and after a restart nothing old is left', async () => {
  const part = await new TargetFolder(folder).begin('a');
  await part.writeAt(text('old'), 0);
  await part.restart();
  await part.writeAt(new Uint8Array(1 << 20), 0);
  await part.writeAt(text('x'), 1 << 20);
  await part.writeAt(new Uint8Array(1 << 20), (1 << 20) + 1);
  await part.commit((2 << 20) + 1);
  const content = await readFile(join(folder, 'a'));
  assert.equal(content.length, (2 << 20) + 1);
  assert.equal(content.indexOf('x'), 1 << 20);
  assert.equal(content.lastIndexOf('x'), 1 << 20);
  assert.ok(content.subarray(0, 1 << 20).every((byte) => byte === 0));
  if (process.platform === 'linux') assert.ok((await stat(join(folder, 'a'))).blocks * 512 < 1 << 20);
});

test('an empty file and one with the longest name', async () => {
  const name = 'é'.repeat(127);
  const part = await new TargetFolder(folder).begin(name);
  assert.equal(await part.commit(0), name);
  assert.equal((await stat(join(folder, name))).size, 0);
});

test('prepare removes files under way of dead processes of this machine, and nothing else', async () => {
  const claim = formatClaim(false);
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  const abandoned = `.a.weir-${claim.replace(`-${process.pid}-`, `-${dead}-`)}-0123456789.part`;
  const kept = [
    `.a.weir-${claim}-0123456789.part`,
    `.a.weir-${claim.replace(/^[^-]+-[^-]+/u, 'ffffff-ffffffff').replace(`-${process.pid}-`, `-${dead}-`)}-0123456789.part`,
    // As earlier versions named them: nothing certain is known.
    `.a.weir-ffffff-${dead}-0123456789.part`,
    'a.part',
    'b',
  ];
  for (const name of [abandoned, ...kept]) await writeFile(join(folder, name), '');
  await new TargetFolder(folder).prepare();
  assert.deepEqual((await readdir(folder)).sort(), kept.sort());
});

/** The names in the folder that say they are of a process in another container of this kernel, which nothing but its lock tells of. */
async function asIfElsewhere(): Promise<string[]> {
  const names = await readdir(folder);
  for (const name of names) {
    const other = name.replace(/(\.weir-[^-]+-[^-]+)-\d+-/u, '$1-1-');
    await rename(join(folder, name), join(folder, other));
  }
  return readdir(folder);
}

test("another container's file under way stays as long as it is open, and not longer", {
  skip: process.platform !== 'linux' || !canFlock(),
}, async () => {
  const part = await new TargetFolder(folder).begin('a');
  const names = await asIfElsewhere();
  await new TargetFolder(folder).prepare();
  assert.deepEqual(await readdir(folder), names);
  // Its process ends: the kernel lets go of the lock.
  await part.discard();
  assert.deepEqual(await readdir(folder), names, 'it does not know this name');
  await new TargetFolder(folder).prepare();
  assert.deepEqual(await readdir(folder), []);
});

test('a file under way is in use until it has its final name', { skip: !canFlock() }, async () => {
  const part = await new TargetFolder(folder).begin('a');
  const [name] = await readdir(folder);
  const path = join(folder, name!);
  const isInUse = () => lockOwn(path) === 'removed';
  const seen: boolean[] = [];
  const { link } = fs.promises;
  mock.method(fs.promises, 'link', (from: string, to: string) => {
    seen.push(isInUse());
    return link(from, to);
  });
  syncBuiltinESMExports();
  try {
    await part.commit(0);
  } finally {
    mock.restoreAll();
    syncBuiltinESMExports();
  }
  assert.deepEqual(seen, [true]);
  const lock = lockOwn(join(folder, 'a'));
  assert.ok(typeof lock === 'object', 'and not longer');
  lock.release();
});

/** Runs with a disk that has no hard links, as FAT. */
async function withoutLinks(run: () => Promise<void>): Promise<void> {
  mock.method(fs.promises, 'link', async () => {
    throw Object.assign(new Error('no links'), { code: 'EPERM' });
  });
  syncBuiltinESMExports();
  try {
    await run();
  } finally {
    mock.restoreAll();
    syncBuiltinESMExports();
  }
}

test('without hard links a name is taken by a file that the rename replaces, and no other is', () =>
  withoutLinks(async () => {
    await writeFile(join(folder, 'a.txt'), 'old');
    const part = await new TargetFolder(folder).begin('a.txt');
    await part.writeAt(text('new'), 0);
    assert.equal(await part.commit(3), 'a (1).txt');
    assert.deepEqual((await readdir(folder)).sort(), ['a (1).txt', 'a.txt']);
    assert.equal(await readFile(join(folder, 'a.txt'), 'utf8'), 'old');
    assert.equal(await readFile(join(folder, 'a (1).txt'), 'utf8'), 'new');
  }));

test('without hard links, a rename that fails leaves no empty file under the final name', () =>
  withoutLinks(async () => {
    const part = await new TargetFolder(folder).begin('a.txt');
    mock.method(fs.promises, 'rename', async () => {
      throw Object.assign(new Error('no rename'), { code: 'EIO' });
    });
    syncBuiltinESMExports();
    await assert.rejects(part.commit(0), isError('storage', /no rename/u));
    await part.discard();
    assert.deepEqual(await readdir(folder), []);
  }));

test('a long name that is taken is cut to make room for its number, in whole characters and with its extension', async () => {
  const name = `${'é'.repeat(125)}.txt`;
  await writeFile(join(folder, name), 'old');
  for (const expected of [`${'é'.repeat(123)} (1).txt`, `${'é'.repeat(123)} (2).txt`]) {
    const part = await new TargetFolder(folder).begin(name);
    assert.equal(await part.commit(0), expected);
    assert.ok(Buffer.byteLength(expected) <= 255);
  }
  assert.equal(await readFile(join(folder, name), 'utf8'), 'old');
});

test('a folder that cannot be made or written says so', async () => {
  await writeFile(join(folder, 'file'), '');
  await assert.rejects(new TargetFolder(join(folder, 'file')).prepare(), isError('storage', /cannot write in/u));
  await assert.rejects(new TargetFolder(join(folder, 'missing')).begin('a'), isError('storage', /cannot write in/u));
});

/** Bytes that are free where the tests write. */
async function freeHere(): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

test('space is promised once: what files under way still need is not free for others, also through another folder', async () => {
  const other = join(folder, 'other');
  await mkdir(other);
  const half = Math.floor((await freeHere()) * 0.6);
  const first = await new TargetFolder(folder).begin('a', half);
  await assert.rejects(new TargetFolder(other).begin('b', half), isError('no_space', /are for other files under way/u));
  // Zeros need no space, and what is written is needed no more.
  await first.writeAt(new Uint8Array(half < 2 ** 31 ? 1000 : 1 << 20), 0);
  await assert.rejects(new TargetFolder(other).begin('b', half), isError('no_space', /free there/u));
  assert.deepEqual((await readdir(other)).length, 0, 'nothing is left of it');
  await first.discard();
  await (await new TargetFolder(other).begin('b', half)).discard();
  const third = await new TargetFolder(folder).begin('c', half);
  await third.commit(0);
  await (await new TargetFolder(folder).begin('d', half)).discard();
});

test('of two offers at the same moment that do not both fit, one is taken', async () => {
  const half = Math.floor((await freeHere()) * 0.6);
  const target = new TargetFolder(folder);
  const both = await Promise.allSettled([target.begin('a', half), target.begin('b', half)]);
  assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  for (const each of both) if (each.status === 'fulfilled') await each.value.discard();
});

test('a folder that a file would have to replace is a reason to refuse at once, and the peer hears no path', async () => {
  await mkdir(join(folder, 'taken'));
  const target = new TargetFolder(folder, { overwrite: true });
  await assert.rejects(target.begin('taken'), (error) => {
    assert.ok(isError('storage', /there is a folder named taken/u)(error));
    assert.ok(!(error as TransferError).forPeer.includes(folder));
    return true;
  });
  assert.deepEqual(await readdir(folder), ['taken']);
});

test('a folder in which no file can be made is refused before anybody comes', {
  skip: process.getuid?.() === 0,
}, async () => {
  await chmod(folder, 0o555);
  await assert.rejects(new TargetFolder(folder).prepare(), isError('storage', /no permission to write/u));
  await chmod(folder, 0o755);
});

test('what the peer is told of a disk names no folder', async () => {
  for (const code of ['ENOSPC', 'EACCES', 'EFBIG', 'EIO']) {
    const error = storageError('/secret/place', Object.assign(new Error(`${code}: /secret/place`), { code }));
    assert.match(error.message, /secret/u);
    assert.doesNotMatch(error.forPeer, /secret/u);
  }
});

test('a file whose size reads as 0 is sent with what is in it', { skip: process.platform !== 'linux' }, async () => {
  const source = await openSource('/proc/self/limits');
  assert.equal(source.name, 'limits');
  const content = new Uint8Array(source.size);
  await source.readAt(content, 0);
  assert.match(new TextDecoder().decode(content), /^Limit .*\nMax /u);
  await source.assertUnchanged();
  await source.close();
  const empty = await openSource(await emptyFile());
  assert.equal(empty.size, 0);
  await empty.close();
});

async function emptyFile(): Promise<string> {
  const path = join(folder, 'empty');
  await writeFile(path, '');
  return path;
}

test('a source reads anywhere and notices when its file changes', async () => {
  const path = join(folder, 's');
  await writeFile(path, 'abcdef');
  const source = await openSource(path);
  assert.equal(source.name, 's');
  assert.equal(source.size, 6);
  const into = new Uint8Array(3);
  await source.readAt(into, 2);
  assert.deepEqual(into, text('cde'));
  await source.assertUnchanged();
  await assert.rejects(source.readAt(into, 4), isError('source', /became shorter/u));
  await writeFile(path, 'abcdefg');
  await assert.rejects(source.assertUnchanged(), isError('source', /changed while/u));
  await source.close();
});

test('what cannot be sent is refused with its reason', async () => {
  await assert.rejects(openSource(join(folder, 'missing')), isError('source', /does not exist/u));
  await assert.rejects(openSource(folder), isError('source', /is a folder/u));
  if (process.platform === 'linux') {
    spawnSync('mkfifo', [join(folder, 'pipe')]);
    await assert.rejects(openSource(join(folder, 'pipe')), isError('source', /no regular file/u));
  }
});

/** Enough to be written directly where that can be; almost all of it is a hole. */
const LARGE = DIRECT_FROM_BYTES + 1000;

function filled(bytes: Uint8Array, value: number): Uint8Array {
  return bytes.fill(value);
}

test('a large file is complete, durable or not, with holes and an odd end, from whatever memory', async () => {
  for (const durable of [true, false]) {
    for (const ordinary of [true, false]) {
      const name = `large-${durable}-${ordinary}`;
      const part = await new TargetFolder(folder, { durable }).begin(name, LARGE);
      const memory = (): ArrayBuffer => (ordinary ? new ArrayBuffer(1 << 20) : part.makeMemory!(1 << 20));
      const chunks: [index: number, value: number, length: number][] = [
        [64, 3, 1000],
        [5, 1, 1 << 20],
        [7, 0, 1 << 20],
        [6, 2, 1 << 20],
      ];
      const writes = chunks.map(([index, value, length]) =>
        part.writeAt(filled(new Uint8Array(memory(), 0, length), value), index << 20),
      );
      await Promise.all(writes);
      assert.equal(await part.commit(LARGE), name);
      const content = await readFile(join(folder, name));
      assert.equal(content.length, LARGE);
      for (const [index, value, length] of chunks) {
        const there = content.subarray(index << 20, (index << 20) + length);
        assert.equal(Buffer.compare(there, Buffer.alloc(length, value)), 0);
      }
      if (process.platform === 'linux') assert.ok((await stat(join(folder, name))).blocks * 512 < 4 << 20);
      await rm(join(folder, name));
    }
  }
});

test('discarding a large file while it is being written leaves nothing', async () => {
  const part = await new TargetFolder(folder).begin('large', LARGE);
  const writes = Array.from({ length: 40 }, (_, i) =>
    part.writeAt(filled(new Uint8Array(part.makeMemory!(1 << 20)), 1), i << 20),
  );
  const settled = Promise.allSettled(writes);
  await writes[0];
  await part.discard();
  await settled;
  assert.deepEqual(await readdir(folder), []);
  await assert.rejects(part.writeAt(text('late'), 0), isError('storage', /cannot write in/u));
});
