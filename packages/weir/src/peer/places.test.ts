import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from './introduction.ts';
import { clientOf, Places } from './places.ts';

const OPTIONS = { most: 3, mostEach: 2, line: 4, lineEach: 3, taken: 'other files' };
const isBusy = (error: unknown) => error instanceof Refusal && error.code === 'busy';

test('one address does not hold every place, and who comes later stands in line', () => {
  const places = new Places(OPTIONS);
  const visits = ['a', 'a', 'a', 'b', 'b', 'c'].map((client) => places.enter(client, true));
  assert.deepEqual(
    visits.map(({ position }) => position),
    [0, 0, 1, 0, 2, 3],
  );
  assert.equal(places.served, 3);
  assert.throws(() => places.enter('d', false), isBusy, 'one that cannot wait');
});

test('the first in line that may have a place gets it, and all hear where they are now', async () => {
  const places = new Places(OPTIONS);
  const [a1, a2, a3, b1, b2, c1] = ['a', 'a', 'a', 'b', 'b', 'c'].map((client) => places.enter(client, true));
  const moved = b2!.moved();
  // Of 'a', which is first in line, two are served already.
  b1!.leave();
  await moved;
  assert.deepEqual(
    [a3, b2, c1].map((visit) => visit!.position),
    [1, 0, 2],
  );
  a1!.leave();
  assert.deepEqual([a3!.position, c1!.position], [0, 1]);
  for (const visit of [a1, a2, a3, a3, b1, b2]) visit!.leave();
  assert.equal(c1!.position, 0);
  assert.equal(places.served, 1);
  c1!.leave();
  assert.equal(places.served, 0);
});

test('the line is bounded, in all and for each address, and who leaves it makes room', () => {
  const places = new Places(OPTIONS);
  for (const client of ['a', 'a', 'b']) places.enter(client, true);
  const waiting = [1, 2, 3].map(() => places.enter('x', true));
  assert.throws(() => places.enter('x', true), isBusy);
  places.enter('y', true);
  assert.throws(() => places.enter('z', true), isBusy);
  waiting[0]!.leave();
  assert.equal(places.enter('z', true).position, 4);
});

test('places that are closed serve nobody more', () => {
  const places = new Places(OPTIONS);
  for (const client of ['a', 'a', 'b']) places.enter(client, true);
  const waiting = places.enter('c', true);
  places.close('enough for today');
  assert.throws(() => waiting.position, isBusy);
  assert.throws(() => places.enter('d', true), /enough for today/u);
});

test('an address counts for itself, of IPv6 the network of 64 bits', () => {
  const same = [
    ['192.0.2.1', '::ffff:192.0.2.1'],
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff:ffff:ffff:ffff'],
    ['2001:0db8:1:2::', '2001:db8:1:2:3::'],
    ['fe80::1%eth0', 'fe80::2%eth0'],
    ['::1', '::'],
  ] as const;
  for (const [one, other] of same) assert.equal(clientOf(one), clientOf(other), one);
  const different = ['192.0.2.1', '192.0.2.2', '2001:db8:1:2::1', '2001:db8:1:3::1', '2001:db8::1', '::1', 'fe80::1'];
  assert.equal(new Set(different.map(clientOf)).size, different.length);
});
