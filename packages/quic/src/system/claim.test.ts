import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { formatClaim, type HeldLock, lockOwn, parseClaim, seizeAbandoned } from './claim.ts';
import { canFlock } from './flock.ts';
import { processName } from './process-name.ts';

const root = mkdtempSync(join(tmpdir(), 'weir-claim-'));
after(() => rmSync(root, { recursive: true, force: true }));

const path = join(root, 'file');
const own = processName();
/** Of this kernel, in another container: nothing can be known of it but by its lock. */
const elsewhere = { ...own, namespace: '1' };
/** Gone: nobody of this number began then. */
const gone = { ...own, started: '1' };
const stranger = { ...own, machine: 'ffffff', boot: 'ffffffff' };
const skip = canFlock() ? own.boot === '0' && 'no boot IDs here' : 'files cannot be locked here';

test('a claim survives being written and read, and nothing else is one', () => {
  for (const isLocked of [true, false]) {
    const text = formatClaim(isLocked);
    assert.match(text, /^[0-9a-z-]+$/u);
    assert.deepEqual(parseClaim(text), { owner: own, isLocked });
  }
  for (const text of ['', 'l', '-l', '1-2-3-4-5', formatClaim(true).slice(0, -1)])
    assert.equal(parseClaim(text), undefined);
});

test('what is locked is in use, whoever has it; unlocked it is abandoned where the lock tells', { skip }, () => {
  writeFileSync(path, '');
  const lock = lockOwn(path) as HeldLock;
  for (const owner of [elsewhere, gone, own, stranger])
    assert.equal(seizeAbandoned(path, { owner, isLocked: true }), undefined);
  lock.release();
  for (const [owner, isAbandoned] of [
    [elsewhere, true],
    [gone, true],
    [own, false],
    [stranger, false],
  ] as const) {
    const seized = seizeAbandoned(path, { owner, isLocked: true });
    assert.equal(seized !== undefined, isAbandoned, JSON.stringify(owner));
    seized?.release();
  }
});

test('without a lock only what is certainly gone is abandoned', () => {
  writeFileSync(path, '');
  for (const owner of [elsewhere, own, stranger])
    assert.equal(seizeAbandoned(path, { owner, isLocked: false }), undefined);
  if (own.started !== '0') assert.ok(seizeAbandoned(path, { owner: gone, isLocked: false }));
});

test('of two who find it abandoned one gets it, and its maker learns of that', { skip }, () => {
  writeFileSync(path, '');
  const claim = { owner: elsewhere, isLocked: true };
  const first = seizeAbandoned(path, claim)!;
  assert.equal(seizeAbandoned(path, claim), undefined);
  // Its maker was about to lock it.
  assert.equal(lockOwn(path), 'removed');
  unlinkSync(path);
  first.release();
  assert.equal(lockOwn(path), 'removed');
});

test('a link is not followed', { skip: process.platform === 'win32' }, () => {
  const target = join(root, 'target');
  const link = join(root, 'link');
  writeFileSync(target, 'kept');
  symlinkSync(target, link);
  assert.equal(seizeAbandoned(link, { owner: elsewhere, isLocked: true }), undefined);
});
