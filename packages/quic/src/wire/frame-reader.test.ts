import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FrameRecorder } from '../../test/support/frame-recorder.ts';
import { fromHex, writeVarint } from '../base/cursor.ts';
import { TransportError, TransportErrorCode } from '../base/errors.ts';
import { SeededRandom } from '../base/random.ts';
import { Ranges } from '../base/ranges.ts';
import { ACK_ELICITING, FrameReader, NON_PROBING } from './frame-reader.ts';
import { PacketType } from './frame-type.ts';
import { writeAck } from './frames.ts';

const { FRAME_ENCODING_ERROR, PROTOCOL_VIOLATION, FLOW_CONTROL_ERROR, STREAM_LIMIT_ERROR, CRYPTO_BUFFER_EXCEEDED } =
  TransportErrorCode;
const { INITIAL, ZERO_RTT, HANDSHAKE, ONE_RTT } = PacketType;

/** One valid frame of every type: hexadecimal, the packet types of RFC 9000 table 3, whether N and P are marked there. */
const TABLE: readonly [name: string, hex: string, packets: string, spec: string][] = [
  ['PADDING', '00', 'IH01', 'NP'],
  ['PING', '01', 'IH01', ''],
  ['ACK', '02 05 00 00 00', 'IH_1', 'N'],
  ['ACK with ECN', '03 05 00 00 00 01 02 03', 'IH_1', 'N'],
  ['RESET_STREAM', '04 00 01 02', '__01', ''],
  ['STOP_SENDING', '05 00 01', '__01', ''],
  ['CRYPTO', '06 00 01 aa', 'IH_1', ''],
  ['NEW_TOKEN', '07 01 aa', '___1', ''],
  ['STREAM', '08 00 aa', '__01', ''],
  ['STREAM FIN', '09 00', '__01', ''],
  ['STREAM LEN', '0a 00 01 aa', '__01', ''],
  ['STREAM LEN FIN', '0b 00 01 aa', '__01', ''],
  ['STREAM OFF', '0c 00 07 aa', '__01', ''],
  ['STREAM OFF FIN', '0d 00 07 aa', '__01', ''],
  ['STREAM OFF LEN', '0e 00 07 01 aa', '__01', ''],
  ['STREAM OFF LEN FIN', '0f 00 07 01 aa', '__01', ''],
  ['MAX_DATA', '10 05', '__01', ''],
  ['MAX_STREAM_DATA', '11 00 05', '__01', ''],
  ['MAX_STREAMS bidi', '12 05', '__01', ''],
  ['MAX_STREAMS uni', '13 05', '__01', ''],
  ['DATA_BLOCKED', '14 05', '__01', ''],
  ['STREAM_DATA_BLOCKED', '15 00 05', '__01', ''],
  ['STREAMS_BLOCKED bidi', '16 05', '__01', ''],
  ['STREAMS_BLOCKED uni', '17 05', '__01', ''],
  ['NEW_CONNECTION_ID', '18 02 01 01 aa 000102030405060708090a0b0c0d0e0f', '__01', 'P'],
  // Table 3 has it in 0-RTT packets, §12.5 takes it out again.
  ['RETIRE_CONNECTION_ID', '19 00', '___1', ''],
  ['PATH_CHALLENGE', '1a 0001020304050607', '__01', 'P'],
  ['PATH_RESPONSE', '1b 0001020304050607', '___1', 'P'],
  ['CONNECTION_CLOSE', '1c 01 06 02 6f6b', 'IH01', 'N'],
  ['CONNECTION_CLOSE application', '1d 01 02 6f6b', '__01', 'N'],
  ['HANDSHAKE_DONE', '1e', '___1', ''],
  ['DATAGRAM', '30 aa', '__01', ''],
  ['DATAGRAM with length', '31 01 aa', '__01', ''],
];

const reader = new FrameReader();

function read(hex: string, packetType: PacketType = ONE_RTT): { flags: number; lines: string[] } {
  const bytes = fromHex(hex);
  const recorder = new FrameRecorder();
  const flags = reader.read(bytes, 0, bytes.length, packetType, recorder);
  return { flags, lines: recorder.lines };
}

function refuses(hex: string, code: number, frameType: number, packetType: PacketType = ONE_RTT): void {
  assert.throws(
    () => read(hex, packetType),
    (error) => {
      assert.ok(error instanceof TransportError, `${error}`);
      assert.deepEqual([error.code, error.frameType], [code, frameType], `${hex}: ${error.message}`);
      return true;
    },
    hex,
  );
}

