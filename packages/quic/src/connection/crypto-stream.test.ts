import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TransportErrorCode } from '../base/errors.ts';
import { SeededRandom } from '../base/random.ts';
import type { FrameHandler } from '../wire/frame-handler.ts';
import { FrameReader } from '../wire/frame-reader.ts';
import { PacketType } from '../wire/frame-type.ts';
import { CryptoStream } from './crypto-stream.ts';

const DATA = new Uint8Array(5000);
new SeededRandom(1).fill(DATA);

function readAll(stream: CryptoStream): number[] {
  const all: number[] = [];
  for (let piece = stream.read(); piece !== undefined; piece = stream.read()) all.push(...piece);
  return all;
}

test('whatever the room, losses, acknowledgements and order, all bytes arrive once and in order', () => {
  const step = fc.record({ room: fc.integer({ min: 0, max: 300 }), fate: fc.constantFrom('arrive', 'lose', 'late') });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 3000 }), (steps, length) => {
      const sender = new CryptoStream();
      const receiver = new CryptoStream();
      const got: number[] = [];
      sender.write(DATA.subarray(0, length >> 1));
      sender.write(DATA.subarray(length >> 1, length));
      const reader = new FrameReader();
      const handler = {
        onCrypto: (offset: number, bytes: Uint8Array, start: number, size: number) => {
          receiver.receive(offset, bytes, start, size);
        },
      } as FrameHandler;
      const late: Uint8Array[] = [];
      for (let i = 0; sender.wantsSend && i < 5000; i++) {
        const { room, fate } = i < 4 * steps.length ? steps[i % steps.length]! : { room: 300, fate: 'arrive' };
        const bytes = new Uint8Array(room + 1).fill(0xee);
        const records: [number, number][] = [];
        const end = sender.writeFrames(bytes, 0, room, { add: (_kind, _a, b, c) => records.push([b, c]) });
        assert.ok(end <= room && bytes[room] === 0xee, 'stays within its room');
        if (end === 0) continue;
        if (fate === 'lose') for (const [offset, size] of records) sender.onLost(offset, size);
        else if (fate === 'late') late.push(bytes.slice(0, end));
        else {
          reader.read(bytes, 0, end, PacketType.INITIAL, handler);
          for (const [offset, size] of records) sender.onAcked(offset, size);
        }
        got.push(...readAll(receiver));
      }
      assert.equal(sender.wantsSend, false);
      for (const bytes of late.reverse()) reader.read(bytes, 0, bytes.length, PacketType.INITIAL, handler);
      got.push(...readAll(receiver));
      assert.deepEqual(got, [...DATA.subarray(0, length)]);
    }),
    { seed: 4, numRuns: 150 },
  );
});

test('what was acknowledged is not sent again, even when it counts as lost before or after', () => {
  const stream = new CryptoStream();
  stream.write(DATA.subarray(0, 100));
  const bytes = new Uint8Array(200);
  stream.writeFrames(bytes, 0, 200, { add() {} });
  stream.onLost(0, 100);
  stream.onAcked(20, 60);
  stream.onLost(10, 50);
  const records: [number, number][] = [];
  stream.writeFrames(bytes, 0, 200, { add: (_kind, _a, b, c) => records.push([b, c]) });
  assert.deepEqual(records, [
    [0, 20],
    [80, 20],
  ]);
});

test('after a Retry everything goes again', () => {
  const stream = new CryptoStream();
  stream.write(DATA.subarray(0, 100));
  const bytes = new Uint8Array(200);
  stream.writeFrames(bytes, 0, 200, { add() {} });
  stream.onAcked(0, 100);
  stream.restart();
  const records: [number, number][] = [];
  stream.writeFrames(bytes, 0, 200, { add: (_kind, _a, b, c) => records.push([b, c]) });
  assert.deepEqual(records, [[0, 100]]);
});

test('data too far ahead, or in too many pieces, is refused; copies cost nothing', () => {
  const code = { code: TransportErrorCode.CRYPTO_BUFFER_EXCEEDED, frameType: 6 };
  const stream = new CryptoStream();
  stream.receive((64 << 10) - 10, DATA, 0, 10);
  assert.throws(() => stream.receive((64 << 10) - 9, DATA, 0, 10), code);
  for (let i = 0; i < 10_000; i++) stream.receive(100, DATA, 100, 50);
  // Each costs 256 bytes beside its own, of 128 KiB.
  for (let i = 1; i < 508; i++) stream.receive(200 + 2 * i, DATA, 0, 1);
  assert.throws(() => stream.receive(10_000, DATA, 0, 1), code);
  stream.receive(0, DATA, 0, 100);
  assert.deepEqual(readAll(stream), [...DATA.subarray(0, 150)]);
});

test('overlapping pieces hold a bounded amount of memory, and what they held is free again', () => {
  const datagram = new Uint8Array(60_000);
  const stream = new CryptoStream();
  const flood = () => {
    for (let i = 1; i < 1000; i++) stream.receive(i, datagram, 0, datagram.length);
  };
  assert.throws(flood, { code: TransportErrorCode.CRYPTO_BUFFER_EXCEEDED });
  // The missing byte is taken all the same, and with it all that waited.
  stream.receive(0, datagram, 0, 1);
  const read = readAll(stream).length;
  assert.ok(read >= 60_001 && read < 60_100, `${read}`);
  for (let i = 1; i < 3; i++) stream.receive(read + i, datagram, 0, 60_000);
});

test('a probe repeats the first of what is not acknowledged, one frame that fits, and nothing where other data waits', () => {
  const stream = new CryptoStream();
  const records: [number, number][] = [];
  const sent = { add: (_kind: number, _a: number, from: number, length: number) => records.push([from, length]) };
  const probe = (room: number) => {
    stream.probe(room);
    records.length = 0;
    const end = stream.writeFrames(new Uint8Array(room), 0, room, sent);
    assert.equal(stream.wantsSend, false);
    return end;
  };
  assert.equal(probe(100), 0, 'nothing was sent yet');
  stream.write(new Uint8Array(3000));
  stream.writeFrames(new Uint8Array(4000), 0, 4000, sent);
  for (const room of [40, 70, 1100, 2000]) {
    assert.ok(probe(room) > room - 4);
    assert.equal(records.length, 1);
    assert.equal(records[0]![0], 0);
  }
  assert.ok(probe(3000) > 2990);
  stream.onAcked(0, 2950);
  assert.ok(probe(1100) < 60);
  assert.deepEqual(records, [[2950, 50]]);
  stream.onAcked(2950, 50);
  assert.equal(probe(1100), 0);
  stream.write(new Uint8Array(100));
  stream.probe(1100);
  stream.writeFrames(new Uint8Array(1100), 0, 1100, sent);
  assert.deepEqual(records, [[3000, 100]]);
});
