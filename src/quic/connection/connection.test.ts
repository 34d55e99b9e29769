import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CLIENT_ADDRESS, EndpointPair, forgeOneRtt, type PairOptions, type Side } from '../../../test/support/endpoint-pair.ts';
import type { Address } from '../base/address.ts';
import { TransportErrorCode } from '../base/errors.ts';
import { NEVER } from '../base/time.ts';
import { FrameType } from '../wire/frame-type.ts';
import { writeNewConnectionId, writePathChallenge, writeRetireConnectionId } from '../wire/frames.ts';
import type { Connection } from './connection.ts';

const MOVED: Address = { ...CLIENT_ADDRESS, port: 50_001 };
const ELSEWHERE: Address = { family: 4, host: '203.0.113.9', port: 9999 };

/** Sends `size` bytes on a new stream. */
function send(pair: EndpointPair, connection: Connection, size: number): number {
  const id = connection.streams.open(false);
  const sender = connection.streams.sender(id)!;
  sender.write(pair.now, new Uint8Array(size).fill(1));
  sender.finish(pair.now);
  return id;
}

/** Reads all there is on a stream and returns how much it was. */
function readAll(pair: EndpointPair, connection: Connection, id: number): number {
  const receiver = connection.streams.receiver(id);
  let total = 0;
  for (let piece = receiver?.read(pair.now); piece !== undefined; piece = receiver?.read(pair.now)) total += piece.length;
  return total;
}

/** Puts `frames` in place of those of a 1-RTT packet of the side's first connection, sent now. */
function sendForged(pair: EndpointPair, side: Side, frames: Uint8Array | readonly number[]): void {
  forgeOneRtt(side, Uint8Array.from(frames));
  assert.ok(side.connections[0]!.sendDatagram(new Uint8Array(1000)));
  pair.run(pair.delay + 1);
  assert.equal(side.forge, undefined, 'the packet was sent');
}

/** A frame as its writer makes it. */
function frame(write: (bytes: Uint8Array) => number): Uint8Array {
  const bytes = new Uint8Array(200);
  return bytes.subarray(0, write(bytes));
}

describe('a peer that breaks the rules hears the code of the rule', () => {
  const id = new Uint8Array(8).fill(9);
  const token = new Uint8Array(16).fill(8);
  const C = TransportErrorCode;
  const cases: [name: string, from: 'client' | 'server', frames: Uint8Array | readonly number[], code: number, type: number][] = [
    ['NEW_TOKEN from a client', 'client', [7, 1, 1], C.PROTOCOL_VIOLATION, 7],
    ['HANDSHAKE_DONE from a client', 'client', [0x1e], C.PROTOCOL_VIOLATION, 0x1e],
    ['an unknown frame', 'client', [0x21], C.FRAME_ENCODING_ERROR, 0x21],
    ['nothing but PADDING is no frame at all, but allowed', 'client', [], -1, 0],
    ['an acknowledgement of what was never sent', 'server', [2, 0x40, 200, 0, 0, 0], C.PROTOCOL_VIOLATION, 2],
    ['CRYPTO data far ahead', 'server', [6, 0x80, 1, 0x86, 0xa0, 1, 1], C.CRYPTO_BUFFER_EXCEEDED, 6],
    ['TLS from a client that has finished', 'client', [6, 0, 5, 24, 0, 0, 1, 0], C.CRYPTO_ERROR + 10, 6],
    ['data on a stream that only the other side sends on', 'client', [8, 3, 1], C.STREAM_STATE_ERROR, 8],
    ['a stream beyond the limit', 'client', [8, 0x48, 0, 1], C.STREAM_LIMIT_ERROR, 8],
    ['a connection ID never issued is retired', 'client', [0x19, 40], C.PROTOCOL_VIOLATION, 0x19],
    ['the connection ID of this very packet is retired', 'client', [0x19, 0], C.PROTOCOL_VIOLATION, 0x19],
    [
      'a sequence number with another connection ID',
      'client',
      frame((b) => writeNewConnectionId(b, 0, 1, 0, id, token)),
      C.PROTOCOL_VIOLATION,
      0x18,
    ],
    [
      'more connection IDs than the limit',
      'client',
      frame((b) => {
        let at = 0;
        for (let i = 0; i < 5; i++) at = writeNewConnectionId(b, at, 4 + i, 0, Uint8Array.of(1, 2, 3, 4, i), token);
        return at;
      }),
      C.CONNECTION_ID_LIMIT_ERROR,
      0x18,
    ],
    ['Retire Prior To above the sequence number', 'client', [0x18, 5, 6, 1, 1, ...token], C.FRAME_ENCODING_ERROR, 0x18],
    ['a RESET_STREAM that shrinks the stream', 'client', [10, 2, 4, 1, 1, 1, 1, 4, 2, 0, 2], C.FINAL_SIZE_ERROR, 4],
  ];
  for (const [name, from, frames, code, frameType] of cases) {
    test(name, () => {
      const pair = new EndpointPair();
      const { client, server } = pair.established();
      const receiver = from === 'client' ? server : client;
      const sender = from === 'client' ? client : server;
      sendForged(pair, pair[from], frames);
      if (code < 0) return assert.equal(receiver.state, 'established');
      assert.equal(receiver.state, 'closing');
      assert.equal(receiver.closeInfo!.code, code, receiver.closeInfo!.reason);
      assert.equal(receiver.closeInfo!.frameType, frameType);
      pair.run(50);
      assert.equal(sender.state, 'draining');
      assert.equal(sender.closeInfo!.source, 'peer');
      assert.equal(sender.closeInfo!.code, code);
      pair.run(10_000);
      assert.equal(receiver.state, 'closed');
      assert.equal(sender.state, 'closed');
      assert.equal(receiver.pollTimeout(), NEVER);
    });
  }

  test('reserved bits', () => {
    const pair = new EndpointPair();
    const { client, server } = pair.established();
    pair.client.forge = (bytes, start) => {
      bytes[start]! |= 0x18;
    };
    client.ping();
    pair.run(15);
    assert.equal(server.closeInfo!.code, C.PROTOCOL_VIOLATION);
  });

  test('a DATAGRAM frame larger than announced', () => {
    const pair = new EndpointPair({ serverTransport: { maxDatagramFrameSize: 500 } });
    const { client, server } = pair.established();
    assert.equal(client.maxDatagramLength, 497);
    forgeOneRtt(pair.client, Uint8Array.of(FrameType.DATAGRAM_LEN, 0x41, 0xf4, ...new Array(500).fill(0)));
    send(pair, client, 2000);
    pair.run(20);
    assert.equal(server.closeInfo!.code, C.PROTOCOL_VIOLATION);
  });
});

