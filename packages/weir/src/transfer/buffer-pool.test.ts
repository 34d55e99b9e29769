import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferPool } from './buffer-pool.ts';

test('buffers are made up to the limit, then waited for, and used again', async () => {
  const pool = new BufferPool(2, () => new ArrayBuffer(10));
  const a = await pool.acquire();
  const b = await pool.acquire();
  assert.notEqual(a, b);
  assert.equal(a.byteLength, 10);
  const waiting = pool.acquire();
  assert.ok(waiting instanceof Promise);
  pool.release(a);
  assert.equal(await waiting, a);
  pool.release(b);
  assert.equal(pool.acquire(), b);
});

test('waits are served in order', async () => {
  const pool = new BufferPool(1, () => new ArrayBuffer(1));
  const only = await pool.acquire();
  const order: number[] = [];
  const waits = [1, 2, 3].map(async (n) => {
    const buffer = await pool.acquire();
    order.push(n);
    pool.release(buffer);
  });
  pool.release(only);
  await Promise.all(waits);
  assert.deepEqual(order, [1, 2, 3]);
});

test('failing ends present and later waits', async () => {
  const pool = new BufferPool(1, () => new ArrayBuffer(1));
  await pool.acquire();
  const waiting = pool.acquire();
  pool.fail(new Error('over'));
  await assert.rejects(async () => waiting, /over/);
  await assert.rejects(async () => pool.acquire(), /over/);
});
