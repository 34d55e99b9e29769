import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { SeededRandom } from 'weir-quic/random';
import { TransferError } from '../peer/errors.ts';
import { ChunkLedger } from './chunk-ledger.ts';

const PAGE = 4096;

/** A tag that tells which chunk it is of. */
function tagOf(index: number): Uint8Array {
  const tag = new Uint8Array(16);
  new DataView(tag.buffer).setFloat64(0, index);
  return tag;
}

/** What the digest is by definition: of all tags in file order. */
function digestOf(count: number): string {
  const hash = createHash('sha256');
  for (let i = 0; i < count; i++) hash.update(tagOf(i));
  return hash.digest('hex');
}

test('each chunk is taken once, in whatever order, and the digest is that of the tags in file order', () => {
  const random = new SeededRandom(4);
  for (const count of [0, 1, 3, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE + 77]) {
    const ledger = new ChunkLedger(count);
    const order = Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = random.integer(0, i);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    for (const [done, index] of order.entries()) {
      assert.equal(ledger.isComplete, false);
      assert.equal(ledger.missing, count - done);
      assert.equal(ledger.claim(index, tagOf(index)), true);
      assert.equal(ledger.claim(index, tagOf(0)), false, 'twice');
    }
    assert.ok(ledger.isComplete);
    assert.equal(ledger.digest, digestOf(count), `${count} chunks`);
  }
});

test('a chunk of a page that is in the digest already is taken no second time', () => {
  const ledger = new ChunkLedger(2 * PAGE);
  for (let i = 0; i < PAGE; i++) ledger.claim(i, tagOf(i));
  for (const index of [0, 1, PAGE - 1]) assert.equal(ledger.claim(index, tagOf(9)), false);
  assert.equal(ledger.missing, PAGE);
});

test('what a ledger holds does not depend on the size of the file, and chunks that leave too much out are refused', () => {
  const ledger = new ChunkLedger(2 ** 43);
  // The first chunk of each page but the first: each costs a page.
  for (let page = 1; page <= 256; page++) assert.ok(ledger.claim(page * PAGE, tagOf(page)));
  assert.throws(
    () => ledger.claim(2 ** 43 - 1, tagOf(1)),
    (error) => error instanceof TransferError && error.code === 'protocol' && /out of order/u.test(error.message),
  );
});
