import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SendStream } from '../stream/send-stream.ts';
import { make, roomAgain, type StreamOwner } from './internal.ts';
import { QuicStreamWriter, toBytes } from './writer.ts';

const owner: StreamOwner = {
  now: () => 0,
  wake: () => {},
  forget: () => {},
  endError: () => undefined,
  tell: () => {},
};

/** A sender that holds what it is given until told to drain. */
class FakeSender {
  readonly written: number[] = [];
  highWaterMark = 10;
  unsent = 0;
  finished = false;
  resetCode = -1;

  get writable(): boolean {
    return this.unsent < this.highWaterMark && !this.finished;
  }

  write(_now: number, chunk: Uint8Array): void {
    assert.ok(!this.finished);
    this.written.push(...chunk);
    this.unsent += chunk.length;
  }

  finish(): void {
    this.finished = true;
  }

  reset(_now: number, code: number): void {
    this.resetCode = code;
  }
}

function writerOf(sender: FakeSender): QuicStreamWriter {
  return QuicStreamWriter[make](owner, sender as unknown as SendStream);
}

type Operation = { readonly type: 'write' | 'writev' | 'writeSync' | 'abort' | 'drain'; readonly size: number };

test('whatever is accepted is sent once and in order, and the buffer never grows past budget and one chunk', async () => {
  const operation = fc.record({
    type: fc.constantFrom<Operation['type']>('write', 'writev', 'writeSync', 'abort', 'drain'),
    size: fc.integer({ min: 1, max: 8 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (operations) => {
      const sender = new FakeSender();
      const writer = writerOf(sender);
      let next = 0;
      const accepted: { first: number; size: number }[] = [];
      const waiting: { readonly stop: AbortController; readonly promise: Promise<unknown> }[] = [];
      const take = (size: number) => {
        const chunk = Uint8Array.from({ length: size }, (_, i) => (next + i) % 256);
        const place = { first: next, size };
        next += size;
        return { chunk, place };
      };
      for (const { type, size } of operations) {
        if (type === 'drain') {
          sender.unsent = 0;
          writer[roomAgain]();
        } else if (type === 'abort') {
          waiting[size]?.stop.abort(new Error('aborted'));
        } else {
          const { chunk, place } = take(size);
          if (type === 'writeSync') {
            if (writer.writeSync(chunk)) accepted.push(place);
          } else {
            const stop = new AbortController();
            const chunks = type === 'write' ? [chunk] : [chunk.subarray(0, 1), chunk.subarray(1)];
            const promise = writer.writev(chunks, { signal: stop.signal }).then(
              () => accepted.push(place),
              (error) => assert.equal(error.message, 'aborted'),
            );
            waiting.push({ stop, promise });
          }
        }
        assert.ok(sender.unsent < sender.highWaterMark + 8);
        await Promise.resolve();
      }
      while (!writer.canWrite) {
        sender.unsent = 0;
        writer[roomAgain]();
      }
      const ended = await writer.end();
      await Promise.all(waiting.map(({ promise }) => promise));
      accepted.sort((a, b) => a.first - b.first);
      const expected = accepted.flatMap(({ first, size }) => Array.from({ length: size }, (_, i) => (first + i) % 256));
      assert.deepEqual(sender.written, expected);
      assert.equal(ended, expected.length);
      assert.ok(sender.finished);
    }),
    { seed: 3, numRuns: 200 },
  );
});

test('an end waits behind the writes that wait, and nothing can be written after it', async () => {
  const sender = new FakeSender();
  const writer = writerOf(sender);
  assert.ok(writer.writeSync(new Uint8Array(12)));
  const write = writer.write(new Uint8Array(3));
  const end = writer.end();
  assert.equal(writer.endSync(), -1);
  assert.equal(sender.finished, false);
  await assert.rejects(writer.write('x'), { code: 'ERR_QUIC_STREAM_CLOSED' });
  sender.unsent = 0;
  writer[roomAgain]();
  await write;
  assert.equal(await end, 15);
  assert.ok(sender.finished);
  assert.equal(writer.desiredSize, null);
});

test('an end behind a write that is given up goes without waiting for room', async () => {
  const sender = new FakeSender();
  const writer = writerOf(sender);
  writer.writeSync(new Uint8Array(12));
  const abort = new AbortController();
  const write = assert.rejects(writer.write('x', { signal: abort.signal }), /enough/);
  const end = writer.end();
  abort.abort(new Error('enough'));
  await write;
  assert.ok(sender.finished);
  assert.equal(await end, 12);
});

test('of several chunks, one of which is none, nothing is taken', async () => {
  const sender = new FakeSender();
  const writer = writerOf(sender);
  const chunks = ['ab', 7 as unknown as string];
  assert.throws(() => writer.writevSync(chunks), { code: 'ERR_QUIC_INVALID_ARGUMENT' });
  await assert.rejects(writer.writev(chunks), { code: 'ERR_QUIC_INVALID_ARGUMENT' });
  assert.deepEqual(sender.written, []);
});

test('failing rejects what waits, with the reason, and resets with its code', async () => {
  const sender = new FakeSender();
  const writer = writerOf(sender);
  writer.writeSync(new Uint8Array(12));
  const waits = [
    assert.rejects(writer.write('x'), /gone/),
    assert.rejects(writer.ready(), /gone/),
    assert.rejects(writer.end(), /gone/),
  ];
  writer.fail(new Error('gone'));
  await Promise.all(waits);
  assert.equal(sender.resetCode, 1);
  assert.equal(writer.writeSync('x'), false);
  await assert.rejects(writer.write('x'), /gone/);
});

test('chunks are strings, buffers and views of any kind, and nothing else', () => {
  assert.deepEqual(toBytes('é'), new Uint8Array([0xc3, 0xa9]));
  const numbers = new Uint16Array([1, 2]);
  assert.equal(toBytes(numbers.subarray(1)).byteOffset, 2);
  assert.equal(toBytes(numbers.buffer).length, 4);
  const own = new Uint8Array(3);
  assert.equal(toBytes(own), own);
  assert.throws(() => toBytes(5 as unknown as string), { code: 'ERR_QUIC_INVALID_ARGUMENT' });
});
