import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { makeSelfSigned } from 'weir-quic';
import { dataFolder } from '../data-folder.ts';
import { CliError } from '../exit-codes.ts';
import { withCertificate } from '../options/own-certificate.ts';
import { loadIdentity } from './identity.ts';

let folder: string;
let warnings: string[] = [];
const warn = (message: string) => void warnings.push(message);
let path: string;
beforeEach(async () => {
  warnings = [];
  folder = await mkdtemp(join(tmpdir(), 'weir-identity-'));
  path = join(folder, 'deep', 'receiver.json');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('the first start makes an identity that only its owner can read; later starts find it', async () => {
  const made = await loadIdentity(path, false, warn);
  assert.equal(made.pin.length, 32);
  assert.equal(made.token.length, 16);
  if (process.platform !== 'win32') {
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal((await stat(join(folder, 'deep'))).mode & 0o777, 0o700);
  }
  assert.deepEqual(await loadIdentity(path, false, warn), made);
  assert.deepEqual(await readdir(join(folder, 'deep')), ['receiver.json']);
});

test('two first starts at once agree', async () => {
  const [a, b] = await Promise.all([loadIdentity(path, false, warn), loadIdentity(path, false, warn)]);
  assert.deepEqual(a, b);
  assert.deepEqual(await readdir(join(folder, 'deep')), ['receiver.json']);
});

test('a new ticket replaces certificate and token', async () => {
  const old = await loadIdentity(path, false, warn);
  const renewed = await loadIdentity(path, true, warn);
  assert.notDeepEqual(renewed.pin, old.pin);
  assert.notDeepEqual(renewed.token, old.token);
  assert.deepEqual(await loadIdentity(path, false, warn), renewed);
});

test('rights that are too wide are taken back, and that is said', { skip: process.platform === 'win32' }, async () => {
  await loadIdentity(path, false, warn);
  await chmod(path, 0o644);
  await loadIdentity(path, false, warn);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /^others could read .* and no longer can: .*--new-ticket/u);
});

test('a folder or a device is no identity file, and keeps its rights', {
  skip: process.platform === 'win32',
}, async () => {
  await chmod(folder, 0o755);
  await assert.rejects(loadIdentity(folder, false, warn), (error) => error instanceof CliError && error.exitCode === 8);
  assert.equal((await stat(folder)).mode & 0o777, 0o755);
  await assert.rejects(loadIdentity('/dev/null', false, warn), CliError);
  assert.equal((await stat('/dev/null')).mode & 0o777, 0o666);
  assert.deepEqual(warnings, []);
});

test('a damaged file is not used and not replaced in silence', async () => {
  await loadIdentity(path, false, warn);
  for (const content of ['', '{}', 'null', (await readFile(path, 'utf8')).slice(0, 200)]) {
    await writeFile(path, content);
    await assert.rejects(
      loadIdentity(path, false, warn),
      (error) => error instanceof CliError && /--new-ticket/u.test(error.message),
    );
    assert.equal(await readFile(path, 'utf8'), content);
  }
});

test("a certificate of the user's own is pinned, too", async () => {
  const identity = await loadIdentity(path, false, warn);
  const other = await loadIdentity(join(folder, 'other.json'), false, warn);
  await writeFile(join(folder, 'c.pem'), other.certPem);
  await writeFile(join(folder, 'k.pem'), other.keyPem, { mode: 0o600 });
  const used = await withCertificate(identity, join(folder, 'c.pem'), join(folder, 'k.pem'), warn);
  assert.deepEqual(used, { ...other, token: identity.token });
  await assert.rejects(
    withCertificate(identity, join(folder, 'k.pem'), join(folder, 'k.pem'), warn),
    /no certificate/u,
  );
  await assert.rejects(withCertificate(identity, join(folder, 'none'), join(folder, 'k.pem'), warn), /cannot read/u);
});

test('an expired certificate, a key that others can read and one of another certificate are told of at the start', async () => {
  const identity = await loadIdentity(path, false, warn);
  const { certPem, keyPem } = await makeSelfSigned({ names: ['x'], days: -1 });
  await writeFile(join(folder, 'c.pem'), certPem);
  await writeFile(join(folder, 'k.pem'), keyPem, { mode: 0o644 });
  await writeFile(join(folder, 'other.pem'), identity.keyPem);
  await withCertificate(identity, join(folder, 'c.pem'), join(folder, 'k.pem'), warn);
  assert.match(warnings[0]!, /c\.pem expired on /u);
  if (process.platform !== 'win32') assert.match(warnings[1]!, /^others can read .*k\.pem: chmod 600/u);
  await assert.rejects(
    withCertificate(identity, join(folder, 'c.pem'), join(folder, 'other.pem'), warn),
    /other\.pem is not the private key of the certificate in .*c\.pem$/u,
  );
});

test('the data folder is where the platform has it', () => {
  assert.equal(dataFolder({ XDG_DATA_HOME: '/x' }, 'linux'), join('/x', 'weir'));
  assert.match(dataFolder({ XDG_DATA_HOME: 'relative' }, 'linux'), /\.local.share.weir$/u);
  // Empty is not set: nothing goes into the current folder.
  for (const HOME of ['', 'relative']) assert.ok(isAbsolute(dataFolder({ HOME, XDG_DATA_HOME: '' }, 'linux')), HOME);
  assert.equal(dataFolder({ HOME: '/h', XDG_DATA_HOME: '' }, 'linux'), join('/h', '.local', 'share', 'weir'));
  assert.throws(() => dataFolder({ HOME: '/h\ufffd' }, 'linux'), /no UTF-8/u);
  assert.match(dataFolder({}, 'darwin'), /Library.Application Support.weir$/u);
  assert.equal(dataFolder({ LOCALAPPDATA: '/l' }, 'win32'), join('/l', 'weir'));
});
