import { type Arena, heapArena } from '../../base/arena.ts';
import { sameBytes } from '../../base/cursor.ts';
import { nativeArena } from '../../native/koffi.ts';
import { type CryptoEngine, type HeaderBatch, type PacketKey, TAG_LENGTH } from '../engine.ts';
import { nodeCryptoEngine } from '../node-engine.ts';
import { CIPHER_SUITES, type CipherSuite } from '../suite.ts';

const HEADER_LENGTH = 13;
/** Not at the arena's beginning. */
const START = 3;
const PLAINTEXT_LENGTHS = [0, 1, 16, 1423] as const;
/** Below 2^32, above it, and the highest. */
const PACKET_NUMBERS = [7, 2 ** 32 + 5, 2 ** 53 - 1] as const;
const BATCHES = [1, 3, 64] as const;
const HEADER_SLOT = 40;

/**
 * Compares an engine with node:crypto: every suite, packets of several lengths and numbers in native memory and in the heap,
 * sealed, opened and tampered with, and header protection of batches. Takes a few milliseconds.
 * @returns What is wrong, as the end of a sentence; undefined when nothing is.
 */
export function checkEngine(engine: CryptoEngine): string | undefined {
  for (const suite of CIPHER_SUITES) {
    const wrong = checkPackets(engine, suite) ?? checkHeaders(engine, suite);
    if (wrong !== undefined) return `${wrong} (${suite.name})`;
  }
  return undefined;
}

function checkPackets(engine: CryptoEngine, suite: CipherSuite): string | undefined {
  const ours = engine.packetKey(suite, pattern(suite.keyLength, 1), pattern(12, 2));
  const theirs = nodeCryptoEngine.packetKey(suite, pattern(suite.keyLength, 1), pattern(12, 2));
  try {
    for (const length of PLAINTEXT_LENGTHS) {
      const size = START + HEADER_LENGTH + length + TAG_LENGTH;
      for (const packetNumber of PACKET_NUMBERS) {
        const wrong =
          checkPacket(ours, theirs, nativeArena(size), length, packetNumber) ??
          checkPacket(ours, theirs, heapArena(size), length, packetNumber);
        if (wrong !== undefined) return wrong;
      }
    }
    return undefined;
  } finally {
    ours.destroy();
    theirs.destroy();
  }
}

function checkPacket(
  ours: PacketKey,
  theirs: PacketKey,
  arena: Arena,
  length: number,
  packetNumber: number,
): string | undefined {
  const { bytes } = arena;
  const sealed = length + TAG_LENGTH;
  const clearEnd = START + HEADER_LENGTH + length;
  bytes.set(pattern(bytes.length, length));
  const clear = bytes.slice();
  const expected: Arena = { bytes: bytes.slice(), address: 0 };
  theirs.seal(expected, START, HEADER_LENGTH, length, packetNumber);
  ours.seal(arena, START, HEADER_LENGTH, length, packetNumber);
  if (!sameBytes(bytes, expected.bytes)) return 'seals packets in another way than node:crypto';

  // Header, payload (or tag), tag; and the right one afterwards, which shows that a failure leaves nothing behind.
  for (const at of [START, START + HEADER_LENGTH, bytes.length - 1]) {
    bytes.set(expected.bytes);
    bytes[at]! ^= 1;
    if (ours.open(arena, START, HEADER_LENGTH, sealed, packetNumber)) return 'opens packets that are not authentic';
  }
  bytes.set(expected.bytes);
  if (!ours.open(arena, START, HEADER_LENGTH, sealed, packetNumber)) return 'does not open what node:crypto has sealed';
  if (!sameBytes(bytes.subarray(0, clearEnd), clear.subarray(0, clearEnd))) return 'opens packets to something else';
  return undefined;
}

function checkHeaders(engine: CryptoEngine, suite: CipherSuite): string | undefined {
  const ours = engine.headerKey(suite, pattern(suite.keyLength, 3));
  const theirs = nodeCryptoEngine.headerKey(suite, pattern(suite.keyLength, 3));
  try {
    for (const count of BATCHES) {
      const batch: HeaderBatch = {
        count,
        start: Int32Array.from({ length: count }, (_, i) => HEADER_SLOT * i),
        pnOffset: Int32Array.from({ length: count }, (_, i) => HEADER_SLOT * i + 9 + (i & 7)),
      };
      const arena = heapArena(HEADER_SLOT * count);
      arena.bytes.set(pattern(arena.bytes.length, count));
      const clear = arena.bytes.slice();
      const expected: Arena = { bytes: clear.slice(), address: 0 };
      theirs.protect(expected, batch);
      ours.protect(arena, batch);
      if (!sameBytes(arena.bytes, expected.bytes)) return 'protects headers in another way than node:crypto';
      ours.unprotect(arena, batch);
      if (!sameBytes(arena.bytes, clear)) return 'does not get header protection off again';
    }
    return undefined;
  } finally {
    ours.destroy();
    theirs.destroy();
  }
}

/** Bytes that look like nothing in particular, the same every time. */
function pattern(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed + 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}
