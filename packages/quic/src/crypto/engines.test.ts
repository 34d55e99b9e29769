import assert from 'node:assert/strict';
import { createCipheriv } from 'node:crypto';
import { test } from 'node:test';
import { type Arena, heapArena } from '../base/arena.ts';
import { SeededRandom } from '../base/random.ts';
import { type HeaderBatch, TAG_LENGTH } from './engine.ts';
import { ENGINES } from './fixtures.test.ts';
import { CIPHER_SUITES, type CipherSuite } from './suite.ts';

const random = new SeededRandom(9001);
const HEADER_LENGTH = 12;

function filled(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  random.fill(bytes);
  return bytes;
}

function filledArena(length: number): Arena {
  const arena = heapArena(length);
  random.fill(arena.bytes);
  return arena;
}

/** What RFC 9001 §5.3 says, computed without the engine. */
function expectedSeal(suite: CipherSuite, key: Uint8Array, iv: Uint8Array, packet: Uint8Array, packetNumber: number) {
  const nonce = Buffer.from(iv);
  const low = nonce.readBigUInt64BE(4) ^ BigInt(packetNumber);
  nonce.writeBigUInt64BE(low, 4);
  const cipher = createCipheriv(suite.aead as 'aes-128-gcm', key, nonce, { authTagLength: 16 });
  cipher.setAAD(packet.subarray(0, HEADER_LENGTH));
  const ciphertext = cipher.update(packet.subarray(HEADER_LENGTH));
  cipher.final();
  return Uint8Array.from(Buffer.concat([packet.subarray(0, HEADER_LENGTH), ciphertext, cipher.getAuthTag()]));
}

for (const { name, skip, engine } of ENGINES) {
  for (const suite of CIPHER_SUITES) {
    test(`${name}, ${suite.name}: packets of a batch are sealed in place as the RFC says, and open again`, {
      skip,
    }, () => {
      const key = filled(suite.keyLength);
      const iv = filled(12);
      const packetKey = engine.packetKey(suite, key.slice(), iv.slice());
      for (const size of [0, 1, 15, 16, 17, 1200, 1425]) {
        const slot = HEADER_LENGTH + size + TAG_LENGTH;
        const arena = filledArena(3 * slot + 9);
        const before = arena.bytes.slice();
        for (let i = 0; i < 3; i++) {
          const packetNumber = [0, 2 ** 32 + 5, 2 ** 53 - 1][i]!;
          const start = 5 + i * slot;
          packetKey.seal(arena, start, HEADER_LENGTH, size, packetNumber);
          const plain = before.subarray(start, start + HEADER_LENGTH + size);
          const expected = expectedSeal(suite, key, iv, plain, packetNumber);
          assert.deepEqual(arena.bytes.slice(start, start + slot), expected);
          assert.ok(packetKey.open(arena, start, HEADER_LENGTH, size + TAG_LENGTH, packetNumber));
          assert.deepEqual(arena.bytes.slice(start, start + plain.length), plain.slice());
        }
        assert.deepEqual(arena.bytes.slice(0, 5), before.slice(0, 5));
        assert.deepEqual(arena.bytes.slice(5 + 3 * slot), before.slice(5 + 3 * slot));
      }
    });

    test(`${name}, ${suite.name}: a packet with any bit changed, or another number or key, does not open`, {
      skip,
    }, () => {
      const packetKey = engine.packetKey(suite, filled(suite.keyLength), filled(12));
      const other = engine.packetKey(suite, filled(suite.keyLength), filled(12));
      const size = 20;
      const sealed = filledArena(HEADER_LENGTH + size + TAG_LENGTH);
      packetKey.seal(sealed, 0, HEADER_LENGTH, size, 7);
      const opens = (key = packetKey, packetNumber = 7, bit = -1) => {
        const arena = { bytes: sealed.bytes.slice(), address: 0 };
        if (bit >= 0) arena.bytes[bit >> 3]! ^= 1 << (bit & 7);
        return key.open(arena, 0, HEADER_LENGTH, size + TAG_LENGTH, packetNumber);
      };
      assert.equal(opens(), true);
      assert.equal(opens(packetKey, 8), false);
      assert.equal(opens(packetKey, 7 + 2 ** 32), false);
      assert.equal(opens(other), false);
      for (let bit = 0; bit < 8 * sealed.bytes.length; bit++)
        assert.equal(opens(packetKey, 7, bit), false, `bit ${bit}`);
    });

    test(`${name}, ${suite.name}: what is shorter than a tag does not open`, { skip }, () => {
      const packetKey = engine.packetKey(suite, filled(suite.keyLength), filled(12));
      for (let length = 0; length <= TAG_LENGTH; length++) {
        assert.equal(packetKey.open(filledArena(40), 0, HEADER_LENGTH, length, 1), false);
      }
    });

    test(`${name}, ${suite.name}: header protection of a batch is what it is packet by packet, and comes off again`, {
      skip,
    }, () => {
      const headerKey = engine.headerKey(suite, filled(suite.keyLength));
      for (const count of [0, 1, 2, 2, 63, 1, 200]) {
        const batch: HeaderBatch = { count, start: new Int32Array(count), pnOffset: new Int32Array(count) };
        const arena = filledArena(64 * count + 1);
        for (let i = 0; i < count; i++) {
          batch.start[i] = 1 + 64 * i;
          batch.pnOffset[i] = 1 + 64 * i + 1 + random.integer(0, 40);
        }
        const clear = arena.bytes.slice();
        const single = { bytes: clear.slice(), address: 0 };
        headerKey.protect(arena, batch);
        for (let i = 0; i < count; i++) {
          const one = { count: 1, start: batch.start.subarray(i), pnOffset: batch.pnOffset.subarray(i) };
          headerKey.protect(single, one);
        }
        assert.deepEqual(arena.bytes, single.bytes);
        assertOnlyHeadersChanged(clear, arena.bytes, batch);
        headerKey.unprotect(arena, batch);
        assert.deepEqual(arena.bytes, clear);
      }
    });
  }

  test(`${name}: a key keeps a copy of what it was made from`, { skip }, () => {
    const suite = CIPHER_SUITES[0]!;
    const key = filled(16);
    const iv = filled(12);
    const kept = engine.packetKey(suite, key, iv);
    const same = engine.packetKey(suite, key.slice(), iv.slice());
    key.fill(0);
    iv.fill(0);
    const arena = filledArena(100);
    kept.seal(arena, 0, HEADER_LENGTH, 50, 3);
    assert.ok(same.open(arena, 0, HEADER_LENGTH, 66, 3));
  });
}

/** Header form and fixed bits stay, and so does everything but the first byte and the packet number. */
function assertOnlyHeadersChanged(clear: Uint8Array, protectedBytes: Uint8Array, batch: HeaderBatch): void {
  const allowed = new Uint8Array(clear.length);
  let changed = 0;
  for (let i = 0; i < batch.count; i++) {
    const first = clear[batch.start[i]!]!;
    allowed[batch.start[i]!] = (first & 0x80) === 0 ? 0x1f : 0x0f;
    const pnOffset = batch.pnOffset[i]!;
    allowed.fill(0xff, pnOffset, pnOffset + 1 + (first & 3));
  }
  for (let i = 0; i < clear.length; i++) {
    const difference = clear[i]! ^ protectedBytes[i]!;
    assert.equal(difference & ~allowed[i]!, 0, `byte ${i}`);
    if (difference !== 0) changed++;
  }
  assert.ok(changed >= batch.count, 'nothing was protected');
}
