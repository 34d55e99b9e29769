import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { toHex } from '../base/cursor.ts';
import { Nonce } from './nonce.ts';

test('the nonce is the IV xor the packet number, for every packet number and in any order', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 12, maxLength: 12 }),
      fc.array(fc.oneof(fc.nat(), fc.maxSafeNat()), { minLength: 1, maxLength: 8 }),
      (iv, packetNumbers) => {
        const nonce = new Nonce(iv);
        for (const packetNumber of [...packetNumbers, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 0]) {
          const expected = (BigInt(`0x${toHex(iv)}`) ^ BigInt(packetNumber)).toString(16).padStart(24, '0');
          assert.equal(toHex(nonce.set(packetNumber)), expected);
          const target = new Uint8Array(20).fill(0xee);
          nonce.writeTo(target, 5, packetNumber);
          assert.equal(toHex(target), `eeeeeeeeee${expected}eeeeee`);
        }
      },
    ),
    { seed: 53, numRuns: 200 },
  );
});
