import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DatagramQueue, datagramCapacity } from './datagram-queue.ts';

const sent = { add() {} };

function write(queue: DatagramQueue, room: number, largest = 1000): number {
  const bytes = new Uint8Array(room + 1).fill(0xee);
  const end = queue.writeFrames(bytes, 0, room, sent, largest);
  assert.equal(bytes[room], 0xee);
  return end;
}

test('what does not fit now waits; what never will is dropped', () => {
  const queue = new DatagramQueue();
  queue.push(new Uint8Array(100));
  queue.push(new Uint8Array(1001));
  queue.push(new Uint8Array(50));
  assert.equal(write(queue, 102), 0);
  assert.equal(write(queue, 103), 103);
  assert.equal(write(queue, 20), 0);
  assert.equal(queue.dropped, 1);
  assert.equal(write(queue, 52), 52);
  assert.equal(queue.sent, 2);
  assert.equal(queue.wantsSend, false);
});

test('the oldest go when more wait than anyone should keep', () => {
  const queue = new DatagramQueue();
  for (let i = 0; i < 1100; i++) queue.push(new Uint8Array(1000).fill(i & 0xff));
  assert.equal(queue.dropped, 1100 - 1048);
  const bytes = new Uint8Array(1100);
  queue.writeFrames(bytes, 0, 1100, sent, 1000);
  assert.equal(bytes[3], 52);
});

test('a frame of any size is filled and not overfilled', () => {
  for (const size of [0, 1, 2, 3, 64, 65, 66, 67, 1200, 16383, 16386, 16390, 65527]) {
    const queue = new DatagramQueue();
    const capacity = datagramCapacity(size);
    queue.push(new Uint8Array(capacity));
    if (size >= 2) assert.ok(write(queue, size, capacity) >= size - 2, String(size));
  }
});
