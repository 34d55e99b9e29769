import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Waiters } from './internal.ts';

test('a wait that its signal ended is forgotten, and no other', async () => {
  const waiters = new Waiters<void>();
  const abort = new AbortController();
  const given = assert.rejects(waiters.wait(abort.signal), /enough/);
  abort.abort(new Error('enough'));
  await given;
  assert.ok(waiters.isEmpty);
  const other = new AbortController();
  const waiting = [waiters.wait(undefined), assert.rejects(waiters.wait(other.signal), /enough/)];
  other.abort(new Error('enough'));
  waiters.settle();
  await Promise.all(waiting);
  assert.ok(waiters.isEmpty);
});
