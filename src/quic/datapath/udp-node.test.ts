import assert from 'node:assert/strict';
import { Socket } from 'node:dgram';
import { test } from 'node:test';
import { createUdpNodeDatapath } from './udp-node.ts';

test('a full kernel has room when its queue is empty, not when an earlier batch was sent', async (t) => {
  // Stands in for the kernel: each batch is one datagram, and what is queued waits for `sent`.
  const sent: (() => void)[] = [];
  let queued = 0;
  t.mock.method(Socket.prototype, 'getSendQueueCount', () => queued);
  t.mock.method(Socket.prototype, 'send', (...args: unknown[]) => void sent.push(args.at(-1) as () => void));
  const datapath = await createUdpNodeDatapath({ host: '127.0.0.1', port: 0, family: 4 });
  t.after(() => datapath.close());
  let writable = 0;
  datapath.onWritable = () => writable++;
  const batch = datapath.createTransmitBatch();
  Object.assign(batch, { length: 1200, segmentSize: 1200, destination: datapath.local });
  // node tells of a datagram that left at once in a later tick.
  assert.equal(datapath.send(batch), true);
  queued = 1;
  assert.equal(datapath.send(batch), false);
  sent[0]!();
  assert.equal(writable, 0, 'libuv still sends from the arena');
  queued = 0;
  sent[1]!();
  assert.equal(writable, 1);
});
