import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nullCryptoEngine } from '../../test/support/null-engine.ts';
import { type Arena, heapArena } from '../base/arena.ts';
import { SeededRandom } from '../base/random.ts';
import { koffiProblem, loadKoffi, nativeArena } from '../native/koffi.ts';
import { type CryptoEngine, type HeaderBatch, TAG_LENGTH } from './engine.ts';
import { ENGINES } from './fixtures.test.ts';
import { nodeCryptoEngine } from './node-engine.ts';
import { checkEngine } from './openssl/self-check.ts';
import { CIPHER_SUITES, type CipherSuite } from './suite.ts';

const { skip, engine: openssl } = ENGINES[1]!;
const random = new SeededRandom(1305);

/** Memory that packets lie in, the packet not at its beginning: a view of an arena's bytes has an offset of its own. */
const MEMORIES: readonly [string, (size: number) => Arena][] = [
  ['native', nativeArena],
  ['heap', heapArena],
  ['heap with an offset', (size) => ({ bytes: new Uint8Array(new ArrayBuffer(size + 40), 24, size), address: 0 })],
];

function filled(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  random.fill(bytes);
  return bytes;
}

test('where koffi is, the engine is: this machine runs what it tests', { skip: koffiProblem() ?? false }, () => {
  assert.equal(skip, false);
  assert.equal(openssl.name, 'openssl-ffi');
});

for (const suite of CIPHER_SUITES) {
  for (const [memory, arenaOf] of MEMORIES) {
    test(`${suite.name}, ${memory}: what one engine seals, the other opens, and nothing else`, { skip }, () => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 80 }),
          fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 1500 }), fc.constant(65_400)),
          fc.oneof(fc.nat(), fc.maxSafeNat()),
          fc.integer({ min: 0, max: 100 }),
          fc.boolean(),
          fc.nat(),
          (headerLength, length, packetNumber, start, weSeal, tampered) => {
            const key = filled(suite.keyLength);
            const iv = filled(12);
            const ours = openssl.packetKey(suite, key, iv);
            const theirs = nodeCryptoEngine.packetKey(suite, key, iv);
            const [sealer, opener] = weSeal ? [ours, theirs] : [theirs, ours];
            const arena = arenaOf(start + headerLength + length + TAG_LENGTH + 7);
            arena.bytes.set(filled(arena.bytes.length));
            const clear = arena.bytes.slice();
            sealer.seal(arena, start, headerLength, length, packetNumber);
            const sealed = arena.bytes.slice();

            const at = start + (tampered % (headerLength + length + TAG_LENGTH));
            arena.bytes[at]! ^= 1 << (tampered & 7);
            assert.equal(opener.open(arena, start, headerLength, length + TAG_LENGTH, packetNumber), false);
            arena.bytes.set(sealed);
            const other = packetNumber === 0 ? 2 ** 32 : packetNumber - 1;
            assert.equal(opener.open(arena, start, headerLength, length + TAG_LENGTH, other), false);
            arena.bytes.set(sealed);
            assert.equal(opener.open(arena, start, headerLength, length + TAG_LENGTH, packetNumber), true);

            clear.set(
              sealed.subarray(start + headerLength + length, start + headerLength + length + TAG_LENGTH),
              start + headerLength + length,
            );
            assert.ok(Buffer.from(arena.bytes).equals(clear), 'something around the plaintext has changed');
            ours.destroy();
          },
        ),
        { seed: 9001, numRuns: 60 },
      );
    });
  }

  test(`${suite.name}: one key seals and opens in any order, whatever failed before`, { skip }, () => {
    const key = filled(suite.keyLength);
    const iv = filled(12);
    const ours = openssl.packetKey(suite, key, iv);
    const theirs = nodeCryptoEngine.packetKey(suite, key, iv);
    const arena = nativeArena(200);
    const expected = heapArena(200);
    for (let i = 0; i < 200; i++) {
      const length = random.integer(0, 150);
      arena.bytes.set(filled(200));
      expected.bytes.set(arena.bytes);
      if (random.integer(0, 1) === 0) {
        ours.seal(arena, 0, 20, length, i);
        theirs.seal(expected, 0, 20, length, i);
        assert.deepEqual(arena.bytes, expected.bytes, `seal ${i}`);
      } else {
        const forged = random.integer(0, 1);
        theirs.seal(arena, 0, 20, length, i);
        arena.bytes[5]! ^= forged;
        assert.equal(ours.open(arena, 0, 20, length + TAG_LENGTH, i), forged === 0, `open ${i}`);
      }
    }
  });

  test(`${suite.name}: header protection is node:crypto's, in batches of any size`, { skip }, () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 45 }), { maxLength: 150 }),
        fc.constantFrom(...MEMORIES),
        (pnOffsets, [, arenaOf]) => {
          const hp = filled(suite.keyLength);
          const ours = openssl.headerKey(suite, hp);
          const batch = batchOf(pnOffsets);
          const arena = arenaOf(80 * pnOffsets.length + 1);
          arena.bytes.set(filled(arena.bytes.length));
          const clear = arena.bytes.slice();
          const expected = { bytes: clear.slice(), address: 0 };
          nodeCryptoEngine.headerKey(suite, hp).protect(expected, batch);
          ours.protect(arena, batch);
          assert.ok(Buffer.from(arena.bytes).equals(expected.bytes));
          ours.unprotect(arena, batch);
          assert.ok(Buffer.from(arena.bytes).equals(clear));
          ours.destroy();
        },
      ),
      { seed: 541, numRuns: 40 },
    );
  });

  test(`${suite.name}: a destroyed key refuses to work, and may be destroyed again`, { skip }, () => {
    const packetKey = openssl.packetKey(suite, filled(suite.keyLength), filled(12));
    const headerKey = openssl.headerKey(suite, filled(suite.keyLength));
    const arena = nativeArena(100);
    packetKey.seal(arena, 0, 10, 50, 1);
    for (let i = 0; i < 2; i++) {
      packetKey.destroy();
      headerKey.destroy();
      for (const memory of [arena, heapArena(100)]) {
        assert.throws(() => packetKey.seal(memory, 0, 10, 50, 1), /after destroy/);
        assert.throws(() => packetKey.open(memory, 0, 10, 66, 1), /after destroy/);
        assert.throws(() => headerKey.protect(memory, batchOf([1])), /after destroy/);
        assert.throws(() => headerKey.unprotect(memory, batchOf([1])), /after destroy/);
      }
    }
  });
}

