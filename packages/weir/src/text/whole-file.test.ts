import assert from 'node:assert/strict';
import { link, mkdtemp, readdir, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeWholeFile } from './whole-file.ts';

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-whole-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('a whole file takes the place of what was there, and no draft is left', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'a');
    await writeFile(path, 'old');
    await writeWholeFile(path, 'new', { isDurable: true });
    assert.equal(await readFile(path, 'utf8'), 'new');
    assert.deepEqual(await readdir(folder), ['a']);
  });
});

test('content that breaks off leaves the old file and no draft', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'a');
    await writeFile(path, 'old');
    async function* broken() {
      yield 'half';
      throw new Error('no more');
    }
    await assert.rejects(writeWholeFile(path, broken()), /no more/u);
    assert.equal(await readFile(path, 'utf8'), 'old');
    assert.deepEqual(await readdir(folder), ['a']);
  });
});

test('a name that could not be given leaves no draft', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'a');
    await writeFile(path, 'theirs');
    const publish = async (draft: string) => {
      await link(draft, path);
      await unlink(draft);
    };
    await assert.rejects(writeWholeFile(path, 'ours', { publish }), { code: 'EEXIST' });
    assert.equal(await readFile(path, 'utf8'), 'theirs');
    assert.deepEqual(await readdir(folder), ['a']);
  });
});

test('a secret is open to nobody else from its first byte on', { skip: process.platform === 'win32' }, async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'a');
    let modeOfDraft = 0;
    async function* content() {
      const [draft] = await readdir(folder);
      modeOfDraft = (await stat(join(folder, draft!))).mode & 0o777;
      yield 'secret';
    }
    await writeWholeFile(path, content(), { mode: 0o600 });
    assert.equal(modeOfDraft, 0o600);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  });
});
