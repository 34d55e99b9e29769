import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FrameRecorder } from '../../test/support/frame-recorder.ts';
import { fromHex, toHex, varintSize, writeBytes } from '../base/cursor.ts';
import { Ranges } from '../base/ranges.ts';
import type { AckFrame } from './frame-handler.ts';
import { FrameReader } from './frame-reader.ts';
import { PacketType } from './frame-type.ts';
import * as frames from './frames.ts';

const seed = 19;
const TOKEN = fromHex('000102030405060708090a0b0c0d0e0f');
const reader = new FrameReader();

function recorded(bytes: Uint8Array, end: number): string[] {
  const recorder = new FrameRecorder();
  reader.read(bytes, 0, end, PacketType.ONE_RTT, recorder);
  return recorder.lines;
}

const value = fc.oneof(fc.maxSafeNat(), fc.nat(2 ** 31 - 1), fc.nat(20000), fc.nat(70));

/** A frame: how to write it, how many bytes that takes, and the line that reading it must give. */
interface Sample {
  readonly write: (bytes: Uint8Array, at: number) => number;
  readonly size: number;
  readonly line: string;
}

const data = fc.uint8Array({ minLength: 1, maxLength: 20 });
const sizes = (...values: number[]) => values.reduce((sum, each) => sum + varintSize(each), 0);
const eight = fc.uint8Array({ minLength: 8, maxLength: 8 });
const anyFrame: fc.Arbitrary<Sample> = fc.oneof(
  fc.constant<Sample>({ write: frames.writePing, size: 1, line: 'PING' }),
  fc.constant<Sample>({ write: frames.writeHandshakeDone, size: 1, line: 'HANDSHAKE_DONE' }),
  fc.tuple(value, value, value).map(
    ([id, code, size]): Sample => ({
      write: (b, at) => frames.writeResetStream(b, at, id, code, size),
      size: frames.resetStreamSize(id, code, size),
      line: `RESET_STREAM ${id} ${code} ${size}`,
    }),
  ),
  fc.tuple(value, value).map(
    ([id, code]): Sample => ({
      write: (b, at) => frames.writeStopSending(b, at, id, code),
      size: frames.stopSendingSize(id, code),
      line: `STOP_SENDING ${id} ${code}`,
    }),
  ),
  fc.tuple(fc.nat(2 ** 40), data).map(
    ([offset, bytes]): Sample => ({
      write: (b, at) => writeBytes(b, frames.writeCryptoHeader(b, at, offset, bytes.length), bytes),
      size: frames.cryptoHeaderSize(offset, bytes.length) + bytes.length,
      line: `CRYPTO ${offset}+${bytes.length} ${toHex(bytes)}`,
    }),
  ),
  fc.tuple(value, fc.nat(2 ** 40), data, fc.boolean()).map(
    ([id, offset, bytes, fin]): Sample => ({
      write: (b, at) => writeBytes(b, frames.writeStreamHeader(b, at, id, offset, bytes.length, fin), bytes),
      size: 1 + sizes(id, ...(offset === 0 ? [] : [offset]), bytes.length) + bytes.length,
      line: `STREAM ${id} ${offset}+${bytes.length}${fin ? ' FIN' : ''} ${toHex(bytes)}`,
    }),
  ),
  data.map(
    (bytes): Sample => ({
      write: (b, at) => frames.writeNewToken(b, at, bytes),
      size: frames.newTokenSize(bytes.length),
      line: `NEW_TOKEN ${toHex(bytes)}`,
    }),
  ),
  value.map(
    (v): Sample => ({
      write: (b, at) => frames.writeMaxData(b, at, v),
      size: frames.maxDataSize(v),
      line: `MAX_DATA ${v}`,
    }),
  ),
  fc.tuple(value, value).map(
    ([id, v]): Sample => ({
      write: (b, at) => frames.writeMaxStreamData(b, at, id, v),
      size: frames.maxStreamDataSize(id, v),
      line: `MAX_STREAM_DATA ${id} ${v}`,
    }),
  ),
  fc.tuple(fc.boolean(), value).map(
    ([bidi, v]): Sample => ({
      write: (b, at) => frames.writeMaxStreams(b, at, bidi, v),
      size: frames.maxStreamsSize(v),
      line: `MAX_STREAMS ${bidi ? 'bidi' : 'uni'} ${v}`,
    }),
  ),
  value.map(
    (v): Sample => ({
      write: (b, at) => frames.writeDataBlocked(b, at, v),
      size: frames.dataBlockedSize(v),
      line: `DATA_BLOCKED ${v}`,
    }),
  ),
  fc.tuple(value, value).map(
    ([id, v]): Sample => ({
      write: (b, at) => frames.writeStreamDataBlocked(b, at, id, v),
      size: frames.streamDataBlockedSize(id, v),
      line: `STREAM_DATA_BLOCKED ${id} ${v}`,
    }),
  ),
  fc.tuple(fc.boolean(), value).map(
    ([bidi, v]): Sample => ({
      write: (b, at) => frames.writeStreamsBlocked(b, at, bidi, v),
      size: frames.streamsBlockedSize(v),
      line: `STREAMS_BLOCKED ${bidi ? 'bidi' : 'uni'} ${v}`,
    }),
  ),
  fc.tuple(value, fc.uint8Array({ minLength: 1, maxLength: 20 })).map(
    ([sequence, id]): Sample => ({
      write: (b, at) => frames.writeNewConnectionId(b, at, sequence, sequence >>> 1, id, TOKEN),
      size: frames.newConnectionIdSize(sequence, sequence >>> 1, id.length),
      line: `NEW_CONNECTION_ID ${sequence} retire ${sequence >>> 1} ${toHex(id)} ${toHex(TOKEN)}`,
    }),
  ),
  value.map(
    (v): Sample => ({
      write: (b, at) => frames.writeRetireConnectionId(b, at, v),
      size: frames.retireConnectionIdSize(v),
      line: `RETIRE_CONNECTION_ID ${v}`,
    }),
  ),
  eight.map(
    (bytes): Sample => ({
      write: (b, at) => frames.writePathChallenge(b, at, bytes),
      size: 9,
      line: `PATH_CHALLENGE ${toHex(bytes)}`,
    }),
  ),
  eight.map(
    (bytes): Sample => ({
      write: (b, at) => frames.writePathResponse(b, at, bytes),
      size: 9,
      line: `PATH_RESPONSE ${toHex(bytes)}`,
    }),
  ),
  data.map(
    (bytes): Sample => ({
      write: (b, at) => writeBytes(b, frames.writeDatagramHeader(b, at, bytes.length), bytes),
      size: frames.datagramHeaderSize(bytes.length) + bytes.length,
      line: `DATAGRAM ${toHex(bytes)}`,
    }),
  ),
);

