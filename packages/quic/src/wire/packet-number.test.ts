import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodePacketNumber, packetNumberLength, readTruncated, writePacketNumber } from './packet-number.ts';

const seed = 17;

/** The pseudocode of RFC 9000 A.3 over BigInt. */
function referenceDecode(largest: bigint, truncated: bigint, bits: bigint): bigint {
  const expected = largest + 1n;
  const window = 1n << bits;
  const candidate = (expected & ~(window - 1n)) | truncated;
  if (candidate <= expected - window / 2n && candidate < (1n << 62n) - window) return candidate + window;
  if (candidate > expected + window / 2n && candidate >= window) return candidate - window;
  return candidate;
}

const anyNumber = fc.oneof(fc.nat(300), fc.nat(70000), fc.nat(2 ** 31 - 1), fc.maxSafeNat());

describe('packet numbers', () => {
  it('take as many bytes as the examples of RFC 9000 A.2 say', () => {
    assert.equal(packetNumberLength(0xac5c02, 0xabe8b3), 2);
    assert.equal(packetNumberLength(0xace8fe, 0xabe8b3), 3);
  });

  it('take the fewest bytes that represent twice the distance', () => {
    const edges: [number, number][] = [
      [0, 1],
      [127, 1],
      [128, 2],
      [0x7fff, 2],
      [0x8000, 3],
      [0x7fffff, 3],
      [0x800000, 4],
    ];
    for (const [packetNumber, length] of edges) {
      assert.equal(packetNumberLength(packetNumber, -1), length, `${packetNumber}`);
      assert.equal(packetNumberLength(packetNumber + 1000, 999), length, `${packetNumber} above 999`);
    }
  });

  it('decode as the example of RFC 9000 A.3', () => {
    assert.equal(decodePacketNumber(0xa82f30ea, 0x9b32, 2), 0xa82f9b32);
  });

  it('decode as the pseudocode of RFC 9000 A.3', () => {
    const holds = (largest: number, raw: number, length: number) => {
      const truncated = raw % 2 ** (8 * length);
      const expected = referenceDecode(BigInt(largest), BigInt(truncated), BigInt(8 * length));
      // Beyond 2^53-1 we differ, on purpose: such numbers cannot be held.
      if (expected > BigInt(Number.MAX_SAFE_INTEGER)) return true;
      return decodePacketNumber(largest, truncated, length) === Number(expected);
    };
    const largest = fc.oneof(fc.constant(-1), anyNumber);
    fc.assert(fc.property(largest, fc.nat(2 ** 32 - 1), fc.integer({ min: 1, max: 4 }), holds), {
      seed,
      numRuns: 5000,
    });
  });

  it('decode on both edges of the window', () => {
    // Expected 1000, window (872, 1128].
    assert.equal(decodePacketNumber(999, 1128 & 0xff, 1), 1128);
    assert.equal(decodePacketNumber(999, 873 & 0xff, 1), 873);
    assert.equal(decodePacketNumber(-1, 0xff, 1), 0xff);
    assert.ok(decodePacketNumber(Number.MAX_SAFE_INTEGER - 1, 5, 1) <= Number.MAX_SAFE_INTEGER);
  });

  it('survive the trip to a peer that has received anything since the largest acknowledged', () => {
    const holds = (largestAcked: number, ahead: number, received: number) => {
      const packetNumber = largestAcked + 1 + ahead;
      if (packetNumber > Number.MAX_SAFE_INTEGER) return true;
      const length = packetNumberLength(packetNumber, largestAcked);
      const bytes = new Uint8Array(6).fill(0xee);
      assert.equal(writePacketNumber(bytes, 1, packetNumber, length), 1 + length);
      assert.equal(bytes[0], 0xee);
      assert.equal(bytes[1 + length], 0xee);
      // The peer's largest is anything from the largest acknowledged to just below this packet.
      const largest = largestAcked + (received % (ahead + 1));
      return decodePacketNumber(largest, readTruncated(bytes, 1, length), length) === packetNumber;
    };
    const from = fc.oneof(fc.constant(-1), anyNumber);
    const ahead = fc.oneof(fc.nat(300), fc.nat(70000), fc.nat(2 ** 31 - 1));
    fc.assert(fc.property(from, ahead, fc.nat(2 ** 31 - 1), holds), { seed, numRuns: 5000 });
  });

  it('read four bytes as an unsigned integer', () => {
    assert.equal(readTruncated(new Uint8Array([0xff, 0xfe, 0xfd, 0xfc]), 0, 4), 0xfffefdfc);
    assert.equal(readTruncated(new Uint8Array([9, 0xff, 0xfe]), 1, 2), 0xfffe);
  });
});