describe('an acknowledgement of a packet number that was left out', () => {
  test('ends the connection', () => {
    const pair = new EndpointPair();
    const { client, server } = pair.established();
    const numbers = () => pair.log.flatMap((line) => (/client .* 1-RTT (\d+)/.exec(line) ?? []).slice(1).map(Number));
    let skipped = -1;
    for (let i = 0; i < 100 && skipped < 0; i++) {
      client.ping();
      pair.run(30);
      const sent = numbers();
      if (!sent.includes(Math.max(...sent) - 1)) skipped = Math.max(...sent) - 1;
    }
    assert.ok(skipped > 0, 'one was left out');
    assert.equal(client.state, 'established');
    sendForged(pair, pair.server, [2, skipped, 0, 0, 0]);
    assert.equal(client.closeInfo!.code, TransportErrorCode.PROTOCOL_VIOLATION);
    assert.equal(server.stats().packetsLost, 0);
  });
});

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

describe('connection IDs', () => {
  test('the peer retires what it is told to, and gets new ones', () => {
    const pair = new EndpointPair();
    const { client, server } = pair.established();
    // The client has offered 1 to 3. Number 4 retires them all.
    const id = Uint8Array.of(5, 5, 5, 5, 5, 5, 5, 5);
    sendForged(pair, pair.client, frame((b) => writeNewConnectionId(b, 0, 4, 4, id, new Uint8Array(16))));
    const used: Uint8Array[] = [];
    pair.server.forge = (bytes, start) => {
      used.push(bytes.slice(start + 1, start + 9));
    };
    server.ping();
    pair.run(100);
    assert.ok(used.length > 0 && used.every((bytes) => bytes.every((byte) => byte === 5)));
    assert.equal(server.state, 'established');
    assert.ok(pair.log.some((line) => /server .*RetireConnectionId/.test(line)));
    assert.equal(client.state, 'established');
  });

  test('a retransmitted offer of one that has been retired is not used again', () => {
    const pair = new EndpointPair();
    const { server } = pair.established();
    const offer = frame((b) => writeNewConnectionId(b, 0, 4, 4, new Uint8Array(8).fill(5), new Uint8Array(16)));
    const more = frame((b) => writeNewConnectionId(b, 0, 5, 5, new Uint8Array(8).fill(6), new Uint8Array(16)));
    sendForged(pair, pair.client, offer);
    sendForged(pair, pair.client, more);
    sendForged(pair, pair.client, offer);
    const used: number[] = [];
    pair.server.forge = (bytes, start) => {
      used.push(bytes[start + 1]!);
    };
    server.ping();
    pair.run(10);
    assert.deepEqual(used, [6]);
  });

  test('retired by the peer, an ID is replaced', () => {
    const pair = new EndpointPair();
    const { client, server } = pair.established();
    sendForged(pair, pair.client, frame((b) => writeRetireConnectionId(b, 0, 2)));
    pair.run(50);
    assert.equal(server.state, 'established');
    assert.equal(client.state, 'established');
    assert.match(pair.log.join('\n'), /server \d+: 1-RTT \d+ \[.*NewConnectionId/);
  });
});

describe('migration', () => {
  test('a client behind a NAT that changes its port goes on, once the server has made sure', () => {
    const pair = new EndpointPair();
    const { client, server } = pair.established();
    pair.client.address = MOVED;
    const id = send(pair, client, 100_000);
    pair.run(2000);
    assert.equal(readAll(pair, server, id), 100_000);
    assert.deepEqual(server.remoteAddress, MOVED);
    assert.equal(pair.server.eventsOf('path_validated').length, 1);
    assert.ok(pair.log.some((line) => /server 1200: 1-RTT \d+ \[PathChallenge\]/.test(line)));
    assert.ok(pair.log.some((line) => /client 1200: 1-RTT \d+ \[PathResponse\]/.test(line)));
    assert.equal(server.pollTimeout() > pair.now + 1000, true, 'no timer is left over');
  });

  test('another host is another path: the congestion state starts over', () => {
    const pair = new EndpointPair();
    const { client, server } = pair.established();
    send(pair, server, 200_000);
    pair.run(1000);
    const before = server.stats().congestionWindow;
    assert.ok(before > 20_000);
    pair.client.address = ELSEWHERE;
    client.ping();
    pair.run(15);
    assert.deepEqual(server.remoteAddress, ELSEWHERE);
    assert.ok(server.stats().congestionWindow < before);
    pair.run(1000);
    assert.equal(pair.server.eventsOf('path_validated').length, 1);
    // RFC 9000 §9.5: the two paths are not to be linked by the connection ID.
    assert.ok(pair.log.some((line) => /server .*RetireConnectionId/.test(line)));
  });

  test('a forwarded packet does not take the connection away: the server finds its way back', () => {
    const pair = new EndpointPair();
    const { client, server } = pair.established();
    let toElsewhere = 0;
    pair.filter = (datagram) => {
      if (datagram.destination === ELSEWHERE) toElsewhere += datagram.bytes.length;
      return datagram.destination !== ELSEWHERE;
    };
    client.ping();
    pair.flush();
    const [copied] = pair.inFlight.splice(0);
    const id = send(pair, server, 50_000);
    pair.deliver(pair.server, ELSEWHERE, copied!.bytes);
    assert.deepEqual(server.remoteAddress, ELSEWHERE);
    pair.run(2000);
    assert.ok(toElsewhere <= 3 * copied!.bytes.length, `${toElsewhere} bytes to where nobody asked for them`);
    assert.deepEqual(server.remoteAddress, CLIENT_ADDRESS);
    assert.equal(readAll(pair, client, id), 50_000);
    assert.equal(server.state, 'established');
  });

  test('nobody answers at the new address: back to the old one after a while', () => {
    const pair = new EndpointPair();
    const { client, server } = pair.established();
    pair.filter = ({ from }) => from === pair.client;
    pair.client.address = MOVED;
    client.ping();
    pair.run(15);
    assert.deepEqual(server.remoteAddress, MOVED);
    pair.run(5000);
    assert.deepEqual(server.remoteAddress, CLIENT_ADDRESS);
  });

  test('of many challenges in one packet one is answered, on the path that they came by', () => {
    const pair = new EndpointPair();
    pair.established();
    const challenges = frame((b) => {
      let at = 0;
      for (let i = 0; i < 20; i++) at = writePathChallenge(b, at, new Uint8Array(8).fill(i));
      return at;
    });
    pair.client.address = ELSEWHERE;
    let answered = 0;
    pair.filter = (datagram) => {
      if (datagram.destination === ELSEWHERE) answered += datagram.bytes.length;
      return true;
    };
    sendForged(pair, pair.client, challenges);
    pair.run(20);
    assert.equal(answered, 1200);
    assert.deepEqual(pair.server.connections[0]!.remoteAddress, CLIENT_ADDRESS, 'a probing packet does not move it');
  });

  test('a client ignores its server at another address', () => {
    const pair = new EndpointPair();
    const { client, server } = pair.established();
    server.ping();
    pair.flush();
    const [datagram] = pair.inFlight.splice(0);
    pair.deliver(pair.client, ELSEWHERE, datagram!.bytes);
    assert.deepEqual(pair.client.drops, ['unknown_source']);
    assert.equal(client.stats().packetsReceived, 2);
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
    const pair = new EndpointPair({ clientTransport: { maxIdleTimeout: 5000 }, serverTransport: { maxIdleTimeout: 9000 } });
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

  test('nobody there: the handshake times out', () => {
    const pair = new EndpointPair();
    pair.filter = () => false;
    const client = pair.connect();
    pair.run(10_000);
    assert.equal(client.closeInfo!.source, 'handshake_timeout');
    assert.equal(pair.log.length, 4, 'probes at 1, 3 and 7 seconds');
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

describe('what an endpoint does over time', () => {
  const variants: [string, PairOptions][] = [
    ['plain', {}],
    ['large datagrams', { client: { datagramSize: 1452 }, server: { datagramSize: 1452 } }],
    ['ECN', { ecnCapable: true }],
    ['a peer that takes less than configured', { client: { datagramSize: 4000 }, serverTransport: { maxUdpPayloadSize: 1300 } }],
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
});
