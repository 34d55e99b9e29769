import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SendBuffer } from './send-buffer.ts';

const byteAt = (offset: number) => (offset * 7 + (offset >>> 8)) & 0xff;

type Operation =
  | { type: 'push'; length: number }
  | { type: 'fresh'; length: number }
  | { type: 'resend'; length: number }
  | { type: 'ack' | 'lose'; which: number };

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ type: fc.constant('push' as const), length: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ type: fc.constant('fresh' as const), length: fc.integer({ min: 1, max: 30 }) }),
  fc.record({ type: fc.constant('resend' as const), length: fc.integer({ min: 1, max: 30 }) }),
  fc.record({ type: fc.constantFrom('ack' as const, 'lose' as const), which: fc.nat() }),
);

/** Each byte that was sent is 'flying', 'lost' or 'acked'. */
type Model = ('flying' | 'lost' | 'acked')[];

function check(buffer: SendBuffer, model: Model, written: number): void {
  const firstLost = model.indexOf('lost');
  assert.equal(buffer.hasLost, firstLost >= 0);
  if (firstLost >= 0) {
    assert.equal(buffer.lostStart, firstLost);
    let end = firstLost;
    while (model[end] === 'lost') end++;
    assert.equal(buffer.lostEnd, end);
  }
  assert.equal(buffer.next, model.length);
  assert.equal(buffer.unsent, written - model.length);
  assert.equal(buffer.unacked, model.filter((state) => state !== 'acked').length);
  assert.equal(buffer.isAllAcked, model.length === written && model.every((state) => state === 'acked'));
}

test('any order of writing, sending, acknowledging and losing: the right bytes, and nothing forgotten', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 120 }), (operations) => {
      const buffer = new SendBuffer();
      const model: Model = [];
      /** Ranges that were sent, each in a packet whose fate is told once or more: losses can be in error. */
      const sent: [number, number][] = [];
      const out = new Uint8Array(64);
      let written = 0;
      for (const op of operations) {
        if (op.type === 'push') {
          const chunk = Uint8Array.from({ length: op.length }, (_, i) => byteAt(written + i));
          buffer.push(chunk);
          written += op.length;
        } else if (op.type === 'fresh' || op.type === 'resend') {
          const isFresh = op.type === 'fresh';
          if (!isFresh && !buffer.hasLost) continue;
          const start = isFresh ? buffer.next : buffer.lostStart;
          const length = Math.min(op.length, (isFresh ? written : buffer.lostEnd) - start);
          if (isFresh) buffer.takeFresh(length, out, 5);
          else buffer.takeLost(length, out, 5);
          for (let i = 0; i < length; i++) {
            assert.equal(out[5 + i], byteAt(start + i));
            model[start + i] = 'flying';
          }
          if (length > 0) sent.push([start, start + length]);
        } else if (sent.length > 0) {
          const [start, end] = sent[op.which % sent.length]!;
          let fresh = 0;
          for (let i = start; i < end; i++) {
            if (model[i] === 'acked') continue;
            model[i] = op.type === 'ack' ? 'acked' : 'lost';
            fresh++;
          }
          if (op.type === 'ack') assert.equal(buffer.onAcked(start, end), fresh);
          else buffer.onLost(start, end);
        }
        check(buffer, model, written);
      }
    }),
    { seed: 12, numRuns: 400 },
  );
});

test('a chunk is kept by reference, and let go when it is acknowledged', () => {
  const buffer = new SendBuffer();
  const chunk = Uint8Array.of(1, 2, 3, 4);
  buffer.push(chunk);
  chunk[1] = 9;
  const out = new Uint8Array(4);
  buffer.takeFresh(3, out, 0);
  assert.deepEqual([...out], [1, 9, 3, 0]);
  buffer.discard();
  assert.equal(buffer.unsent, 0);
  assert.equal(buffer.next, 3);
});

test('a packet may come late whose first half others have brought, and count as lost', () => {
  const after = () => {
    const buffer = new SendBuffer();
    buffer.push(Uint8Array.from({ length: 30 }, (_, i) => byteAt(i)));
    const out = new Uint8Array(64);
    buffer.takeFresh(30, out, 0);
    buffer.onLost(0, 30);
    for (let i = 0; i < 3; i++) buffer.takeLost(10, out, 0);
    buffer.onAcked(0, 10);
    buffer.onAcked(20, 30);
    assert.deepEqual([buffer.released, buffer.unacked], [10, 10]);
    return buffer;
  };
  const late = after();
  assert.equal(late.onAcked(0, 30), 10);
  assert.deepEqual([late.released, late.unacked, late.isAllAcked], [30, 0, true]);
  const lost = after();
  lost.onLost(0, 30);
  assert.deepEqual([lost.lostStart, lost.lostEnd], [10, 20]);
});
