import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EndpointPair, type PairOptions, readAll, send } from '../../test/support/endpoint-pair.ts';
import { NEVER } from '../base/time.ts';

describe('key updates', () => {
  for (const starter of ['client', 'server'] as const) {
    test(`by the ${starter}, again and again, under traffic`, () => {
      const pair = new EndpointPair();
      const { client, server } = pair.established();
      const connection = starter === 'client' ? client : server;
      for (let i = 1; i <= 5; i++) {
        send(pair, client, 30_000);
        send(pair, server, 30_000);
        pair.run(25);
        assert.equal(connection.updateKey(pair.now), true, `update ${i}`);
        assert.equal(connection.updateKey(pair.now), false, 'not before it is confirmed');
        send(pair, connection, 3000);
        pair.run(3000);
        assert.equal(client.stats().keyUpdates, i);
        assert.equal(server.stats().keyUpdates, i);
      }
      assert.equal(client.state, 'established');
      assert.equal(server.state, 'established');
      assert.deepEqual([...pair.client.drops, ...pair.server.drops], []);
      const other = starter === 'client' ? pair.server : pair.client;
      const updates = other.observed.flatMap((event) => (event.type === 'key_updated' ? [event.trigger] : []));
      assert.deepEqual(updates, new Array(5).fill('remote_update'));
    });
  }

  test('not before the handshake is confirmed, and not after the end', () => {
    const pair = new EndpointPair();
    const client = pair.connect();
    pair.run(25);
    assert.equal(client.state, 'established');
    assert.equal(client.updateKey(pair.now), false);
    pair.run(500);
    client.close(pair.now, true, 0, '');
    assert.equal(client.updateKey(pair.now), false);
  });
});

