import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heapArena } from '../../src/base/arena.ts';
import { TAG_LENGTH } from '../../src/crypto/engine.ts';
import { TLS_AES_128_GCM_SHA256 as SUITE } from '../../src/crypto/suite.ts';
import { nullCryptoEngine } from './null-engine.ts';

const KEY = new Uint8Array(16);

test('the null engine leaves the payload clear and still tells keys and packet numbers apart', () => {
  const key = nullCryptoEngine.packetKey(SUITE, KEY, new Uint8Array(12).fill(1));
  const other = nullCryptoEngine.packetKey(SUITE, KEY, new Uint8Array(12).fill(2));
  const arena = heapArena(100);
  arena.bytes.fill(0xaa);
  key.seal(arena, 3, 10, 50, 2 ** 32 + 0x89abcdef);
  assert.deepEqual(arena.bytes.slice(0, 63), new Uint8Array(63).fill(0xaa));
  assert.deepEqual(arena.bytes.slice(63 + TAG_LENGTH), new Uint8Array(100 - 63 - TAG_LENGTH).fill(0xaa));
  assert.equal(key.open(arena, 3, 10, 66, 2 ** 32 + 0x89abcdef), true);
  assert.equal(key.open(arena, 3, 10, 66, 2 ** 32 + 0x89abcdee), false);
  assert.equal(other.open(arena, 3, 10, 66, 2 ** 32 + 0x89abcdef), false);
  assert.equal(key.open(arena, 3, 10, 15, 2 ** 32 + 0x89abcdef), false);
});

test('the null engine does not touch headers', () => {
  const headerKey = nullCryptoEngine.headerKey(SUITE, KEY);
  const arena = heapArena(40);
  const batch = { count: 1, start: Int32Array.of(0), pnOffset: Int32Array.of(9) };
  headerKey.protect(arena, batch);
  headerKey.unprotect(arena, batch);
  assert.deepEqual(arena.bytes, new Uint8Array(40));
});
