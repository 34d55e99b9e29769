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

test('a failure to receive ends nothing, unless the socket is of no use or nothing else happens', async (t) => {
  const create = t.mock.method(Socket.prototype, 'on');
  const datapath = await createUdpNodeDatapath({ host: '127.0.0.1', port: 0, family: 4 });
  t.after(() => datapath.close());
  const socket = create.mock.calls.find(({ arguments: [event] }) => (event as string) === 'message')!.this as Socket;
  const failures: unknown[] = [];
  datapath.onError = (error) => failures.push((error as NodeJS.ErrnoException).code);
  const fail = (code: string) => socket.emit('error', Object.assign(new Error(code), { code }));
  for (let i = 0; i < 900; i++) fail('ECONNREFUSED');
  socket.emit('message', Buffer.from('x'), { address: '127.0.0.1', family: 'IPv4', port: 9, size: 1 });
  for (let i = 0; i < 999; i++) fail('ENOMEM');
  assert.deepEqual(failures, []);
  fail('ENOMEM');
  fail('EBADF');
  assert.deepEqual(failures, ['ENOMEM', 'EBADF']);
});

test('a send that the system refuses tells who cannot be reached', async (t) => {
  const datapath = await createUdpNodeDatapath({ host: '127.0.0.1', port: 0, family: 4 });
  t.after(() => datapath.close());
  const told = new Promise<[number, string | undefined]>((resolve) => {
    datapath.onUnreachable = (to, error) => resolve([to.port, (error as NodeJS.ErrnoException).code]);
  });
  const batch = datapath.createTransmitBatch();
  // Broadcasts need a permission that the socket has not asked for.
  const destination = datapath.address(4, '255.255.255.255', 9);
  Object.assign(batch, { length: 100, segmentSize: 100, destination });
  datapath.send(batch);
  const [port, code] = await told;
  assert.equal(port, 9);
  assert.match(String(code), /^(EACCES|ENETUNREACH)$/u);
});
