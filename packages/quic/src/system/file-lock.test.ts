import assert from 'node:assert/strict';
import fs, { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { formatClaim } from './claim.ts';
import { FileLock } from './file-lock.ts';
import { processName } from './process-name.ts';

const own = processName();
const unknown = { ...own, machine: 'ffffff', boot: 'ffffffff' };
let folder = '';
let path = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-lock-'));
  path = join(folder, 'lock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function taken(abandonedAfter?: number): FileLock {
  const lock = FileLock.take(path, abandonedAfter);
  assert.ok(lock instanceof FileLock, JSON.stringify(lock));
  return lock;
}

function refused(abandonedAfter?: number): void {
  assert.ok(!(FileLock.take(path, abandonedAfter) instanceof FileLock));
}

/** A lock of another process, made so many milliseconds ago. */
function write(text: string, age = 0): void {
  writeFileSync(path, text);
  const then = (Date.now() - age) / 1000;
  utimesSync(path, then, then);
}

function behaviour(): void {
  it("is one process's at a time, and leaves nothing behind", () => {
    const lock = taken();
    assert.deepEqual(FileLock.take(path), { whereabouts: 'running', pid: process.pid, host: hostname() });
    assert.deepEqual(readdirSync(folder), ['lock']);
    lock.release();
    assert.deepEqual(readdirSync(folder), []);
    taken().release();
  });

  it('is taken over from a process that is gone', { skip: own.started === '0' }, () => {
    for (const isLocked of [true, false]) {
      write(`${formatClaim(isLocked, { ...own, started: '1' })}\nhost\n`);
      taken().release();
    }
    assert.deepEqual(readdirSync(folder), []);
  });

  it('of a process of whom nothing is known is kept, unless it may be old and is', () => {
    const text = `${formatClaim(false, unknown)}\nother\n`;
    write(text, 3_600_000);
    refused();
    assert.deepEqual(FileLock.take(path), { whereabouts: 'unknown', pid: own.pid, host: 'other' });
    write(text, 50_000);
    refused(60_000);
    assert.equal(readFileSync(path, 'latin1'), text);
    write(text, 70_000);
    taken(60_000).release();
  });

  it("of another form is somebody's", () => {
    for (const text of ['4711 host\n', '{"pid":4711,"host":"host","started":""}']) {
      write(text, 3_600_000);
      refused();
      taken(60_000).release();
    }
  });

  it('that is not written yet is waited for, but not for long', () => {
    write('', 1000);
    refused();
    write(formatClaim(true).slice(0, 9), 3000);
    taken().release();
  });

  it('that was taken over stays with who did that', () => {
    const lock = taken();
    fs.unlinkSync(path);
    const other = taken();
    lock.release();
    assert.ok(existsSync(path));
    refused();
    other.release();
  });
}

describe('a file lock', behaviour);

describe('a file lock where there are no hard links', () => {
  beforeEach(() => {
    mock.method(fs, 'linkSync', () => {
      throw Object.assign(new Error('no links'), { code: 'EPERM' });
    });
    syncBuiltinESMExports();
  });
  afterEach(() => {
    mock.restoreAll();
    syncBuiltinESMExports();
  });
  behaviour();
});

it('a folder that cannot be written is an error', () => {
  assert.throws(() => FileLock.take(join(folder, 'none/lock')), { code: 'ENOENT' });
});