describe('FrameReader', () => {
  it('allows each frame in the packet types of RFC 9000 table 3 only', () => {
    const letters: [string, PacketType][] = [
      ['I', INITIAL],
      ['H', HANDSHAKE],
      ['0', ZERO_RTT],
      ['1', ONE_RTT],
    ];
    for (const [name, hex, packets] of TABLE) {
      for (const [letter, packetType] of letters) {
        if (packets.includes(letter)) assert.doesNotThrow(() => read(hex, packetType), `${name} in ${letter}`);
        else refuses(hex, PROTOCOL_VIOLATION, fromHex(hex)[0]!, packetType);
      }
    }
  });

  it('tells whether a packet is ack-eliciting and non-probing', () => {
    for (const [name, hex, , spec] of TABLE) {
      const expected = (spec.includes('N') ? 0 : ACK_ELICITING) | (spec.includes('P') ? 0 : NON_PROBING);
      assert.equal(read(hex).flags, expected, name);
      assert.equal(read(`00 00 ${hex}`).flags, expected, `padding, ${name}`);
      assert.equal(read(`01 ${hex}`).flags, expected | ACK_ELICITING | NON_PROBING, `PING, ${name}`);
    }
  });

  it('hears nothing of padding, between and behind frames', () => {
    assert.deepEqual(read('00 01 0000 10 05 00').lines, ['PING', 'MAX_DATA 5']);
    assert.deepEqual(read('0000').lines, []);
  });

  it('refuses a packet without frames', () => {
    refuses('', PROTOCOL_VIOLATION, 0);
  });

  it('refuses unknown types, RFC 9000 §12.4', () => {
    for (const type of [0x1f, 0x20, 0x2f, 0x32, 0x3f]) refuses(type.toString(16), FRAME_ENCODING_ERROR, type);
    refuses('4040', FRAME_ENCODING_ERROR, 0x40);
    refuses('7fff', FRAME_ENCODING_ERROR, 0x3fff);
    refuses('80004000', FRAME_ENCODING_ERROR, 0x4000);
    refuses('c000000040000000', FRAME_ENCODING_ERROR, 0x40000000);
    refuses('1f', FRAME_ENCODING_ERROR, 0x1f, INITIAL);
    refuses('40', FRAME_ENCODING_ERROR, 0x40);
  });

  it('refuses types that are not in their shortest encoding, RFC 9000 §12.4', () => {
    refuses('4001', PROTOCOL_VIOLATION, 1);
    refuses('80000001', PROTOCOL_VIOLATION, 1);
    refuses('80003fff', PROTOCOL_VIOLATION, 0x3fff);
    refuses('c000000000000001', PROTOCOL_VIOLATION, 1);
    refuses('c00000003fffffff', PROTOCOL_VIOLATION, 0x3fffffff);
  });

  it('refuses every truncation of every frame that says where it ends', () => {
    for (const [name, hex] of TABLE) {
      const bytes = fromHex(hex);
      const runsToEnd = /^(08|09|0c|0d|30)/.test(hex);
      if (runsToEnd) continue;
      for (let length = 1; length < bytes.length; length++) {
        assert.throws(
          () => reader.read(bytes, 0, length, ONE_RTT, new FrameRecorder()),
          { code: FRAME_ENCODING_ERROR, frameType: bytes[0] },
          `${name} cut to ${length}`,
        );
      }
    }
  });

  it('reads the end of a packet, not of the bytes behind it', () => {
    const bytes = fromHex('01 08 00 616263 646566');
    const recorder = new FrameRecorder();
    reader.read(bytes, 1, 6, ONE_RTT, recorder);
    assert.deepEqual(recorder.lines, ['STREAM 0 0+3 616263']);
  });

  it('refuses offsets beyond what can be, with the error of the RFC', () => {
    // Offset 2^62-1 and a byte.
    refuses('0e 00 ffffffffffffffff 01 aa', FLOW_CONTROL_ERROR, 0x0e);
    refuses('06 ffffffffffffffff 01 aa', CRYPTO_BUFFER_EXCEEDED, 0x06);
    // 2^53-1 and nothing is the last that holds; 2^53-1 and a byte is not.
    assert.deepEqual(read('0e 00 c01fffffffffffff 00').lines, [`STREAM 0 ${2 ** 53 - 1}+0 `]);
    refuses('0e 00 c01fffffffffffff 01 aa', FLOW_CONTROL_ERROR, 0x0e);
    refuses('06 c01fffffffffffff 01 aa', CRYPTO_BUFFER_EXCEEDED, 0x06);
    refuses('04 00 00 c020000000000000', FLOW_CONTROL_ERROR, 0x04);
    assert.deepEqual(read('04 00 00 c01fffffffffffff').lines, [`RESET_STREAM 0 0 ${2 ** 53 - 1}`]);
  });

  it('refuses stream IDs that no limit admits, in every frame that has one', () => {
    const id = 'c020000000000000';
    for (const [hex, type] of [
      [`08 ${id}`, 0x08],
      [`04 ${id} 00 00`, 0x04],
      [`05 ${id} 00`, 0x05],
      [`11 ${id} 00`, 0x11],
      [`15 ${id} 00`, 0x15],
    ] as const) {
      refuses(hex, STREAM_LIMIT_ERROR, type);
    }
  });

  it('saturates limits and codes', () => {
    const top = 2 ** 53 - 1;
    const all = 'ffffffffffffffff';
    assert.deepEqual(read(`10 ${all} 11 00 ${all} 14 ${all} 15 00 ${all} 05 00 ${all} 1d ${all} 00`).lines, [
      `MAX_DATA ${top}`,
      `MAX_STREAM_DATA 0 ${top}`,
      `DATA_BLOCKED ${top}`,
      `STREAM_DATA_BLOCKED 0 ${top}`,
      `STOP_SENDING 0 ${top}`,
      `CONNECTION_CLOSE application ${top} ""`,
    ]);
  });

  it('refuses stream counts above 2^60 to the unit, RFC 9000 §19.11 and §19.14', () => {
    for (const type of ['12', '13', '16', '17']) {
      const frameType = Number.parseInt(type, 16);
      assert.equal(read(`${type} d000000000000000`).lines.length, 1);
      assert.equal(read(`${type} cfffffffffffffff`).lines.length, 1);
      refuses(`${type} d000000000000001`, FRAME_ENCODING_ERROR, frameType);
      refuses(`${type} d100000000000000`, FRAME_ENCODING_ERROR, frameType);
    }
  });

  it('refuses an empty token', () => {
    refuses('07 00', FRAME_ENCODING_ERROR, 0x07);
  });

  it('checks NEW_CONNECTION_ID, RFC 9000 §19.15', () => {
    const token = '000102030405060708090a0b0c0d0e0f';
    refuses(`18 01 02 01 aa ${token}`, FRAME_ENCODING_ERROR, 0x18);
    refuses(`18 02 01 00 ${token}`, FRAME_ENCODING_ERROR, 0x18);
    refuses(`18 02 01 15 ${'aa'.repeat(21)} ${token}`, FRAME_ENCODING_ERROR, 0x18);
    refuses(`18 ffffffffffffffff 00 01 aa ${token}`, PROTOCOL_VIOLATION, 0x18);
    refuses('19 ffffffffffffffff', PROTOCOL_VIOLATION, 0x19);
    assert.deepEqual(read(`18 02 02 14 ${'aa'.repeat(20)} ${token}`).lines, [
      `NEW_CONNECTION_ID 2 retire 2 ${'aa'.repeat(20)} ${token}`,
    ]);
  });

  it('reads a reason that is no UTF-8 without failing', () => {
    assert.deepEqual(read('1c 01 06 03 61ff62').lines, ['CONNECTION_CLOSE transport frame 6 1 "a\ufffdb"']);
  });

  it('passes on what the handler throws', () => {
    const recorder = new FrameRecorder();
    const violation = new TransportError(PROTOCOL_VIOLATION, 'not from a client', 0x1e);
    recorder.onHandshakeDone = () => {
      throw violation;
    };
    assert.throws(() => reader.read(fromHex('1e'), 0, 1, ONE_RTT, recorder), violation);
  });
});

