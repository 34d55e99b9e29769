import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { payloadSource } from './payload.ts';
import { shareOf } from './settings.ts';

test('a payload is repeated, in large pieces, without a gap', () => {
  for (const length of [1, 7, 1000, (1 << 20) - 1, 1 << 20, (1 << 20) + 5]) {
    const payload = Uint8Array.from({ length }, (_, i) => (i * 31 + (i >>> 8)) & 255);
    const source = payloadSource(payload);
    const share = 3 << 20;
    let pieces = 0;
    for (let offset = 0; offset < share; pieces++) {
      const piece = source(offset, share - offset) as Uint8Array;
      assert.ok(piece.length > 0 && piece.length <= share - offset);
      for (const i of [0, piece.length >> 1, piece.length - 1])
        assert.equal(piece[i], payload[(offset + i) % length], `byte ${offset + i} of a payload of ${length}`);
      offset += piece.length;
    }
    assert.ok(pieces <= 7, `${pieces} pieces`);
  }
});

test('nothing in particular is zeros', () => {
  for (const payload of [undefined, new Uint8Array(0)]) {
    const piece = payloadSource(payload)(0, 100) as Uint8Array;
    assert.deepEqual(piece, new Uint8Array(100));
  }
});

test('shares are as equal as can be and add up', () => {
  const settings = fc.record({
    bytes: fc.integer({ min: 1, max: 2 ** 40 }),
    streams: fc.integer({ min: 1, max: 512 }),
  });
  fc.assert(
    fc.property(settings, (each) => {
      const shares = Array.from({ length: each.streams }, (_, i) => shareOf(each, i + 1));
      assert.equal(
        shares.reduce((a, b) => a + b),
        each.bytes,
      );
      assert.ok(Math.max(...shares) - Math.min(...shares) <= 1);
    }),
    { seed: 1 },
  );
});
