import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DatagramBacklog } from './datagram-backlog.ts';

test('the newest wait, 64 KiB of them at most with what each takes beside', () => {
  for (const [size, kept] of [
    [0, 256],
    [1200, 45],
    [65_000, 1],
    [65_536, 0],
  ] as const) {
    const backlog = new DatagramBacklog();
    const all = Array.from({ length: 1000 }, () => new Uint8Array(size));
    for (const datagram of all) backlog.push(datagram);
    const taken = backlog.take();
    assert.equal(taken.length, kept, `${size} bytes`);
    assert.ok(taken.every((datagram, i) => datagram === all[1000 - kept + i]));
    assert.deepEqual(backlog.take(), []);
  }
});
