import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fromHex, toHex, varintSize } from '../base/cursor.ts';
import { SeededRandom } from '../base/random.ts';
import { PacketType } from './frame-type.ts';
import {
  Header,
  patchLength,
  readHeader,
  readSupportedVersions,
  writeLongHeader,
  writeRetry,
  writeShortHeader,
  writeVersionNegotiation,
} from './header.ts';
import { readTruncated } from './packet-number.ts';
import { QUIC_V1, QUIC_V2 } from './versions.ts';

const seed = 17;
const NONE = new Uint8Array(0);
const cid = fc.uint8Array({ maxLength: 20 });
const version = fc.constantFrom(QUIC_V1, QUIC_V2);
const pnLength = fc.integer({ min: 1, max: 4 });

function at(bytes: Uint8Array, start: number, length: number): string {
  return toHex(bytes.subarray(start, start + length));
}

function read(bytes: Uint8Array, localCidLength = 8): Header | undefined {
  const header = new Header();
  return readHeader(bytes, 0, bytes.length, localCidLength, header) ? header : undefined;
}

describe('long headers', () => {
  it('are read back as they were written', () => {
    const types = fc.constantFrom(PacketType.INITIAL, PacketType.ZERO_RTT, PacketType.HANDSHAKE);
    const token = fc.uint8Array({ maxLength: 100 });
    const holds = (
      v: number,
      type: PacketType,
      dcid: Uint8Array,
      scid: Uint8Array,
      tok: Uint8Array,
      pnLen: number,
      pn: number,
    ) => {
      const [start, payload, behind] = [3, 50, 7];
      const bytes = new Uint8Array(400);
      const next = writeLongHeader(bytes, start, type, v, dcid, scid, tok, pnLen, pn);
      const token = type === PacketType.INITIAL ? varintSize(tok.length) + tok.length : 0;
      assert.equal(next - start, 1 + 4 + 1 + dcid.length + 1 + scid.length + token + 2 + pnLen);
      patchLength(bytes, next - pnLen, pnLen + payload);
      const header = new Header();
      assert.ok(readHeader(bytes, start, next + payload + behind, 8, header));
      assert.deepEqual([header.known, header.type, header.version, header.start], [true, type, v, start]);
      assert.equal(at(bytes, header.dcidStart, header.dcidLength), toHex(dcid));
      assert.equal(at(bytes, header.scidStart, header.scidLength), toHex(scid));
      assert.equal(at(bytes, header.tokenStart, header.tokenLength), type === PacketType.INITIAL ? toHex(tok) : '');
      assert.equal(header.pnOffset, next - pnLen);
      assert.equal(header.end, next + payload);
      assert.equal((bytes[start]! & 3) + 1, pnLen);
      assert.equal(bytes[start]! & 0x0c, 0);
      assert.equal(readTruncated(bytes, header.pnOffset, pnLen), pn % 2 ** (8 * pnLen));
    };
    fc.assert(fc.property(version, types, cid, cid, token, pnLength, fc.maxSafeNat(), holds), { seed, numRuns: 1000 });
  });

  it('of versions that we speak have connection IDs of 20 bytes at most (RFC 9000 §17.2)', () => {
    for (const v of [QUIC_V1, QUIC_V2]) {
      for (const [dcidLength, scidLength, isRead] of [
        [20, 20, true],
        [21, 0, false],
        [8, 21, false],
      ] as const) {
        const bytes = new Uint8Array(200);
        const [dcid, scid] = [new Uint8Array(dcidLength), new Uint8Array(scidLength)];
        const next = writeLongHeader(bytes, 0, PacketType.INITIAL, v, dcid, scid, NONE, 2, 0);
        patchLength(bytes, next - 2, 50);
        assert.equal(read(bytes) !== undefined, isRead);
      }
    }
  });

  it('are the bytes of RFC 9001 A.2', () => {
    const bytes = new Uint8Array(22);
    const next = writeLongHeader(bytes, 0, PacketType.INITIAL, QUIC_V1, fromHex('8394c8f03e515708'), NONE, NONE, 4, 2);
    patchLength(bytes, next - 4, 1182);
    assert.equal(toHex(bytes), 'c300000001088394c8f03e5157080000449e00000002');
  });

  it('are the bytes of RFC 9369 A.2', () => {
    const bytes = new Uint8Array(22);
    const next = writeLongHeader(bytes, 0, PacketType.INITIAL, QUIC_V2, fromHex('8394c8f03e515708'), NONE, NONE, 4, 2);
    patchLength(bytes, next - 4, 1182);
    assert.equal(toHex(bytes), 'd36b3343cf088394c8f03e5157080000449e00000002');
  });

  it('delimit the packets of a coalesced datagram', () => {
    const bytes = new Uint8Array(200);
    let next = 0;
    for (const type of [PacketType.INITIAL, PacketType.HANDSHAKE]) {
      next = writeLongHeader(bytes, next, type, QUIC_V1, fromHex('0102030405060708'), NONE, NONE, 2, 0);
      patchLength(bytes, next - 2, 2 + 30);
      next += 30;
    }
    next = writeShortHeader(bytes, next, fromHex('0102030405060708'), 0, 0, 1, 0) + 20;
    const header = new Header();
    const found: PacketType[] = [];
    for (let start = 0; start < next && readHeader(bytes, start, next, 8, header); start = header.end) {
      found.push(header.type);
    }
    assert.deepEqual(found, [PacketType.INITIAL, PacketType.HANDSHAKE, PacketType.ONE_RTT]);
    assert.equal(header.end, next);
  });

  it('are refused when the fixed bit is 0, a connection ID exceeds 20 bytes, or the Length the datagram', () => {
    const good = fromHex('c0 00000001 01 aa 01 bb 00 05 0102030405');
    assert.ok(read(good));
    const noFixedBit = good.slice();
    noFixedBit[0] = 0x80;
    assert.equal(read(noFixedBit), undefined);
    assert.equal(read(good.subarray(0, -1)), undefined);
    const long = new Uint8Array(100);
    long.set(fromHex('c0 00000001 15'));
    assert.equal(read(long), undefined);
    const noPayload = fromHex('c0 00000001 01 aa 01 bb 00 00');
    assert.equal(read(noPayload), undefined);
    const hugeToken = fromHex('c0 00000001 01 aa 01 bb ffffffffffffffff 0102030405');
    assert.equal(read(hugeToken), undefined);
  });

  it('of unknown versions give what RFC 8999 says: version and connection IDs of up to 255 bytes', () => {
    const dcid = new Uint8Array(255).fill(0xdd);
    const bytes = new Uint8Array(300);
    // The fixed bit is 0: it is no invariant.
    bytes.set(fromHex('80 1a2a3a4a ff'));
    bytes.set(dcid, 6);
    bytes.set(fromHex('02 5c1d'), 6 + 255);
    const header = read(bytes)!;
    assert.deepEqual([header.known, header.version, header.end], [false, 0x1a2a3a4a, 300]);
    assert.equal(at(bytes, header.dcidStart, header.dcidLength), toHex(dcid));
    assert.equal(at(bytes, header.scidStart, header.scidLength), '5c1d');
  });

  it('are refused at every truncation, and never read past the datagram', () => {
    const whole = fromHex('c0 00000001 04 aaaaaaaa 04 bbbbbbbb 03 cccccc 4005 0102030405');
    assert.ok(read(whole));
    for (let length = 0; length < whole.length; length++) {
      const header = new Header();
      // The bytes are there, but not part of the datagram.
      assert.equal(readHeader(whole, 0, length, 8, header), false, `${length} bytes`);
    }
  });
});

