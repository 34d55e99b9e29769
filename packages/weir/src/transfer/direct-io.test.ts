import assert from 'node:assert/strict';
import { statfsSync } from 'node:fs';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { DirectFile, pageAligned } from './direct-io.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-direct-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const EXT4 = 0xef53;
/** Whether files opened there for direct writes really take them. */
const writesDirectly = process.platform === 'linux' && statfsSync(tmpdir()).type === EXT4;

async function openEmpty(): Promise<DirectFile> {
  await writeFile(join(folder, 't'), '');
  return (await DirectFile.open(join(folder, 't')))!;
}

const content = () => readFile(join(folder, 't'));

test('whole blocks in page-aligned memory are written, what is no whole block or in no such place is not', {
  skip: !writesDirectly,
}, async () => {
  const file = await openEmpty();
  try {
    const bytes = new Uint8Array(pageAligned(8192)).fill(7);
    assert.equal(await file.writeAt(bytes, 4096), 8192);
    assert.equal(await file.writeAt(bytes.subarray(0, 5000), 0), 0);
    assert.equal(await file.writeAt(bytes.subarray(0, 4096), 100), 0);
    assert.equal(await file.writeAt(bytes.subarray(0, 4096), 0), 4096);
  } finally {
    await file.close();
  }
  assert.deepEqual(await content(), Buffer.alloc(12_288, 7));
});

test('memory that begins with no page is refused by the system once, and nothing is written directly from then on', {
  skip: !writesDirectly,
}, async () => {
  const file = await openEmpty();
  try {
    // Behind the header that malloc puts in front.
    assert.equal(await file.writeAt(new Uint8Array(new ArrayBuffer(8200), 8, 8192).fill(1), 0), 0);
    assert.equal(await file.writeAt(new Uint8Array(pageAligned(8192)).fill(2), 0), 0);
  } finally {
    await file.close();
  }
  assert.equal((await content()).length, 0);
});

test('a disk that is nearly full takes part, and says how much', { skip: !writesDirectly }, async (t) => {
  const file = await openEmpty();
  const handle = await open(join(folder, 't'));
  t.mock.method(Object.getPrototypeOf(handle), 'write', async () => ({ bytesWritten: 4096 }));
  await handle.close();
  assert.equal(await file.writeAt(new Uint8Array(pageAligned(8192)), 0), 4096);
  await file.close();
});

test("the system's errors come through", { skip: !writesDirectly }, async () => {
  const file = await openEmpty();
  await file.close();
  await assert.rejects(file.writeAt(new Uint8Array(pageAligned(4096)), 0), { code: 'EBADF' });
});

test('a file that is not there, or on a file system that is not known to gain, is not opened', async () => {
  assert.equal(await DirectFile.open(join(folder, 'missing')), undefined);
  if (process.platform === 'linux') assert.equal(await DirectFile.open('/proc/self/status'), undefined);
});
