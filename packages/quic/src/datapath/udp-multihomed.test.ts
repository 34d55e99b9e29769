import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { test } from 'node:test';
import type { Address } from '../base/address.ts';
import type { Datapath } from '../driver/datapath.ts';
import { createMultihomedDatapath } from './udp-multihomed.ts';
import { createUdpNodeDatapath } from './udp-node.ts';

// All of 127.0.0.0/8 is this machine's on Linux: addresses enough.
const skip = process.platform === 'linux' ? false : 'needs several addresses on loopback';

const at = (address: string, internal = false) =>
  ({ address, family: 'IPv4', internal, scopeid: 0 }) as unknown as NetworkInterfaceInfo;
const several = { lo: [at('127.0.0.1', true)], eth0: [at('127.0.0.2'), at('127.0.0.3')] };
const anywhere = { host: '0.0.0.0', port: 0, family: 4 } as const;

/** The first datagram that comes: from where. */
const arrival = (datapath: Datapath): Promise<Address> =>
  new Promise((resolve) => {
    datapath.onReceive = ({ source }) => resolve(source[0]!);
  });

function send(from: Datapath, to: Address): void {
  const batch = from.createTransmitBatch();
  Object.assign(batch, { length: 100, segmentSize: 100, destination: to });
  assert.equal(from.send(batch), true);
}

test('answers leave from the address that was asked', { skip }, async () => {
  const server = await createMultihomedDatapath(anywhere, several);
  assert.equal(server.local.host, '0.0.0.0');
  const client = await createUdpNodeDatapath({ ...anywhere, host: '127.0.0.1' });
  for (const asked of ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.2']) {
    const question = arrival(server);
    send(client, client.address(4, asked, server.local.port));
    const answer = arrival(client);
    send(server, await question);
    const { host, port } = await answer;
    assert.deepEqual([host, port], [asked, server.local.port]);
  }
  // As a client, too.
  const unasked = arrival(client);
  send(server, server.address(4, '127.0.0.1', client.local.port));
  assert.equal((await unasked).port, server.local.port);
  await Promise.all([server.close(), client.close()]);
});

test('one address that is taken takes all, and one that is gone none', { skip }, async () => {
  const other = await createUdpNodeDatapath({ ...anywhere, host: '127.0.0.3' });
  const { port } = other.local;
  await assert.rejects(createMultihomedDatapath({ ...anywhere, port }, several), { code: 'EADDRINUSE' });
  // What had been bound before is free again.
  await (await createUdpNodeDatapath({ ...anywhere, host: '127.0.0.2', port })).close();
  await other.close();
  const withGone = { ...several, eth1: [at('192.0.2.1')] };
  const server = await createMultihomedDatapath({ ...anywhere, port }, withGone);
  assert.equal(server.local.port, port);
  await server.close();
});

test('one socket will do for one address, for a given one, and for too many', async () => {
  const many = { eth0: Array.from({ length: 65 }, (_, i) => at(`127.0.1.${i}`)) };
  const cases: [
    typeof anywhere | (Omit<typeof anywhere, 'host'> & { host: string }),
    Record<string, NetworkInterfaceInfo[]>,
  ][] = [
    [anywhere, { lo: several.lo, eth0: [at('127.0.0.2')] }],
    [{ ...anywhere, host: '127.0.0.1' }, several],
    [anywhere, many],
  ];
  for (const [options, interfaces] of cases) {
    const single = await createMultihomedDatapath(options, interfaces);
    assert.match(String(single), /node:dgram/u);
    await single.close();
  }
});