describe('frames', () => {
  it('are read as they were written, in order, and take the size announced', () => {
    const holds = (samples: Sample[]) => {
      const bytes = new Uint8Array(4096);
      let at = 0;
      for (const { write, size, line } of samples) {
        const next = write(bytes, at);
        assert.equal(next - at, size, line);
        at = next;
      }
      assert.deepEqual(
        recorded(bytes, at),
        samples.map(({ line }) => line),
      );
    };
    fc.assert(fc.property(fc.array(anyFrame, { minLength: 1, maxLength: 20 }), holds), { seed, numRuns: 500 });
  });

  it('that leave their length out run to the end of the packet', () => {
    const bytes = new Uint8Array(40);
    const at = writeBytes(bytes, frames.writeStreamHeader(bytes, 0, 4, 70, -1, true), fromHex('616263'));
    assert.equal(at, 1 + sizes(4, 70) + 3);
    assert.deepEqual(recorded(bytes, at), ['STREAM 4 70+3 FIN 616263']);
    const end = writeBytes(bytes, frames.writeDatagramHeader(bytes, 0, -1), fromHex('646566'));
    assert.equal(end, frames.datagramHeaderSize(-1) + 3);
    assert.deepEqual(recorded(bytes, end), ['DATAGRAM 646566']);
  });

  it('have the type bits of RFC 9000 §19.8', () => {
    const bytes = new Uint8Array(16);
    for (const [offset, length, fin, type] of [
      [0, -1, false, 0x08],
      [0, -1, true, 0x09],
      [0, 0, false, 0x0a],
      [9, -1, false, 0x0c],
      [9, 1, true, 0x0f],
    ] as const) {
      frames.writeStreamHeader(bytes, 0, 0, offset, length, fin);
      assert.equal(bytes[0], type);
    }
  });

  it('padding fills up to the end and is nothing to hear of', () => {
    const bytes = new Uint8Array(40).fill(0xff);
    assert.equal(frames.writePadding(bytes, frames.writePing(bytes, 0), 30), 30);
    assert.deepEqual(recorded(bytes, 30), ['PING']);
    assert.equal(bytes[30], 0xff);
  });
});

