import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packetArena } from './arena.ts';
import { addressProblem, koffiProblem, loadKoffi, nativeArena } from './koffi.ts';

test('a packet arena has an address where native code can be called, and none where it cannot', () => {
  const arena = packetArena(3000);
  assert.deepEqual(arena.bytes, new Uint8Array(3000));
  assert.equal(arena.address !== 0, loadKoffi() !== undefined);
});

test('what native code writes at the address is in the bytes', { skip: koffiProblem() ?? false }, () => {
  for (const size of [1, 64, 65, 1 << 17]) {
    const arena = nativeArena(size);
    const fill = loadKoffi()!.load(null).func('uintptr_t memset(uintptr_t, int, size_t)');
    fill(arena.address, 0xa5, size);
    assert.deepEqual(arena.bytes, new Uint8Array(size).fill(0xa5));
  }
});

test('native code is not called where addresses have a tag and do not fit in numbers', () => {
  assert.equal(addressProblem({ address: () => 0xffff_ffff_fff0n }), undefined);
  // One that would be rounded, and one that happens to survive: the next allocation has another tag.
  for (const address of [0x0a00_0055_0b90_5060n, 0x0100_0055_0b98_8010n]) {
    assert.equal(addressProblem({ address: () => address }), 'memory is tagged: addresses do not fit in numbers');
  }
});