describe('the end', () => {
  test('an application closes: the peer hears code and reason and falls silent', () => {
    const pair = new EndpointPair();
    const { client, server } = pair.established();
    client.close(pair.now, true, 77, 'done');
    pair.run(30);
    assert.equal(server.state, 'draining');
    assert.deepEqual(server.closeInfo, { source: 'peer', application: true, code: 77, frameType: 0, reason: 'done' });
    const lines = pair.log.length;
    pair.run(5000);
    assert.equal(pair.log.length, lines, 'draining is silent');
    assert.deepEqual([client.state, server.state], ['closed', 'closed']);
    assert.deepEqual(pair.client.eventTypes.slice(-2), ['closing', 'closed']);
    assert.deepEqual(pair.server.eventTypes.slice(-2), ['closing', 'closed']);
  });

  test('a lost CONNECTION_CLOSE is said again when the peer goes on, less and less often', () => {
    const pair = new EndpointPair();
    const { client, server } = pair.established();
    pair.filter = ({ from }) => from === pair.server;
    client.close(pair.now, true, 77, 'done');
    pair.run(1);
    const lines = pair.log.length;
    for (let i = 0; i < 20; i++) {
      server.ping();
      pair.run(2);
    }
    const answers = pair.log.slice(lines).filter((line) => line.includes('client')).length;
    assert.ok(answers >= 3 && answers <= 5, `${answers} answers`);
    pair.filter = () => true;
    for (let i = 0; i < 20; i++) {
      server.ping();
      pair.run(1);
    }
    pair.run(30);
    assert.equal(server.state, 'draining');
  });

  test('an application close before the handshake is complete does not show its code', () => {
    const pair = new EndpointPair();
    const client = pair.connect();
    pair.run(12);
    client.close(pair.now, true, 77, 'secret');
    pair.run(30);
    const { closeInfo } = pair.server.connections[0]!;
    assert.deepEqual(closeInfo, { source: 'peer', application: false, code: 0x0c, frameType: 0, reason: '' });
  });

  for (const [when, answered, packets] of [
    ['before the client has sent anything else', false, ['Initial 1', 'Handshake 0', '1-RTT 0']],
    ['before the handshake is confirmed', true, ['Handshake 1', '1-RTT 1']],
  ] as const)
    test(`a long reason leaves room for every packet that the peer may have the keys of: ${when}`, () => {
      const pair = new EndpointPair({ manualVerdict: true });
      const client = pair.connect();
      pair.run(15);
      const [flight] = pair.inFlight.splice(0);
      pair.deliver(pair.client, flight!.source, flight!.bytes);
      client.verdict(pair.now, { ok: true });
      pair.filter = () => false;
      if (answered) pair.run(1);
      pair.filter = () => true;
      client.close(pair.now, false, 1, 'ö'.repeat(1000));
      pair.run(30);
      const line = pair.log.find((text) => text.includes('ConnectionClose'))!;
      const [, size, what] = /client (\d+): (.*)/.exec(line)!;
      assert.equal(what, packets.map((packet) => `${packet} [ConnectionClose]`).join(' + '));
      assert.ok(Number(size) > 1190 && Number(size) <= 1200, line);
      assert.match(pair.server.connections[0]!.closeInfo!.reason, /^ö{150,}$/);
    });

  test('what goes wrong inside is not told to the peer in detail', () => {
    const pair = new EndpointPair();
    const { client, server } = pair.established();
    pair.client.forge = () => {
      pair.client.forge = undefined;
      throw new Error('a path of a file');
    };
    client.ping();
    pair.run(30);
    assert.match(client.closeInfo!.reason, /a path of a file/);
    assert.deepEqual(server.closeInfo, { source: 'peer', application: false, code: 1, frameType: 0, reason: '' });
  });

  test('idle on both sides, silently', () => {
    const pair = new EndpointPair({
      clientTransport: { maxIdleTimeout: 5000 },
      serverTransport: { maxIdleTimeout: 9000 },
    });
    const { client, server } = pair.established();
    const lines = pair.log.length;
    pair.run(4000);
    assert.deepEqual([client.state, server.state], ['established', 'established']);
    pair.run(1000);
    assert.deepEqual([client.state, server.state], ['closed', 'closed']);
    assert.equal(client.closeInfo!.source, 'idle_timeout');
    assert.equal(pair.log.length, lines);
  });

  test('a keep-alive prevents that', () => {
    const pair = new EndpointPair({ clientTransport: { maxIdleTimeout: 5000 }, client: { keepAlive: 2000 } });
    const { client, server } = pair.established();
    pair.run(60_000);
    assert.deepEqual([client.state, server.state], ['established', 'established']);
    pair.filter = () => false;
    pair.run(20_000);
    assert.deepEqual([client.state, server.state], ['closed', 'closed']);
  });

  test('even one that is slower than the idle timeout that the peer has', () => {
    const pair = new EndpointPair({ serverTransport: { maxIdleTimeout: 10_000 }, client: { keepAlive: 15_000 } });
    const { client, server } = pair.established();
    pair.run(60_000);
    assert.deepEqual([client.state, server.state], ['established', 'established']);
  });

  test('nobody there: the handshake times out', () => {
    const pair = new EndpointPair();
    pair.filter = () => false;
    const client = pair.connect();
    pair.run(10_000);
    assert.equal(client.closeInfo!.source, 'handshake_timeout');
    assert.equal(pair.log.length, 11, 'two probes each at 1, 3, 5, 7 and 9 seconds');
    assert.ok(pair.log.every((line) => line.endsWith('[Crypto]')));
  });

  test('an idle timeout that is shorter than the handshake may take says the same', () => {
    const pair = new EndpointPair({ clientTransport: { maxIdleTimeout: 5000 } });
    pair.filter = () => false;
    const client = pair.connect();
    pair.run(9000);
    assert.equal(client.closeInfo!.source, 'handshake_timeout');
  });
});

describe('datagrams', () => {
  test('of every size up to the limit arrive whole, next to a busy stream', () => {
    const pair = new EndpointPair();
    const { client, server } = pair.established();
    const largest = client.maxDatagramLength;
    send(pair, server, 200_000);
    const id = send(pair, client, 200_000);
    const sizes = [0, 1, 63, 64, largest - 1, largest];
    for (const size of sizes) assert.ok(client.sendDatagram(new Uint8Array(size).fill(size & 0xff)));
    assert.equal(client.sendDatagram(new Uint8Array(largest + 1)), false);
    pair.run(2000);
    const received = pair.server.eventsOf('datagram').map(({ bytes }) => bytes);
    assert.deepEqual(
      received.map((bytes) => bytes.length),
      sizes,
    );
    assert.ok(received.every((bytes) => bytes.every((byte) => byte === (bytes.length & 0xff))));
    assert.equal(readAll(pair, server, id), 200_000);
    // One that fills its packet, header and tag included.
    assert.equal(largest, 1200 - 1 - 8 - 4 - 16 - 3);
  });

  test('are not for a peer that takes none', () => {
    const pair = new EndpointPair({ serverTransport: { maxDatagramFrameSize: 0 } });
    const { client } = pair.established();
    assert.equal(client.maxDatagramLength, 0);
    assert.equal(client.sendDatagram(new Uint8Array(1)), false);
  });
});