/** What `writeAck` wrote into a packet, as an AckFrame of plain ranges; undefined when nothing fitted. */
function acked(end: number, ranges: Ranges, maxRanges: number, ecn?: frames.EcnCounts) {
  const bytes = new Uint8Array(2048).fill(0xee);
  const next = frames.writeAck(bytes, 5, end, ranges, 300, maxRanges, ecn);
  if (next === 5) return undefined;
  assert.ok(next <= end, `wrote to ${next}, room to ${end}`);
  let found: [number, number][] = [];
  let counts: number[] = [];
  const recorder = new FrameRecorder();
  recorder.onAck = (ack: AckFrame) => {
    assert.equal(ack.delay, 300);
    assert.equal(ack.hasEcn, ecn !== undefined);
    assert.equal(ack.largest, ack.rangeEnd[0]);
    found = Array.from({ length: ack.rangeCount }, (_, i) => [ack.rangeStart[i]!, ack.rangeEnd[i]! + 1]);
    counts = [ack.ect0, ack.ect1, ack.ce];
  };
  reader.read(bytes, 5, next, PacketType.ONE_RTT, recorder);
  return { found, counts, size: next - 5 };
}

function rangesOf(lengths: readonly (readonly [number, number])[], from: number): Ranges {
  const ranges = new Ranges();
  let at = from;
  for (const [gap, length] of lengths) {
    ranges.add(at + gap, at + gap + length);
    at += gap + length;
  }
  return ranges;
}

