import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EndpointPair, type PairOptions, readAll, send } from '../../test/support/endpoint-pair.ts';
import type { Address } from '../base/address.ts';
import type { Connection } from './connection.ts';

const MIB = 1 << 20;

/** A pair that discovers, on a path that carries `carried` bytes of UDP payload. */
function discovering(carried: number, options: PairOptions = {}): EndpointPair {
  const datagramSize = { datagramSize: undefined };
  const pair = new EndpointPair({
    ...options,
    client: { ...datagramSize, ...options.client },
    server: { ...datagramSize, ...options.server },
  });
  carry(pair, carried);
  return pair;
}

function carry(pair: EndpointPair, carried: number): void {
  pair.filter = ({ bytes }) => bytes.length <= carried;
}

/** Sends `size` bytes from the client and reads them all on the server. */
function transfer(pair: EndpointPair, client: Connection, server: Connection, size: number): void {
  const id = send(pair, client, size);
  let received = 0;
  for (let waited = 0; received < size && waited < 60_000; waited += 20) {
    pair.run(20);
    received += readAll(pair, server, id);
  }
  assert.equal(received, size);
}

function sizeOf(connection: Connection): number {
  return connection.stats().maxDatagramSize;
}

/** The sizes that a side announced, in order. */
function changes(pair: EndpointPair, side: 'client' | 'server' = 'client'): number[] {
  return pair[side].observed.flatMap((event) => (event.type === 'mtu_updated' ? [event.new] : []));
}

test('a path of Ethernet is found out with one probe a side, and full datagrams are of that size', () => {
  const pair = discovering(1472);
  const { client, server } = pair.established();
  assert.deepEqual([sizeOf(client), sizeOf(server)], [1472, 1472]);
  const [updated] = pair.client.observed.filter((event) => event.type === 'mtu_updated');
  assert.deepEqual(updated, { type: 'mtu_updated', old: 1200, new: 1472, done: true });
  const from = pair.log.length;
  transfer(pair, client, server, 100_000);
  const sizes = pair.log.slice(from).map((line) => Number(/client (\d+)/u.exec(line)?.[1] ?? 0));
  assert.equal(Math.max(...sizes), 1472);
  assert.equal(client.stats().packetsLost, 0);
});

test('nothing larger than 1,200 bytes is sent before the handshake is confirmed, and HANDSHAKE_DONE goes first', () => {
  const pair = discovering(65_527, { interfaceMtu: 65_536 });
  const early: number[] = [];
  pair.filter = ({ from, bytes }) => {
    if (from.connections[0]!.stats().handshakeConfirmedAt < 0) early.push(bytes.length);
    return true;
  };
  pair.established();
  assert.ok(early.length > 0);
  assert.equal(Math.max(...early), 1200);
  const done = pair.log.findIndex((line) => line.includes('HandshakeDone'));
  const probe = pair.log.findIndex((line) => line.includes('server 1472'));
  assert.ok(done > 0 && probe > done);
});

test('the ends find out what a path of 1,300 bytes carries, to within 16 bytes', () => {
  const pair = discovering(1300);
  const { client, server } = pair.established();
  transfer(pair, client, server, 2 * MIB);
  pair.run(3000);
  const found = sizeOf(client);
  assert.ok(found > 1284 && found <= 1300, `${found}`);
  // Losses of probes are not signs of congestion.
  assert.equal(client.stats().congestionEvents, 0);
  assert.ok(client.stats().packetsLost >= 3);
});

test('an interface with a larger MTU gets larger probes as the window allows', () => {
  const pair = discovering(8972, { interfaceMtu: 9000 });
  const { client, server } = pair.established();
  assert.equal(sizeOf(client), 1472, 'a window of 12,000 bytes has no room for two of 8,972');
  transfer(pair, client, server, MIB);
  assert.deepEqual(changes(pair), [1472, 8972]);
});

test('on loopback a datagram fills an IP packet', () => {
  const pair = discovering(65_507, { interfaceMtu: 65_536, delay: 0.05 });
  const { client, server } = pair.established();
  transfer(pair, client, server, 4 * MIB);
  assert.equal(sizeOf(client), 65_507);
  assert.equal(client.stats().packetsLost, 0);
});

test("no probe is larger than the interface's MTU or what the peer takes", () => {
  const sent: number[] = [];
  const pair = discovering(65_527, { interfaceMtu: 9000, serverTransport: { maxUdpPayloadSize: 1350 } });
  pair.filter = ({ from, bytes }) => {
    if (from === pair.client) sent.push(bytes.length);
    return true;
  };
  const { client, server } = pair.established();
  transfer(pair, client, server, MIB);
  assert.equal(Math.max(...sent), 1350);
  assert.equal(sizeOf(client), 1350);
  transfer(pair, server, client, MIB);
  assert.equal(sizeOf(server), 8972);
});

test('a size that is given stays, within what the peer takes', () => {
  const fixed = { datagramSize: 1300 };
  const pair = discovering(65_527, { client: fixed, serverTransport: { maxUdpPayloadSize: 1250 } });
  const { client, server } = pair.established();
  transfer(pair, client, server, MIB);
  assert.equal(sizeOf(client), 1250);
  assert.deepEqual(changes(pair), [1250]);
});

test('a path that comes to carry less is noticed, and its new size found', () => {
  const pair = discovering(8972, { interfaceMtu: 9000 });
  const { client, server } = pair.established();
  transfer(pair, client, server, MIB);
  assert.equal(sizeOf(client), 8972);
  carry(pair, 1472);
  const from = pair.now;
  transfer(pair, client, server, 4 * MIB);
  assert.deepEqual(changes(pair), [1472, 8972, 1200, 1472]);
  assert.ok(pair.now - from < 1000, `it took ${pair.now - from} ms`);
});

