import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  fromHex,
  Reader,
  sameBytes,
  toHex,
  varintSize,
  writeBytes,
  writeU16,
  writeU32,
  writeVarint,
  writeVarint2,
} from './cursor.ts';
import { TransportError } from './errors.ts';

const seed = 9000;
const CODE = 7;

function reader(bytes: Uint8Array): Reader {
  return new Reader(bytes, CODE, 'thing');
}

/** RFC 9000 A.1, over BigInt: the reference that the float arithmetic is held against. */
function referenceVarint(bytes: Uint8Array): bigint {
  let value = BigInt(bytes[0]! & 0x3f);
  for (let i = 1; i < 1 << (bytes[0]! >>> 6); i++) value = (value << 8n) | BigInt(bytes[i]!);
  return value;
}

describe('variable-length integers', () => {
  it('reads the examples of RFC 9000 A.1', () => {
    const examples: [string, number][] = [
      ['c2197c5eff14e88c', Number(151288809941952652n)],
      ['9d7f3e7d', 494878333],
      ['7bbd', 15293],
      ['25', 37],
      ['4025', 37],
    ];
    for (const [hex, value] of examples) {
      const from = reader(fromHex(hex));
      assert.equal(from.varint(), value, hex);
      assert.equal(from.remaining, 0, hex);
    }
  });

  it('writes each in its shortest form', () => {
    const boundaries: [number, string][] = [
      [0, '00'],
      [63, '3f'],
      [64, '4040'],
      [16383, '7fff'],
      [16384, '80004000'],
      [2 ** 30 - 1, 'bfffffff'],
      [2 ** 30, 'c000000040000000'],
      [2 ** 32 - 1, 'c0000000ffffffff'],
      [2 ** 32, 'c000000100000000'],
      [Number.MAX_SAFE_INTEGER, 'c01fffffffffffff'],
    ];
    for (const [value, hex] of boundaries) {
      const bytes = new Uint8Array(hex.length / 2);
      assert.equal(writeVarint(bytes, 0, value), bytes.length);
      assert.equal(toHex(bytes), hex);
      assert.equal(varintSize(value), bytes.length);
    }
  });

  it('reads back what it wrote, at any offset', () => {
    const anyValue = fc.oneof(fc.maxSafeNat(), fc.nat(2 ** 31 - 1), fc.nat(20000), fc.nat(70));
    const holds = (value: number, at: number) => {
      const bytes = new Uint8Array(at + 8).fill(0xee);
      const end = writeVarint(bytes, at, value);
      const from = new Reader(bytes, CODE, 'thing', at, end);
      return from.varint() === value && from.remaining === 0 && end - at === varintSize(value);
    };
    fc.assert(fc.property(anyValue, fc.nat(5), holds), { seed, numRuns: 2000 });
  });

  it('reads every encoding as the reference does, rounded to a float', () => {
    const encodings = fc.uint8Array({ minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(encodings, (bytes) => reader(bytes).varint() === Number(referenceVarint(bytes))),
      { seed, numRuns: 2000 },
    );
    assert.equal(reader(fromHex('ffffffffffffffff')).varint(), 2 ** 62 - 1);
    assert.equal(reader(fromHex('c020000000000000')).varint(), 2 ** 53);
    assert.ok(reader(fromHex('c020000000000001')).varint() > Number.MAX_SAFE_INTEGER);
  });

  it('refuses every truncation and moves no further', () => {
    for (const hex of ['c2197c5eff14e88c', '9d7f3e7d', '7bbd', '25']) {
      const bytes = fromHex(hex);
      for (let length = 0; length < bytes.length; length++) {
        const from = reader(bytes.subarray(0, length));
        assert.throws(
          () => from.varint(),
          (error) => error instanceof TransportError && error.code === CODE,
        );
        assert.equal(from.at, 0);
      }
    }
  });

  it('writes two bytes for a length that is patched in', () => {
    const bytes = new Uint8Array(2);
    assert.equal(writeVarint2(bytes, 0, 37), 2);
    assert.equal(toHex(bytes), '4025');
    writeVarint2(bytes, 0, 16383);
    assert.equal(toHex(bytes), '7fff');
  });
});

describe('Reader', () => {
  it('reads fixed-width fields in network byte order', () => {
    const from = reader(fromHex('ff fffe fffefd fffefdfc 0102'));
    assert.equal(from.u8(), 0xff);
    assert.equal(from.u16(), 0xfffe);
    assert.equal(from.u24(), 0xfffefd);
    assert.equal(from.u32(), 0xfffefdfc);
    assert.equal(toHex(from.view(2)), '0102');
    assert.equal(from.remaining, 0);
  });

  it('fails with its code, its subject and its frame type', () => {
    const from = reader(fromHex('01'));
    from.frameType = 6;
    const expected = { code: CODE, frameType: 6, message: 'thing: truncated' };
    for (const read of [
      () => from.u16(),
      () => from.u24(),
      () => from.u32(),
      () => from.view(2),
      () => from.skip(2 ** 62),
    ]) {
      assert.throws(read, expected);
      assert.equal(from.at, 0);
    }
    from.u8();
    assert.throws(() => from.u8(), expected);
  });

  it('stays within [at, end) of its bytes after reset', () => {
    const from = reader(new Uint8Array(0)).reset(fromHex('00 11 22 33'), 1, 3);
    assert.equal(from.u16(), 0x1122);
    assert.throws(() => from.u8(), TransportError);
  });
});

describe('writers of fields', () => {
  it('write network byte order and return the offset behind', () => {
    const bytes = new Uint8Array(8);
    assert.equal(writeU16(bytes, 0, 0xfffe), 2);
    assert.equal(writeU32(bytes, 2, 0xfdfcfbfa), 6);
    assert.equal(writeBytes(bytes, 6, fromHex('0102')), 8);
    assert.equal(toHex(bytes), 'fffefdfcfbfa0102');
  });

  it('hexadecimal goes both ways', () => {
    const holds = (bytes: Uint8Array) => sameBytes(fromHex(toHex(bytes)), bytes);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), holds), { seed });
    assert.deepEqual(fromHex(' 0a\n0B '), new Uint8Array([10, 11]));
  });

  it('sameBytes compares length and content', () => {
    assert.ok(sameBytes(fromHex('0102'), fromHex('0102')));
    assert.ok(!sameBytes(fromHex('0102'), fromHex('0103')));
    assert.ok(!sameBytes(fromHex('0102'), fromHex('010203')));
    assert.ok(!sameBytes(fromHex('010203'), fromHex('0102')));
  });
});
