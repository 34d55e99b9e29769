import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProcessRandom } from './process-random.ts';

test('every draw is filled whole, and none comes twice', () => {
  const random = new ProcessRandom();
  const seen = new Set<string>();
  // Over several pools, and past the size that is drawn directly.
  for (let length = 16; length < 700; length++) {
    const bytes = new Uint8Array(length + 8);
    random.fill(bytes.subarray(4, 4 + length));
    // 16 zero bytes in a row: one in 2^128.
    for (let at = 4; at + 16 <= 4 + length; at += 16)
      seen.add(Buffer.from(bytes.subarray(at, at + 16)).toString('hex'));
    assert.deepEqual([...bytes.subarray(0, 4), ...bytes.subarray(4 + length)], [0, 0, 0, 0, 0, 0, 0, 0]);
  }
  let blocks = 0;
  for (let length = 16; length < 700; length++) blocks += Math.floor(length / 16);
  assert.equal(seen.size, blocks);
  assert.ok(!seen.has('00'.repeat(16)));
});
