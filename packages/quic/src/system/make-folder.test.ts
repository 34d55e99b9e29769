import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeFolder } from './make-folder.ts';

const root = mkdtempSync(join(tmpdir(), 'weir-make-folder-'));
after(() => rmSync(root, { recursive: true, force: true }));

const isPosix = process.platform !== 'win32';

test('a folder is made with those above it, and left alone when it is there', () => {
  const folder = join(root, 'a/b/c');
  makeFolder(folder, 0o700);
  makeFolder(folder);
  assert.ok(statSync(folder).isDirectory());
  if (isPosix) assert.equal(statSync(join(root, 'a')).mode & 0o777, 0o700);
});

test('a link to a folder is one, a file is none, and below a file is nothing', { skip: !isPosix }, () => {
  symlinkSync(root, join(root, 'link'));
  makeFolder(join(root, 'link'));
  makeFolder(join(root, 'link/d/e'));
  writeFileSync(join(root, 'file'), '');
  symlinkSync('nowhere', join(root, 'dangling'));
  for (const path of ['file', 'file/below', 'file/below/it', 'dangling'])
    assert.throws(() => makeFolder(join(root, path)), { code: 'ENOTDIR' }, path);
});

// In a process of its own: what this is about never ended, and a removed folder is nobody else's.
test('where a folder cannot be made although the one above is there, it is an error', { skip: !isPosix }, () => {
  const program = `
    import { mkdirSync, rmdirSync } from 'node:fs';
    const { makeFolder } = await import(${JSON.stringify(new URL('./make-folder.js', import.meta.url).href)});
    const attempt = (path) => { try { makeFolder(path); return 'made'; } catch ({ code }) { return code; } };
    const gone = ${JSON.stringify(join(root, 'gone'))};
    mkdirSync(gone); process.chdir(gone); rmdirSync(gone);
    console.log(['x', './x/y', '.'].map(attempt).join(), ${process.platform === 'linux'} ? attempt('/proc/x/y') : 'ENOENT');`;
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  assert.equal(said.trim(), 'ENOENT,ENOENT,made ENOENT');
});