describe('FrameReader, ACK frames', () => {
  it('gives the ranges highest first, both ends included', () => {
    assert.deepEqual(read('02 0d 07 02 03 03 00 01 01').lines, ['ACK 13 delay 7 [10,13] [5,5] [1,2]']);
    assert.deepEqual(read('03 0d 07 00 0d 01 02 03').lines, ['ACK 13 delay 7 [0,13] ecn 1 2 3']);
  });

  it('refuses numbers below 0, RFC 9000 §19.3.1', () => {
    refuses('02 05 00 00 06', FRAME_ENCODING_ERROR, 0x02);
    refuses('02 05 00 01 00 04 00', FRAME_ENCODING_ERROR, 0x02);
    refuses('02 05 00 01 00 00 04', FRAME_ENCODING_ERROR, 0x02);
    refuses('02 05 00 01 00 ffffffffffffffff 00', FRAME_ENCODING_ERROR, 0x02);
    assert.deepEqual(read('02 05 00 01 00 03 00').lines, ['ACK 5 delay 0 [5,5] [0,0]']);
  });

  it('refuses numbers that were never sent because nobody counts that far', () => {
    refuses('02 c020000000000000 00 00 00', PROTOCOL_VIOLATION, 0x02);
  });

  it('refuses a range count that cannot be, before making room for it', () => {
    const before = process.memoryUsage().arrayBuffers;
    refuses('02 05 00 ffffffffffffffff 00 00 00', FRAME_ENCODING_ERROR, 0x02);
    refuses('02 05 00 bfffffff 00 00 00', FRAME_ENCODING_ERROR, 0x02);
    assert.ok(process.memoryUsage().arrayBuffers - before < 1 << 20);
  });

  it('reads more ranges than it had room for, with one object', () => {
    const ranges = new Ranges();
    for (let i = 0; i < 700; i++) ranges.add(3 * i, 3 * i + 1);
    const bytes = new Uint8Array(4000);
    const end = writeAck(bytes, 0, bytes.length, ranges, 0, 1000);
    const seen: unknown[] = [];
    const recorder = new FrameRecorder();
    recorder.onAck = (ack) => {
      seen.push(ack);
      assert.equal(ack.rangeCount, 700);
      for (let i = 0; i < 700; i++)
        assert.deepEqual([ack.rangeStart[i], ack.rangeEnd[i]], [3 * (699 - i), 3 * (699 - i)]);
    };
    reader.read(bytes, 0, end, ONE_RTT, recorder);
    reader.read(bytes, 0, end, ONE_RTT, recorder);
    assert.equal(seen.length, 2);
    assert.equal(seen[0], seen[1]);
  });
});

