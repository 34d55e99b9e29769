import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcceptedChains, chainKey } from './accepted-chains.ts';

test('a chain is good while all its certificates are', () => {
  const chains = new AcceptedChains();
  chains.add('a', { from: 100, until: 200 });
  const times = [99, 100, 200, 201].map((time) => chains.has('a', new Date(time)));
  assert.deepEqual(times, [false, true, true, false]);
  assert.equal(chains.has('b', new Date(150)), false);
});

test('so many are remembered, and the oldest goes first', () => {
  const chains = new AcceptedChains();
  for (let i = 0; i < 300; i++) chains.add(`${i}`, { from: 0, until: 1 });
  const known = Array.from({ length: 300 }, (_, i) => chains.has(`${i}`, new Date(0)));
  assert.equal(known.indexOf(true), 44);
  assert.equal(known.lastIndexOf(false), 43);
});

test('what goes into a key cannot move from one part to the next', () => {
  const keys = [['ab', 'c'], ['a', 'bc'], ['abc'], ['a', 'b', 'c'], ['abc', ''], ['1:a'], ['', 'abc']].map(chainKey);
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(chainKey([Buffer.from('x')]), chainKey(['x']));
});
