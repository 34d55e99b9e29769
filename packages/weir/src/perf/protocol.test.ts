import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeRequest, RequestReader, UNLIMITED } from './protocol.ts';

test('a request is read however its bytes are cut into pieces', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 20 });
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 53n), fc.integer({ min: 0, max: 30 }), cuts, (wanted, payload, lengths) => {
      const bytes = new Uint8Array([...encodeRequest(wanted), ...new Uint8Array(payload).fill(0xff)]);
      const request = new RequestReader();
      let taken = 0;
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const end = at + (lengths[i] ?? bytes.length);
        taken += request.take(bytes.subarray(at, end));
        at = end;
      }
      assert.equal(request.wanted, Number(wanted));
      assert.equal(taken, payload);
    }),
    { seed: 504, numRuns: 300 },
  );
});

test('the header is eight bytes in network order', () => {
  assert.deepEqual([...encodeRequest(0x0102_0304_0506_0708n)], [1, 2, 3, 4, 5, 6, 7, 8]);
});

test('seven bytes are no request', () => {
  const request = new RequestReader();
  request.take(encodeRequest(5n).subarray(0, 7));
  assert.equal(request.wanted, undefined);
});

test('more than a stream can carry is without end', () => {
  for (const [wanted, expected] of [
    [UNLIMITED, Number.POSITIVE_INFINITY],
    [2n ** 62n, Number.POSITIVE_INFINITY],
    [2n ** 62n - 1n, 2 ** 62],
    [0n, 0],
  ] as const) {
    const request = new RequestReader();
    request.take(encodeRequest(wanted));
    assert.equal(request.wanted, expected);
  }
});
