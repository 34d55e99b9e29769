import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CLIENT_ADDRESS, EndpointPair, type Side } from '../../test/support/endpoint-pair.ts';
import type { Address } from '../base/address.ts';
import { randomBytes, SeededRandom } from '../base/random.ts';
import { QUIC_V2 } from '../wire/versions.ts';

/** What an endpoint does for strangers, and how often. */

const AWAY: Address = { family: 4, host: '203.0.113.9', port: 9999 };

/** A short packet of no connection. */
function stray(size: number, seed = 1): Uint8Array {
  const bytes = randomBytes(new SeededRandom(seed), size);
  bytes[0] = 0x41;
  return bytes;
}

/** Counts what the sides send from here on. */
function tally(pair: EndpointPair): Map<Side, number> {
  const counts = new Map<Side, number>([
    [pair.client, 0],
    [pair.server, 0],
  ]);
  const { filter } = pair;
  pair.filter = (datagram) => {
    counts.set(datagram.from, counts.get(datagram.from)! + 1);
    return filter(datagram);
  };
  return counts;
}

/** The client's first datagram, and nothing of it on its way. */
function firstDatagram(pair: EndpointPair, options: Parameters<EndpointPair['connect']>[0] = {}): Uint8Array {
  pair.connect(options);
  pair.flush();
  return pair.inFlight.splice(0)[0]!.bytes;
}

describe('stateless resets', () => {
  for (const size of [22, 42, 43, 100, 1200])
    test(`a forged packet of ${size} bytes between two idle endpoints makes one reset at most`, () => {
      const pair = new EndpointPair();
      const counts = tally(pair);
      pair.deliver(pair.server, CLIENT_ADDRESS, stray(size));
      pair.run(10_000);
      assert.deepEqual([...counts.values()], [0, size > 42 ? 1 : 0]);
    });

  test('on a link that makes three of each datagram they are no more', () => {
    const pair = new EndpointPair();
    const counts = tally(pair);
    const { filter } = pair;
    pair.filter = (datagram) => {
      for (const at of [1, 2]) pair.inFlight.push({ ...datagram, at: datagram.at + at, bytes: datagram.bytes.slice() });
      return filter(datagram);
    };
    for (let i = 0; i < 3; i++) pair.deliver(pair.server, CLIENT_ADDRESS, stray(100));
    pair.run(10_000);
    assert.deepEqual([...counts.values()], [0, 3]);
  });

  test('a hundred a second after a burst of two hundred', () => {
    const pair = new EndpointPair();
    const counts = tally(pair);
    for (let i = 0; i < 5000; i++) {
      pair.deliver(pair.server, AWAY, stray(100, i));
      pair.run(1);
    }
    const { statelessResetCount, statelessResetRateLimited } = pair.server.counters;
    assert.equal(counts.get(pair.server), statelessResetCount);
    assert.ok(statelessResetCount >= 695 && statelessResetCount <= 700, `${statelessResetCount}`);
    assert.equal(statelessResetCount + statelessResetRateLimited, 5000);
  });
});

test('Version Negotiation, Retry and refusal have rates of their own, and what is not answered is counted', () => {
  const rates = { versionNegotiationBurst: 3, retryBurst: 4, immediateCloseBurst: 5 };
  const none = { versionNegotiationRate: 0, retryRate: 0, immediateCloseRate: 0 };
  const pair = new EndpointPair({ server: { retry: 'always' }, serverLimits: { ...rates, ...none } });
  const first = firstDatagram(pair);
  const other = firstDatagram(pair, { versions: [QUIC_V2] });
  const counts = tally(pair);
  const flood = (bytes: Uint8Array) => {
    for (let i = 0; i < 20; i++) {
      pair.deliver(pair.server, AWAY, bytes.slice());
      pair.flush();
    }
  };
  flood(other);
  flood(first);
  pair.server.limits.busy = true;
  flood(first);
  assert.equal(counts.get(pair.server), 3 + 4 + 5);
  const { counters } = pair.server;
  assert.deepEqual([counters.versionNegotiationCount, counters.versionNegotiationRateLimited], [3, 17]);
  assert.deepEqual([counters.retryCount, counters.retryRateLimited], [4, 16]);
  assert.deepEqual([counters.immediateCloseCount, counters.immediateCloseRateLimited], [5, 15]);
  assert.equal(counters.serverBusyCount, 20);
  assert.equal(pair.server.connections.length, 0);
});

test('strangers of one host get so many connections; the next is refused, and another host is not', () => {
  const pair = new EndpointPair({ serverLimits: { maxConnectionsPerHost: 3 } });
  const clients = [0, 1, 2, 3].map(() => {
    const client = pair.connect();
    pair.run(100);
    return client;
  });
  assert.deepEqual(
    clients.map(({ state }) => state),
    ['established', 'established', 'established', 'draining'],
  );
  assert.equal(clients[3]!.closeInfo!.code, 0x02);
  assert.equal(pair.server.counters.serverBusyCount, 1);
  const elsewhere = firstDatagram(pair);
  pair.deliver(pair.server, AWAY, elsewhere);
  assert.equal(pair.server.connections.length, 4);
  clients[0]!.close(pair.now, true, 0, '');
  pair.run(100);
  const next = pair.connect();
  pair.run(100);
  assert.equal(next.state, 'established');
});

test('a stranger who starts handshakes and vanishes gets a few connections, then Retry packets', () => {
  const pair = new EndpointPair({ server: { retry: 'when-busy' } });
  for (let i = 0; i < 700; i++) {
    pair.deliver(pair.server, { ...CLIENT_ADDRESS, port: 1000 + i }, firstDatagram(pair));
    pair.flush();
    pair.inFlight.length = 0;
  }
  assert.equal(pair.server.connections.length, 64);
  assert.equal(pair.server.counters.retryCount, 200, 'the burst');
  assert.equal(pair.server.counters.retryRateLimited, 700 - 64 - 200);
  pair.run(20_000);
  const honest = pair.connect();
  pair.run(500);
  assert.equal(honest.state, 'established');
});

test('a host that starts connections faster than it may is not heard, and hears nothing', () => {
  const pair = new EndpointPair({ serverLimits: { sessionCreationRate: 1, sessionCreationBurst: 2 } });
  for (let i = 0; i < 5; i++) pair.deliver(pair.server, AWAY, firstDatagram(pair));
  pair.flush();
  assert.equal(pair.server.connections.length, 2);
  const before = pair.sentBytes.get(pair.server);
  pair.deliver(pair.server, AWAY, firstDatagram(pair));
  pair.flush();
  assert.equal(pair.server.counters.sessionCreationRateLimited, 4);
  assert.equal(pair.sentBytes.get(pair.server), before);
});

test('what comes is counted, whether or not it is good for anything', () => {
  const pair = new EndpointPair();
  pair.established();
  const { client, server } = pair;
  pair.deliver(server, AWAY, new Uint8Array(3));
  assert.equal(server.counters.bytesReceived, pair.sentBytes.get(client)! + 3);
  assert.equal(server.counters.packetsReceived, pair.log.filter((line) => line.includes('client')).length + 1);
});