describe('writeAck', () => {
  const gaps = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 100_000 }));
  const lengths = fc.array(fc.tuple(gaps, gaps), { minLength: 1, maxLength: 100 });

  it('gives the highest ranges, as many as asked for, when there is room', () => {
    const holds = (list: [number, number][], from: number, maxRanges: number) => {
      const ranges = rangesOf(list, from);
      const expected = Array.from({ length: ranges.count }, (_, i) => [ranges.start(i), ranges.end(i)]);
      assert.deepEqual(acked(2048, ranges, maxRanges)?.found, expected.reverse().slice(0, maxRanges));
    };
    fc.assert(fc.property(lengths, fc.nat(2 ** 40), fc.integer({ min: 1, max: 120 }), holds), { seed, numRuns: 500 });
  });

  it('drops the lowest ranges that do not fit, and no more', () => {
    const holds = (list: [number, number][], room: number) => {
      const ranges = rangesOf(list, 0);
      const whole = acked(2048, ranges, 64)!;
      const partial = acked(5 + room, ranges, 64);
      if (partial === undefined) return room < 1 + 8 + 2 + 1 + 8;
      assert.deepEqual(partial.found, whole.found.slice(0, partial.found.length));
      if (partial.found.length < whole.found.length) assert.ok(room - partial.size < 16, 'room was left for a range');
      return true;
    };
    fc.assert(fc.property(lengths, fc.integer({ min: 1, max: 200 }), holds), { seed, numRuns: 1000 });
  });

  it('never drops the ECN counts for a range', () => {
    const ecn = { ect0: 100, ect1: 3, ce: 20_000 };
    const holds = (list: [number, number][], room: number) => {
      const partial = acked(5 + room, rangesOf(list, 0), 64, ecn);
      if (partial) assert.deepEqual(partial.counts, [100, 3, 20_000]);
    };
    fc.assert(fc.property(lengths, fc.integer({ min: 1, max: 200 }), holds), { seed, numRuns: 500 });
  });

  it('writes the bytes of the format, RFC 9000 §19.3', () => {
    const ranges = new Ranges();
    for (const [start, end] of [
      [1, 3],
      [5, 6],
      [10, 14],
    ] as const) {
      ranges.add(start, end);
    }
    const bytes = new Uint8Array(20);
    // 10..13, then a gap of 6..9 (4 packets: 3), then 5, then 3..4 (2 packets: 1), then 1..2.
    const end = frames.writeAck(bytes, 0, 20, ranges, 7, 64);
    assert.equal(toHex(bytes.subarray(0, end)), '020d07020303000101');
    assert.equal(frames.writeAck(bytes, 0, 20, new Ranges(), 7, 64), 0);
    assert.equal(frames.writeAck(bytes, 0, 4, ranges, 7, 64), 0);
    assert.equal(frames.writeAck(bytes, 0, 5, ranges, 7, 64), 5);
  });
});

describe('writeConnectionClose', () => {
  function closed(room: number, application: boolean, code: number, reason: string): string[] | undefined {
    const bytes = new Uint8Array(20_100).fill(0xee);
    const next = frames.writeConnectionClose(bytes, 0, room, application, code, 6, reason);
    assert.ok(next <= room);
    assert.equal(bytes[next], 0xee, 'wrote behind the end');
    return next === 0 ? undefined : recorded(bytes, next);
  }

  it('carries code, frame type and reason', () => {
    assert.deepEqual(closed(1200, false, 0x12a, 'no'), ['CONNECTION_CLOSE transport frame 6 298 "no"']);
    assert.deepEqual(closed(1200, true, 2 ** 40, ''), [`CONNECTION_CLOSE application ${2 ** 40} ""`]);
  });

  it('counts the bytes of the reason, not its characters', () => {
    for (const length of [20, 21, 22, 30, 63]) {
      const reason = '€'.repeat(length);
      assert.deepEqual(closed(1200, true, 1, reason), [`CONNECTION_CLOSE application 1 "${reason}"`]);
    }
  });

  it('cuts the reason at a character when it does not fit', () => {
    assert.deepEqual(closed(4 + 5, false, 1, 'ééé'), ['CONNECTION_CLOSE transport frame 6 1 "éé"']);
    assert.equal(closed(3, false, 1, 'no'), undefined);
    assert.deepEqual(closed(4, false, 1, 'no'), ['CONNECTION_CLOSE transport frame 6 1 ""']);
  });

  it('never writes behind its end, whatever the reason', () => {
    const holds = (room: number, application: boolean, reason: string) => {
      const lines = closed(room, application, 1, reason);
      if (lines === undefined) return room < 6;
      const shown = JSON.parse(lines[0]!.slice(lines[0]!.indexOf('"'))) as string;
      return reason.startsWith(shown);
    };
    const reason = fc.string({ unit: 'grapheme', maxLength: 300 });
    fc.assert(fc.property(fc.nat(200), fc.boolean(), reason, holds), { seed, numRuns: 1000 });
    assert.equal(
      closed(20_000, true, 1, 'x'.repeat(30_000))?.[0]?.length,
      16_383 + '"CONNECTION_CLOSE application 1 "'.length,
    );
  });
});