describe('short headers', () => {
  it('are read back as they were written', () => {
    const bit = fc.constantFrom<0 | 1>(0, 1);
    const holds = (dcid: Uint8Array, spin: 0 | 1, phase: 0 | 1, pnLen: number, pn: number) => {
      const bytes = new Uint8Array(100);
      const next = writeShortHeader(bytes, 5, dcid, spin, phase, pnLen, pn);
      assert.equal(next - 5, 1 + dcid.length + pnLen);
      assert.equal(bytes[5], 0x40 | (spin << 5) | (phase << 2) | (pnLen - 1));
      const header = new Header();
      assert.ok(readHeader(bytes, 5, next + 20, dcid.length, header));
      assert.deepEqual([header.type, header.known, header.end], [PacketType.ONE_RTT, true, next + 20]);
      assert.equal(at(bytes, header.dcidStart, header.dcidLength), toHex(dcid));
      assert.deepEqual([header.scidLength, header.tokenLength], [0, 0]);
      assert.equal(header.pnOffset, next - pnLen);
      assert.equal(readTruncated(bytes, header.pnOffset, pnLen), pn % 2 ** (8 * pnLen));
    };
    fc.assert(fc.property(cid, bit, bit, pnLength, fc.maxSafeNat(), holds), { seed, numRuns: 1000 });
  });

  it('are refused when the fixed bit is 0 or the connection ID is not all there', () => {
    assert.ok(read(fromHex('40 0102030405060708 09')));
    assert.equal(read(fromHex('00 0102030405060708 09')), undefined);
    assert.equal(read(fromHex('40 0102030405060708')), undefined);
    assert.equal(read(NONE), undefined);
  });
});

