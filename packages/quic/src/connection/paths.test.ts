import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Address } from '../base/address.ts';
import { SeededRandom } from '../base/random.ts';
import { NEVER } from '../base/time.ts';
import { Paths } from './paths.ts';

const A: Address = { family: 4, host: '192.0.2.1', port: 1 };
const B: Address = { family: 4, host: '192.0.2.2', port: 1 };
const C: Address = { family: 4, host: '192.0.2.3', port: 1 };

function make(validated = true): Paths {
  return new Paths(A, validated, new SeededRandom(1));
}

test('an address that is not validated gets three times what it sent', () => {
  const { active } = make(false);
  assert.equal(active.allowance, 0);
  active.bytesReceived = 100;
  assert.equal(active.allowance, 300);
  active.bytesSent = 301;
  assert.equal(active.allowance, 0);
  active.validated = true;
  assert.equal(active.allowance, Number.POSITIVE_INFINITY);
});

test('a new address is challenged three times, ever more slowly, and then given up', () => {
  const paths = make();
  assert.equal(paths.timeout(), NEVER);
  paths.migrate(1000, B, 50);
  assert.equal(paths.active.allowance, 150);
  const sentAt: number[] = [];
  let now = 1000;
  while (!paths.hasFailed(now)) {
    assert.equal(paths.challengeDue(now), true);
    assert.equal(paths.nextChallenge(now, 100, true, true).length, 8);
    sentAt.push(now);
    now = paths.timeout();
  }
  assert.deepEqual(sentAt, [1000, 1100, 1300]);
  assert.equal(now, 1700);
  assert.equal(paths.revert(), true);
  assert.equal(paths.active.remote, A);
  assert.equal(paths.timeout(), NEVER);
  assert.equal(paths.revert(), false);
});

test('any of the challenges, answered, validates; other data does not', () => {
  const paths = make();
  paths.migrate(0, B, 50);
  const first = paths.nextChallenge(0, 100, true, true).slice();
  paths.nextChallenge(100, 100, true, true);
  assert.equal(paths.onResponse(new Uint8Array(8)), false);
  assert.equal(paths.active.validated, false);
  assert.equal(paths.onResponse(first), true);
  assert.equal(paths.active.validated, true);
  assert.equal(paths.timeout(), NEVER);
  assert.equal(paths.onResponse(first), false);
  assert.equal(paths.revert(), false, 'the old path is left for good');
});

test('the answer to a small challenge validates the address, and a full one asks about the path', () => {
  const paths = make();
  paths.migrate(0, B, 50);
  const small = paths.nextChallenge(0, 100, true, false);
  assert.equal(paths.challengeDue(50), false);
  assert.equal(paths.onResponse(small), true);
  assert.equal(paths.active.validated, true);
  assert.equal(paths.challengeDue(50), true);
  const full = paths.nextChallenge(50, 100, true, true);
  assert.equal(paths.onResponse(small), false);
  assert.equal(paths.timeout(), 150);
  assert.equal(paths.onResponse(full), false, 'that the address is proved is no news');
  assert.equal(paths.timeout(), NEVER);
  assert.equal(paths.revert(), false, 'the old path is left for good');
});

test('a path that carries small challenges only is given up', () => {
  const paths = make();
  paths.migrate(0, B, 50);
  paths.onResponse(paths.nextChallenge(0, 100, true, false));
  let now = 50;
  for (; !paths.hasFailed(now); now = paths.timeout()) paths.nextChallenge(now, 100, true, true);
  assert.equal(now, 750);
  assert.equal(paths.revert(), true);
  assert.equal(paths.active.remote, A);
});

test('the answer to the challenge of an address left behind validates nothing', () => {
  const paths = make();
  paths.migrate(0, B, 50);
  const toB = paths.nextChallenge(0, 100, true, true);
  paths.migrate(10, C, 50);
  assert.equal(paths.onResponse(toB), false);
  assert.equal(paths.active.validated, false);
});

test('from one unproven address to the next, the way back is to the proven one', () => {
  const paths = make();
  paths.migrate(0, B, 50);
  paths.migrate(10, C, 50);
  paths.migrate(20, A, 50);
  assert.equal(paths.active.remote, A);
  assert.equal(paths.active.validated, true);
  assert.equal(paths.timeout(), NEVER);
});

test('the address left is asked once whether the peer is still there', () => {
  const paths = make();
  assert.equal(paths.takeRecheck(), undefined);
  paths.migrate(0, B, 50);
  assert.equal(paths.takeRecheck(), A);
  assert.equal(paths.takeRecheck(), undefined);
  // Its answer says nothing about the new one.
  paths.migrate(10, C, 50);
  assert.equal(paths.onResponse(paths.nextChallenge(10, 100, false, true)), false);
});

test('challenges are answered where they came from, one a packet, and eight at most wait', () => {
  const paths = make();
  for (let packet = 0; packet < 20; packet++) {
    paths.onChallenge(B, Uint8Array.of(packet, 1), packet, 100);
    paths.onChallenge(B, Uint8Array.of(packet, 2), packet, 100);
  }
  const answers: (readonly number[])[] = [];
  for (let answer = paths.takeResponse(); answer !== undefined; answer = paths.takeResponse()) {
    assert.equal(answer.remote, B);
    assert.equal(answer.limit, 300);
    answers.push([...answer.data]);
  }
  assert.deepEqual(
    answers,
    [12, 13, 14, 15, 16, 17, 18, 19].map((packet) => [packet, 2]),
  );
  assert.equal(paths.probesWaiting, false);
});
