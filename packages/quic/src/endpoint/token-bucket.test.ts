import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TokenBucket } from './token-bucket.ts';

/** How many tokens there are at once. */
function drain(bucket: TokenBucket, now: number): number {
  let count = 0;
  while (bucket.take(now)) count++;
  return count;
}

test('a burst at once, then the rate, and no more than a burst is saved up', () => {
  const bucket = new TokenBucket(100, 5);
  assert.equal(drain(bucket, 1000), 5);
  assert.equal(bucket.has(1009), false);
  assert.equal(drain(bucket, 1010), 1);
  assert.equal(drain(bucket, 1035), 2);
  assert.equal(drain(bucket, 1040), 1, 'halves add up');
  assert.equal(drain(bucket, 1e9), 5);
});

test('a look takes nothing, and a rate of 0 leaves the burst', () => {
  const bucket = new TokenBucket(0, 1);
  assert.ok(bucket.has(0) && bucket.has(0));
  assert.equal(drain(bucket, 0), 1);
  assert.equal(bucket.has(1e12), false);
});