test('what was too large before is not tried again at once', () => {
  const pair = discovering(1472, { interfaceMtu: 9000 });
  const { client, server } = pair.established();
  transfer(pair, client, server, 2 * MIB);
  assert.equal(sizeOf(client), 1472);
  carry(pair, 1350);
  const from = pair.log.length;
  transfer(pair, client, server, 2 * MIB);
  pair.run(3000);
  assert.ok(sizeOf(client) > 1334 && sizeOf(client) <= 1350, `${sizeOf(client)}`);
  const sizes = pair.log.slice(from).map((line) => Number(/client (\d+)/u.exec(line)?.[1] ?? 0));
  assert.equal(Math.max(...sizes), 1472);
});

test('a probe has no ECN mark, or its loss would speak against marks', () => {
  const pair = discovering(1300, { ecnCapable: true });
  const marks = new Set<number>();
  pair.filter = ({ bytes, ecn }) => {
    if (bytes.length > 1300) marks.add(ecn);
    return bytes.length <= 1300;
  };
  pair.established();
  assert.deepEqual([...marks], [0]);
});

test('news of a probe on another path is of no interest', () => {
  const pair = discovering(1472);
  const { client, server } = (() => {
    const connection = pair.connect();
    let isProbed = false;
    pair.filter = ({ from, bytes }) => {
      if (from === pair.server && bytes.length === 1472) isProbed = true;
      return true;
    };
    for (let i = 0; !isProbed && i < 1000; i++) pair.run(1);
    return { client: connection, server: pair.server.connections[0]! };
  })();
  // The client moves while the probe is under way, to a path that carries less.
  pair.client.address = { family: 4, host: '198.51.100.9', port: 6000 };
  client.ping();
  pair.run(9);
  carry(pair, 1300);
  pair.run(3000);
  assert.equal(server.remoteAddress, pair.client.address);
  assert.ok(sizeOf(server) > 1284 && sizeOf(server) <= 1300, `${sizeOf(server)}`);
  assert.ok(!changes(pair, 'server').includes(1472));
});

test('an outage costs no more than one probe: what the path carried is tried first', () => {
  const pair = discovering(8972, { interfaceMtu: 9000 });
  const { client, server } = pair.established();
  transfer(pair, client, server, MIB);
  const id = send(pair, client, 2 * MIB);
  pair.run(15);
  pair.filter = () => false;
  pair.run(300);
  carry(pair, 8972);
  let received = 0;
  for (let i = 0; i < 200; i++) {
    pair.run(20);
    received += readAll(pair, server, id);
  }
  assert.equal(received, 2 * MIB);
  assert.equal(sizeOf(client), 8972);
  // Whether three large packets were lost in a row or not, nothing in between is tried.
  for (const size of changes(pair).slice(2)) assert.ok([1200, 1472, 8972].includes(size), `${size}`);
});

test('losses at random are no black hole', () => {
  const pair = discovering(1472);
  let n = 0;
  pair.filter = ({ bytes }) => bytes.length <= 1472 && ++n % 7 !== 0;
  const { client, server } = pair.established();
  transfer(pair, client, server, 2 * MIB);
  assert.ok(client.stats().packetsLost > 50);
  assert.equal(changes(pair).filter((size) => size === 1200).length, 0);
});

test('ten minutes later more is tried again, if there is traffic', () => {
  const pair = discovering(1300);
  const options = { client: { keepAlive: 10_000 } };
  const quiet = discovering(1300, options);
  for (const each of [pair, quiet]) {
    const { client, server } = each.established();
    transfer(each, client, server, 2 * MIB);
    each.run(3000);
    assert.ok(sizeOf(client) > 1284 && sizeOf(client) <= 1300);
  }
  const [client, server] = [quiet.client.connections[0]!, quiet.server.connections[0]!];
  carry(quiet, 1472);
  quiet.run(500_000);
  assert.ok(sizeOf(client) <= 1300);
  quiet.run(110_000);
  transfer(quiet, client, server, 10_000);
  assert.equal(sizeOf(client), 1472);
  // The other one went to sleep for good: discovery keeps no connection alive.
  pair.run(600_000);
  assert.equal(pair.client.connections[0]!.state, 'closed');
});

test('a client that moves starts over on its new path', () => {
  const pair = discovering(1472);
  const { client, server } = pair.established();
  const elsewhere: Address = { family: 4, host: '198.51.100.9', port: 6000 };
  pair.client.address = elsewhere;
  carry(pair, 1350);
  client.ping();
  pair.run(15);
  assert.equal(server.remoteAddress, elsewhere);
  assert.equal(sizeOf(server), 1200);
  transfer(pair, server, client, MIB);
  pair.run(3000);
  const found = sizeOf(server);
  assert.ok(found > 1334 && found <= 1350, `${found}`);
  assert.equal(server.stats().congestionEvents, 0);
});

test('probes are never larger than an address that is not validated may be sent', () => {
  const pair = discovering(1472);
  const { client, server } = pair.established();
  const nat: Address = { family: 4, host: '192.0.2.2', port: 6001 };
  pair.client.address = nat;
  // The answers to challenges are lost.
  let answers = 0;
  pair.filter = ({ from, bytes }) => !(from === pair.client && bytes.length >= 1200 && ++answers < 3);
  client.ping();
  const before = pair.log.length;
  pair.run(12);
  assert.equal(server.remoteAddress, nat);
  const large = pair.log
    .slice(before)
    .filter((line) => /server (\d+)/u.test(line) && Number(line.split(' ')[2]?.replace(':', '')) > 1200);
  assert.deepEqual(large, []);
});