describe('FrameReader, any bytes', () => {
  it('throws nothing but a TransportError and hands out views inside the packet', () => {
    const random = new SeededRandom(19);
    const bytes = new Uint8Array(96);
    const codes = new Map<number, number>();
    let whole = 0;
    const recorder = new FrameRecorder();
    const inside = (_: Uint8Array, start: number, length: number) => {
      assert.ok(start >= 16 && length >= 0 && start + length <= 80, `[${start}, ${start + length})`);
    };
    recorder.onCrypto = (_, b, start, length) => inside(b, start, length);
    recorder.onStream = (_, __, b, start, length) => inside(b, start, length);
    recorder.onNewToken = recorder.onDatagram = inside;
    recorder.onNewConnectionId = (_, __, b, start, length, tokenStart) => {
      inside(b, start, length);
      inside(b, tokenStart, 16);
    };
    recorder.onPathChallenge = recorder.onPathResponse = (b, start) => inside(b, start, 8);
    for (let i = 0; i < 20_000; i++) {
      random.fill(bytes);
      // A known type first, and small values, so that most packets get beyond their first byte.
      for (let j = 16; j < 80; j++) if (random.unit() < 0.7) bytes[j] = bytes[j]! & 0x1f;
      if (i % 3 === 0) writeVarint(bytes, 16, random.integer(0, 0x1e));
      recorder.lines.length = 0;
      try {
        reader.read(bytes, 16, 80, ONE_RTT, recorder);
        whole++;
      } catch (error) {
        if (!(error instanceof TransportError)) throw error;
        codes.set(error.code, (codes.get(error.code) ?? 0) + 1);
      }
    }
    assert.ok(whole > 100, `${whole} packets were read to the end: the test says little`);
    assert.ok((codes.get(FRAME_ENCODING_ERROR) ?? 0) > 100);
  });
});

describe('an ACK frame of many ranges', () => {
  it('is read whole, however often the arrays had to grow', () => {
    for (const count of [64, 65, 66, 128, 129, 300]) {
      const ranges = new Ranges();
      for (let i = 0; i < count; i++) ranges.add(10 + 3 * i, 11 + 3 * i);
      const bytes = new Uint8Array(2000);
      const end = writeAck(bytes, 0, bytes.length, ranges, 0, 1000);
      const recorder = new FrameRecorder();
      const fresh = new FrameReader();
      let seen = 0;
      recorder.onAck = (ack) => {
        seen = ack.rangeCount;
        for (let i = 0; i < count; i++) {
          const pn = 10 + 3 * (count - 1 - i);
          assert.deepEqual([ack.rangeStart[i], ack.rangeEnd[i]], [pn, pn], `range ${i} of ${count}`);
        }
      };
      fresh.read(bytes, 0, end, ONE_RTT, recorder);
      assert.equal(seen, count);
    }
  });
});