describe('Version Negotiation packets', () => {
  it('are read back as they were written, whatever the unused bits', () => {
    const anyCid = fc.uint8Array({ maxLength: 255 });
    const versions = fc.array(fc.nat(2 ** 32 - 1), { minLength: 1, maxLength: 6 });
    const holds = (dcid: Uint8Array, scid: Uint8Array, list: number[], randomByte: number) => {
      const bytes = new Uint8Array(600);
      const next = writeVersionNegotiation(bytes, 0, dcid, scid, list, randomByte);
      const header = new Header();
      assert.ok(readHeader(bytes, 0, next, 8, header));
      assert.deepEqual(
        [header.type, header.version, header.known, header.end],
        [PacketType.VERSION_NEGOTIATION, 0, true, next],
      );
      assert.equal(at(bytes, header.dcidStart, header.dcidLength), toHex(dcid));
      assert.equal(at(bytes, header.scidStart, header.scidLength), toHex(scid));
      assert.deepEqual(readSupportedVersions(bytes, header), list);
      bytes[0] = 0x80;
      assert.ok(readHeader(bytes, 0, next, 8, header), 'the fixed bit is not part of it');
      assert.equal(readHeader(bytes, 0, next - 1, 8, header), false, 'a part of a version');
    };
    fc.assert(fc.property(anyCid, anyCid, versions, fc.nat(255), holds), { seed, numRuns: 300 });
  });

  it('are refused when they list nothing', () => {
    assert.equal(read(fromHex('c0 00000000 01 aa 01 bb')), undefined);
  });
});

describe('Retry packets', () => {
  it('are the bytes of RFC 9001 A.4 and RFC 9369 A.4', () => {
    const vectors: [number, string][] = [
      [QUIC_V1, 'ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba'],
      [QUIC_V2, 'cf6b3343cf0008f067a5502a4262b5746f6b656ec8646ce8bfe33952d955543665dcc7b6'],
    ];
    for (const [v, hex] of vectors) {
      const bytes = fromHex(hex);
      const header = read(bytes)!;
      assert.deepEqual([header.type, header.version, header.end], [PacketType.RETRY, v, bytes.length]);
      assert.equal(at(bytes, header.scidStart, header.scidLength), 'f067a5502a4262b5');
      assert.equal(new TextDecoder().decode(fromHex(at(bytes, header.tokenStart, header.tokenLength))), 'token');
      assert.equal(header.pnOffset, bytes.length - 16);
      const written = new Uint8Array(bytes.length - 16);
      const end = writeRetry(written, 0, v, NONE, fromHex('f067a5502a4262b5'), new TextEncoder().encode('token'));
      assert.equal(end, written.length);
      assert.equal(toHex(written), hex.slice(0, -32));
    }
  });

  it('are refused without a token', () => {
    const bytes = new Uint8Array(9 + 16);
    writeRetry(bytes, 0, QUIC_V1, fromHex('aa'), fromHex('bb'), NONE);
    assert.equal(read(bytes), undefined);
  });
});

describe('readHeader', () => {
  it('gives offsets inside the datagram for whatever bytes arrive', () => {
    const random = new SeededRandom(seed);
    const bytes = new Uint8Array(64);
    const header = new Header();
    let accepted = 0;
    for (let i = 0; i < 50_000; i++) {
      random.fill(bytes);
      if (i % 2 === 0) bytes.set(fromHex(i % 4 === 0 ? '00000001' : '6b3343cf'), 1 + 7);
      // Short connection IDs, so that more than noise gets far.
      bytes[5 + 7] = bytes[5 + 7]! % 8;
      const end = random.integer(7, 64);
      if (!readHeader(bytes, 7, end, 8, header)) continue;
      accepted++;
      const { dcidStart, dcidLength, scidStart, scidLength, tokenStart, tokenLength, pnOffset } = header;
      assert.ok(header.end > 7 && header.end <= end);
      for (const field of [dcidStart + dcidLength, scidStart + scidLength, tokenStart + tokenLength, pnOffset]) {
        assert.ok(field >= 7 && field <= header.end, `packet ${i}`);
      }
    }
    assert.ok(accepted > 1000, `only ${accepted} were accepted: the test says little`);
  });
});
