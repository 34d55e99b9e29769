import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { dataFolder } from './data-folder.ts';
import { CliError } from './exit-codes.ts';
import { loadIdentity, withCertificate } from './identity.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-identity-'));
  path = join(folder, 'deep', 'receiver.json');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('the first start makes an identity that only its owner can read; later starts find it', async () => {
  const made = await loadIdentity(path, false);
  assert.equal(made.pin.length, 32);
  assert.equal(made.token.length, 16);
  if (process.platform !== 'win32') {
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal((await stat(join(folder, 'deep'))).mode & 0o777, 0o700);
  }
  assert.deepEqual(await loadIdentity(path, false), made);
  assert.deepEqual(await readdir(join(folder, 'deep')), ['receiver.json']);
});

test('two first starts at once agree', async () => {
  const [a, b] = await Promise.all([loadIdentity(path, false), loadIdentity(path, false)]);
  assert.deepEqual(a, b);
  assert.deepEqual(await readdir(join(folder, 'deep')), ['receiver.json']);
});

test('a new ticket replaces certificate and token', async () => {
  const old = await loadIdentity(path, false);
  const renewed = await loadIdentity(path, true);
  assert.notDeepEqual(renewed.pin, old.pin);
  assert.notDeepEqual(renewed.token, old.token);
  assert.deepEqual(await loadIdentity(path, false), renewed);
});

test('rights that are too wide are taken back', { skip: process.platform === 'win32' }, async () => {
  await loadIdentity(path, false);
  await chmod(path, 0o644);
  await loadIdentity(path, false);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test('a damaged file is not used and not replaced in silence', async () => {
  await loadIdentity(path, false);
  for (const content of ['', '{}', 'null', (await readFile(path, 'utf8')).slice(0, 200)]) {
    await writeFile(path, content);
    await assert.rejects(
      loadIdentity(path, false),
      (error) => error instanceof CliError && /--new-ticket/u.test(error.message),
    );
    assert.equal(await readFile(path, 'utf8'), content);
  }
});

test("a certificate of the user's own is pinned, too", async () => {
  const identity = await loadIdentity(path, false);
  const other = await loadIdentity(join(folder, 'other.json'), false);
  await writeFile(join(folder, 'c.pem'), other.certPem);
  await writeFile(join(folder, 'k.pem'), other.keyPem);
  const used = await withCertificate(identity, join(folder, 'c.pem'), join(folder, 'k.pem'));
  assert.deepEqual(used, { ...other, token: identity.token });
  await assert.rejects(withCertificate(identity, join(folder, 'k.pem'), join(folder, 'k.pem')), /no certificate/u);
  await assert.rejects(withCertificate(identity, join(folder, 'none'), join(folder, 'k.pem')), /cannot read/u);
});

test('the data folder is where the platform has it', () => {
  assert.equal(dataFolder({ XDG_DATA_HOME: '/x' }, 'linux'), join('/x', 'weir'));
  assert.match(dataFolder({ XDG_DATA_HOME: 'relative' }, 'linux'), /\.local.share.weir$/u);
  assert.match(dataFolder({}, 'darwin'), /Library.Application Support.weir$/u);
  assert.equal(dataFolder({ LOCALAPPDATA: '/l' }, 'win32'), join('/l', 'weir'));
});
