import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { CliError } from '../exit-codes.ts';
import { checkOutputFile, freePath, writeOutputFile } from './output-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-output-'));
  await writeFile(join(folder, 'there.csv'), 'precious');
  await mkdir(join(folder, 'folder'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const says = (pattern: RegExp) => (error: unknown) =>
  error instanceof CliError && error.exitCode === 8 && pattern.test(error.message);

test('what cannot be written, or would be lost, is said before the work', async () => {
  const at = (...names: string[]) => join(folder, ...names);
  await checkOutputFile(at('new.csv'), false);
  await checkOutputFile(at('there.csv'), true);
  await assert.rejects(checkOutputFile(at('there.csv'), false), says(/there already: .*--overwrite$/u));
  await assert.rejects(checkOutputFile(at('folder'), true), says(/is a folder/u));
  await assert.rejects(checkOutputFile(at('none', 'x.csv'), true), says(/cannot write .*ENOENT/u));
  await assert.rejects(checkOutputFile(at('there.csv', 'x.csv'), true), says(/ENOTDIR/u));
  if (process.platform === 'linux')
    await assert.rejects(checkOutputFile('/proc/x.csv', true), says(/cannot write .*ENOENT/u));
  assert.deepEqual((await readdir(folder)).sort(), ['folder', 'there.csv']);
});

test('a name that is taken, or whose companion is, gives way to another', async () => {
  const page = (path: string) => [path.replace('.json', '.html')];
  const free = () => freePath(join(folder, 'r.json'), page);
  assert.equal(await free(), join(folder, 'r.json'));
  await writeFile(join(folder, 'r.html'), '');
  assert.equal(await free(), join(folder, 'r (1).json'));
  await writeFile(join(folder, 'r (1).json'), '');
  assert.equal(await free(), join(folder, 'r (2).json'));
});

test('a file is replaced whole or stays, a link keeps its place, and nothing else is left', async () => {
  const path = join(folder, 'there.csv');
  async function* broken() {
    yield 'half';
    throw new Error('the source broke');
  }
  await assert.rejects(writeOutputFile(path, broken()), says(/the source broke/u));
  assert.equal(await readFile(path, 'utf8'), 'precious');
  await symlink(path, join(folder, 'link'));
  await writeOutputFile(join(folder, 'link'), 'new');
  assert.equal(await readFile(path, 'utf8'), 'new');
  assert.deepEqual((await readdir(folder)).sort(), ['folder', 'link', 'there.csv']);
});

test('a device is written to and stays one', { skip: process.platform !== 'linux' }, async () => {
  await checkOutputFile('/dev/null', false);
  await writeOutputFile('/dev/null', 'x');
  await assert.rejects(writeOutputFile('/dev/full', 'x'), says(/ENOSPC/u));
  assert.equal((await stat('/dev/null')).isCharacterDevice(), true);
});
