import assert from 'node:assert/strict';
import { createCipheriv } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { SeededRandom } from 'weir-quic/random';
import { chunkTag, TAG_BYTES, TAG_KEY_BYTES } from './tag.ts';

function bytesOf(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  new SeededRandom(seed).fill(bytes);
  return bytes;
}

const KEY = bytesOf(TAG_KEY_BYTES, 1);

function encryptBlock(key: Uint8Array, block: Uint8Array): Uint8Array {
  return createCipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(block);
}

const numberOf = (block: Uint8Array) => BigInt(`0x${Buffer.from(block).toString('hex')}`);

/** Multiplication of blocks, NIST SP 800-38D §6.3, bit by bit. */
function times(x: bigint, y: bigint): bigint {
  let [product, power] = [0n, y];
  for (let bit = 127n; bit >= 0n; bit--) {
    if ((x >> bit) & 1n) product ^= power;
    power = (power & 1n) === 0n ? power >> 1n : (power >> 1n) ^ (0xe1n << 120n);
  }
  return product;
}

/** GMAC as the standard says it, NIST SP 800-38D §6.4 and §7.1 with no plaintext and a nonce of 96 bits. */
function referenceTag(key: Uint8Array, offset: number, bytes: Uint8Array): Uint8Array {
  const subkey = numberOf(encryptBlock(key, new Uint8Array(16)));
  let hash = 0n;
  for (let at = 0; at < bytes.length; at += 16) {
    const block = new Uint8Array(16);
    block.set(bytes.subarray(at, at + 16));
    hash = times(hash ^ numberOf(block), subkey);
  }
  hash = times(hash ^ (BigInt(bytes.length * 8) << 64n), subkey);
  const counter = Buffer.alloc(16);
  counter.writeBigUInt64BE(BigInt(offset), 4);
  counter.writeUInt32BE(1, 12);
  const tag = hash ^ numberOf(encryptBlock(key, counter));
  return new Uint8Array(Buffer.from(tag.toString(16).padStart(32, '0'), 'hex'));
}

test('a tag is what the standard says', () => {
  const chunks = fc.record({ offset: fc.nat(2 ** 40), length: fc.nat(300), seed: fc.integer({ min: 1, max: 1e6 }) });
  fc.assert(
    fc.property(chunks, ({ offset, length, seed }) => {
      const [key, bytes] = [bytesOf(TAG_KEY_BYTES, seed), bytesOf(length, seed + 1)];
      assert.deepEqual(chunkTag(key, offset, bytes), referenceTag(key, offset, bytes));
    }),
    { seed: 5, numRuns: 50 },
  );
});

test('a tag has 16 bytes, also of the largest chunk at the largest offset', () => {
  assert.equal(chunkTag(KEY, Number.MAX_SAFE_INTEGER, bytesOf(1 << 20, 2)).length, TAG_BYTES);
});

test('each bit of a chunk, its length, its place and the key make another tag', () => {
  const bytes = bytesOf(200, 3);
  const tags = new Set([chunkTag(KEY, 0, bytes)].map(String));
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    tags.add(String(chunkTag(KEY, 0, bytes)));
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
  tags.add(String(chunkTag(KEY, 0, bytes.subarray(0, 199))));
  tags.add(String(chunkTag(KEY, 200, bytes)));
  tags.add(String(chunkTag(bytesOf(TAG_KEY_BYTES, 4), 0, bytes)));
  assert.equal(tags.size, 1 + bytes.length * 8 + 3);
});
