import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../base/random.ts';
import type { Connection } from '../connection/connection.ts';
import { Router } from './router.ts';

const CONNECTIONS = [{ name: 'a' }, { name: 'b' }] as unknown as Connection[];
const KEY = new Uint8Array(32).fill(1);

test('IDs route to whom they were issued for, until they are retired', () => {
  const router = new Router(new SeededRandom(1), KEY);
  const issuers = CONNECTIONS.map((connection) => router.issuer(() => connection));
  const issued = Array.from({ length: 200 }, (_, i) => issuers[i & 1]!.issue());
  const padded = new Uint8Array(20);
  for (const [i, { id }] of issued.entries()) {
    padded.set(id, 5);
    assert.equal(router.byLocalId(padded, 5), CONNECTIONS[i & 1]);
  }
  assert.equal(new Set(issued.map(({ id }) => id.join())).size, 200);
  issuers[0]!.retire(issued[0]!.id);
  assert.equal(router.byLocalId(issued[0]!.id, 0), undefined);
  assert.equal(router.byLocalId(issued[1]!.id, 0), CONNECTIONS[1]);
});

test('an ID that is made but not assigned routes nowhere', () => {
  const router = new Router(new SeededRandom(1), KEY);
  const { id } = router.create();
  assert.equal(router.byLocalId(id, 0), undefined);
  router.assign(id, CONNECTIONS[0]!);
  assert.equal(router.byLocalId(id, 0), CONNECTIONS[0]);
});

test('clients choose IDs of any length for their first packets', () => {
  const router = new Router(new SeededRandom(1), KEY);
  const short = new Uint8Array(8).fill(3);
  const long = new Uint8Array(20).fill(3);
  assert.equal(router.byInitialId(short), undefined);
  router.addInitialId(short, CONNECTIONS[0]!);
  router.addInitialId(long, CONNECTIONS[1]!);
  assert.equal(router.byInitialId(short.slice()), CONNECTIONS[0]);
  assert.equal(router.byInitialId(long.slice()), CONNECTIONS[1]);
  router.removeInitialId(short);
  assert.equal(router.byInitialId(short), undefined);
});

test('a reset token leads to who expects it, and to nobody after another is expected', () => {
  const router = new Router(new SeededRandom(1), KEY);
  const issuer = router.issuer(() => CONNECTIONS[0]!);
  const tokens = [1, 2].map((n) => new Uint8Array(16).fill(n));
  const found = (n: number) => router.byResetToken(Uint8Array.of(9, 9, ...tokens[n]!), 18);
  assert.equal(found(0), undefined);
  issuer.expectReset(tokens[0]!);
  assert.equal(found(0), CONNECTIONS[0]);
  issuer.expectReset(tokens[1]!);
  assert.deepEqual([found(0), found(1)], [undefined, CONNECTIONS[0]]);
  issuer.expectReset(undefined);
  assert.equal(found(1), undefined);
});

test('reset tokens follow from the ID and the key', () => {
  const id = new Uint8Array(8).fill(5);
  const same = [1, 2].map((seed) => new Router(new SeededRandom(seed), KEY).resetToken(id));
  assert.deepEqual(same[0], same[1]);
  const other = new Router(new SeededRandom(1), new Uint8Array(32)).resetToken(id);
  assert.notDeepEqual(same[0], other);
  assert.equal(other.length, 16);
});
