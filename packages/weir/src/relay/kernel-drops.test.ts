import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { endianness, platform } from 'node:os';
import { test } from 'node:test';
import { addressWords, kernelDrops } from './kernel-drops.ts';

test('addresses as /proc/net/udp writes them', { skip: endianness() !== 'LE' }, () => {
  assert.equal(addressWords('127.0.0.1'), '0100007F');
  assert.equal(addressWords('0.0.0.0'), '00000000');
  assert.equal(addressWords('::'), '0'.repeat(32));
  assert.equal(addressWords('::1'), `${'0'.repeat(24)}01000000`);
  assert.equal(addressWords('::ffff:192.0.2.1'), `${'0'.repeat(16)}FFFF0000010200C0`);
  assert.equal(addressWords('2001:db8::7%eth0'), `B80D0120${'0'.repeat(16)}07000000`);
});

test('datagrams that nobody reads in time are found', { skip: platform() !== 'linux' }, async () => {
  const socket = createSocket('udp4');
  const sender = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  socket.setRecvBufferSize(4096);
  const { address, port } = socket.address();
  assert.equal(kernelDrops([{ address, port }]), 0);
  // Sent within one turn of the event loop: the socket's own process cannot read them.
  const bytes = new Uint8Array(1200);
  await new Promise<void>((resolve) => sender.connect(port, address, resolve));
  for (let i = 0; i < 50; i++) sender.send(bytes);
  assert.ok(kernelDrops([{ address, port }])! > 0);
  assert.equal(kernelDrops([{ address: '192.0.2.1', port }]), null);
  await Promise.all([socket, sender].map((each) => new Promise<void>((resolve) => each.close(() => resolve()))));
});