describe('receive windows', () => {
  test('grow with the measured round trip, so that a fast reader is not held to the first window', () => {
    const window = 32_768;
    const pair = new EndpointPair({
      delay: 50,
      serverTransport: { initialMaxData: window, initialMaxStreamDataUni: window },
    });
    const { client, server } = pair.established();
    const startedAt = pair.now;
    const id = send(pair, client, 1_000_000);
    let read = 0;
    while (read < 1_000_000 && pair.now < startedAt + 10_000) {
      pair.run(5);
      read += readAll(pair, server, id);
    }
    const roundTrips = (pair.now - startedAt) / 100;
    // 31 windows of the first size would take as many.
    assert.ok(roundTrips < 12, `${roundTrips} round trips`);
  });
});

describe('timers', () => {
  test('an idle connection sleeps', () => {
    const pair = new EndpointPair({ clientTransport: { maxIdleTimeout: 0 }, serverTransport: { maxIdleTimeout: 0 } });
    const { client, server } = pair.established();
    pair.wakeups = 0;
    assert.equal(client.pollTimeout(), NEVER);
    assert.equal(server.pollTimeout(), NEVER);
    pair.run(1e6);
    assert.equal(pair.wakeups, 0);
  });

  test('a peer that has gone is probed more slowly, down to once in two seconds', () => {
    const pair = new EndpointPair();
    const { client } = pair.established();
    send(pair, client, 100_000);
    pair.filter = () => false;
    pair.wakeups = 0;
    const lines = pair.log.length;
    pair.run(29_000);
    assert.ok(pair.wakeups < 35, `${pair.wakeups} timeouts handled`);
    const datagrams = pair.log.length - lines;
    assert.ok(datagrams >= 2 * 12 && datagrams < 60, `${datagrams} datagrams`);
    assert.equal(client.state, 'established');
  });
});

describe('what an endpoint does over time', () => {
  const variants: [string, PairOptions][] = [
    ['plain', {}],
    ['large datagrams', { client: { datagramSize: 1452 }, server: { datagramSize: 1452 } }],
    ['ECN', { ecnCapable: true }],
    [
      'a peer that takes less than configured',
      { client: { datagramSize: 4000 }, serverTransport: { maxUdpPayloadSize: 1300 } },
    ],
  ];
  for (const [name, options] of variants) {
    test(`loses every tenth datagram and still delivers everything: ${name}`, () => {
      const pair = new EndpointPair(options);
      const { client, server } = pair.established();
      let count = 0;
      pair.filter = ({ from, bytes }) => {
        const limit = from === pair.client ? client.datagramSize : server.datagramSize;
        assert.ok(bytes.length <= limit);
        return ++count % 10 !== 0;
      };
      const up = send(pair, client, 150_000);
      const down = send(pair, server, 150_000);
      pair.run(20_000);
      assert.equal(readAll(pair, server, up), 150_000);
      assert.equal(readAll(pair, client, down), 150_000);
      pair.run(2000);
      assert.equal(client.stats().bytesInFlight + server.stats().bytesInFlight, 0);
    });
  }

  test('ECN: marks are sent, reported back and believed', () => {
    const pair = new EndpointPair({ ecnCapable: true });
    const { client } = pair.established();
    const marks: number[] = [];
    pair.filter = ({ from, ecn }) => {
      if (from === pair.client) marks.push(ecn);
      return true;
    };
    for (let i = 0; i < 5; i++) {
      send(pair, client, 3000);
      pair.run(300);
    }
    assert.ok(marks.length > 10);
    assert.ok(marks.every((mark) => mark === 2));
    assert.equal(client.stats().ecnCeEvents, 0);
  });

  test('a pure receiver has its ACKs acknowledged now and then, and its key update confirmed by that', () => {
    const pair = new EndpointPair();
    const { client, server } = pair.established();
    assert.equal(server.updateKey(pair.now), true);
    const logged = pair.log.length;
    const sender = client.streams.sender(client.streams.open(false))!;
    for (let i = 0; i < 100; i++) {
      sender.write(pair.now, new Uint8Array(100));
      pair.run(60);
    }
    const acks = pair.log.slice(logged).filter((line) => / server .*\[Ack( Ping)?\]/.test(line));
    assert.ok(acks.length > 64);
    const withPing = acks.flatMap((line, i) => (line.includes('Ping') ? [i] : []));
    assert.ok(withPing.length >= 2);
    for (let i = 1; i < withPing.length; i++) assert.ok(withPing[i]! - withPing[i - 1]! === 32);
    assert.equal(server.updateKey(pair.now), true, 'the first update is confirmed');
  });
});
