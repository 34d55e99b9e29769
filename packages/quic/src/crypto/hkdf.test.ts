import assert from 'node:assert/strict';
import { hkdfSync } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromHex, toHex } from '../base/cursor.ts';
import { hkdfExpandLabel, hkdfExtract } from './hkdf.ts';

test('HKDF-Extract: RFC 5869 test cases 1 and 3', () => {
  const ikm = fromHex('0b'.repeat(22));
  assert.equal(
    toHex(hkdfExtract('sha256', fromHex('000102030405060708090a0b0c'), ikm)),
    '077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5',
  );
  assert.equal(
    toHex(hkdfExtract('sha256', new Uint8Array(0), ikm)),
    '19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04',
  );
});

test('extract and expand together are what node:crypto has as one function', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('sha256' as const, 'sha384' as const),
      fc.uint8Array({ maxLength: 64 }),
      fc.uint8Array({ minLength: 1, maxLength: 64 }),
      fc.stringMatching(/^[a-z0-9 ]{1,20}$/),
      fc.uint8Array({ maxLength: 48 }),
      fc.integer({ min: 1, max: 300 }),
      (hash, salt, ikm, label, context, length) => {
        const name = Buffer.from(`tls13 ${label}`, 'latin1');
        const info = Buffer.concat([
          Buffer.of(length >> 8, length & 0xff, name.length),
          name,
          Buffer.of(context.length),
          context,
        ]);
        const expected = new Uint8Array(hkdfSync(hash, ikm, salt, info, length));
        assert.deepEqual(hkdfExpandLabel(hash, hkdfExtract(hash, salt, ikm), label, context, length), expected);
      },
    ),
    { seed: 5869, numRuns: 200 },
  );
});
