import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Koffi, NativeFunction } from '../../native/koffi.ts';
import { bindEvp } from './evp.ts';

/** koffi on a system with pointers of that size and an OpenSSL of that version, without the function `missing`. */
function fakeKoffi(pointerBytes: number, version: number, missing = 'nothing'): Koffi {
  const func = (prototype: string): NativeFunction => {
    if (prototype.includes(missing)) throw new Error(`no function ${missing}`);
    return () => (prototype.includes('OpenSSL_version_num') ? version : 64);
  };
  return { sizeof: () => pointerBytes, load: () => ({ func }) } as unknown as Koffi;
}

test('OpenSSL 3 on a 64-bit system is bound', () => {
  const evp = bindEvp(fakeKoffi(8, 0x30000130));
  assert.equal(evp.ciphers['aes-256-ecb'], 64);
  assert.equal(evp.contextNew(), 64);
});

test('what the calls are not made for is refused before one of them happens', () => {
  assert.throws(() => bindEvp(fakeKoffi(4, 0x30000130)), /64-bit/);
  assert.throws(() => bindEvp(fakeKoffi(8, 0x1010107f)), /0x1010107f is older than 3\.0/);
  assert.throws(() => bindEvp(fakeKoffi(8, 0x30000130, 'EVP_CipherInit_ex2')), /no function EVP_CipherInit_ex2/);
});