test('arenas that share one buffer are told apart', { skip }, () => {
  const suite = CIPHER_SUITES[0]!;
  const hp = filled(16);
  const [ours, theirs] = [openssl, nodeCryptoEngine].map((engine) => engine.headerKey(suite, hp));
  const bytes = filled(300);
  const expected = bytes.slice();
  for (const offset of [0, 100]) {
    ours!.protect({ bytes: bytes.subarray(offset, offset + 100), address: 0 }, batchOf([20]));
    theirs!.protect({ bytes: expected.subarray(offset, offset + 100), address: 0 }, batchOf([20]));
  }
  assert.deepEqual(bytes, expected);
});

test('forged packets leave no errors behind that node:crypto would find', { skip }, () => {
  const peek = loadKoffi()!.load(null).func('ulong ERR_peek_error()');
  for (const suite of CIPHER_SUITES) {
    const key = openssl.packetKey(suite, filled(suite.keyLength), filled(12));
    for (const arena of [nativeArena(60), heapArena(60)]) assert.equal(key.open(arena, 0, 10, 50, 1), false);
    assert.equal(peek(), 0, suite.name);
    key.destroy();
  }
});

test('a key of another length than the suite says, or for no cipher, is an error', { skip }, () => {
  const suite = CIPHER_SUITES[0]!;
  for (const length of [0, 15, 17, 32, 100]) {
    assert.throws(() => openssl.packetKey(suite, filled(length), filled(12)), /no \d+-byte key for aes-128-gcm/);
    assert.throws(() => openssl.headerKey(suite, filled(length)), /no \d+-byte key for aes-128-ecb/);
  }
  const strange = { ...suite, aead: 'none' } as unknown as CipherSuite;
  assert.throws(() => openssl.packetKey(strange, filled(16), filled(12)), /key for none/);
});

/** Entry i is at 80 * i + 1, its packet number `pnOffsets[i]` further on. */
function batchOf(pnOffsets: readonly number[]): HeaderBatch {
  const start = Int32Array.from(pnOffsets, (_, i) => 80 * i + 1);
  return { count: pnOffsets.length, start, pnOffset: start.map((at, i) => at + pnOffsets[i]!) };
}

/** node:crypto's engine with one thing wrong. */
function broken(change: Partial<CryptoEngine>): CryptoEngine {
  return { ...nodeCryptoEngine, ...change };
}

test('the self check passes what agrees with node:crypto', { skip: koffiProblem() ?? false }, () => {
  assert.equal(checkEngine(nodeCryptoEngine), undefined);
});

const FAULTS: readonly [string, CryptoEngine, RegExp][] = [
  ['protects nothing', nullCryptoEngine, /^seals packets in another way than node:crypto \(TLS_AES_128/],
  [
    'drops the upper half of packet numbers',
    broken({
      packetKey(suite, key, iv) {
        const inner = nodeCryptoEngine.packetKey(suite, key, iv);
        return {
          ...inner,
          destroy() {},
          seal: (arena, start, header, plain, n) => inner.seal(arena, start, header, plain, n >>> 0),
          open: (arena, start, header, sealed, n) => inner.open(arena, start, header, sealed, n >>> 0),
        };
      },
    }),
    /seals packets in another way/,
  ],
  [
    'does not look at the tag',
    broken({
      packetKey(suite, key, iv) {
        const inner = nodeCryptoEngine.packetKey(suite, key, iv);
        return { destroy() {}, seal: inner.seal.bind(inner), open: (...packet) => inner.open(...packet) || true };
      },
    }),
    /opens packets that are not authentic/,
  ],
  [
    'opens nothing',
    broken({
      packetKey(suite, key, iv) {
        const inner = nodeCryptoEngine.packetKey(suite, key, iv);
        return { destroy() {}, seal: inner.seal.bind(inner), open: () => false };
      },
    }),
    /does not open what node:crypto has sealed/,
  ],
  [
    'leaves the ciphertext as it was',
    broken({
      packetKey(suite, key, iv) {
        const inner = nodeCryptoEngine.packetKey(suite, key, iv);
        return {
          destroy() {},
          seal: inner.seal.bind(inner),
          open: ({ bytes }, ...packet) => inner.open({ bytes: bytes.slice(), address: 0 }, ...packet),
        };
      },
    }),
    /opens packets to something else/,
  ],
  ['leaves headers alone', broken({ headerKey: nullCryptoEngine.headerKey }), /protects headers in another way/],
  [
    'cannot take header protection off',
    broken({
      headerKey(suite, hp) {
        const inner = nodeCryptoEngine.headerKey(suite, hp);
        return { destroy() {}, unprotect() {}, protect: inner.protect.bind(inner) };
      },
    }),
    /does not get header protection off/,
  ],
];
for (const [what, engine, complaint] of FAULTS) {
  test(`the self check refuses an engine that ${what}`, { skip: koffiProblem() ?? false }, () => {
    assert.match(checkEngine(engine) ?? 'nothing wrong', complaint);
  });
}
