import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CLIENT_ADDRESS,
  EndpointPair,
  IDENTITY,
  type InFlight,
  SERVER_ADDRESS,
} from '../../test/support/endpoint-pair.ts';
import { retryIntegrityTag } from '../crypto/retry.ts';
import { Header, readHeader, writeRetry } from '../wire/header.ts';
import { QUIC_V1, QUIC_V2 } from '../wire/versions.ts';

/** A chain too long for three times the client's first datagram. */
const LONG_CHAIN = { ...IDENTITY, certificates: new Array(16).fill(IDENTITY.certificates[0]!) };

const FOREIGN = { family: 4, host: '203.0.113.9', port: 9999 } as const;

function isLong(datagram: InFlight): boolean {
  return (datagram.bytes[0]! & 0x80) !== 0;
}

/** The datagram with one bit changed. */
function flipped(datagram: InFlight, bit: number): Uint8Array {
  const bytes = datagram.bytes.slice();
  bytes[bit >> 3]! ^= 1 << (bit & 7);
  return bytes;
}

test('the packets of a handshake', () => {
  const pair = new EndpointPair();
  const { client, server } = pair.established();
  assert.deepEqual(pair.log, [
    '0 client 1200: Initial 0 [Crypto]',
    '10 server 1200: Initial 0 [Ack Crypto] + Handshake 0 [Crypto]',
    '20 client 1200: Initial 1 [Ack] + Handshake 0 [Ack Crypto] + 1-RTT 0 [NewConnectionId]',
    '30 server 162: 1-RTT 0 [Ack HandshakeDone NewToken NewConnectionId]',
    '65 client 35: 1-RTT 1 [Ack]',
  ]);
  assert.deepEqual(pair.client.eventTypes, [
    'streams_available',
    'streams_available',
    'verify',
    'handshake_complete',
    'handshake_confirmed',
    'new_token',
  ]);
  assert.equal(client.state, 'established');
  assert.equal(server.state, 'established');
  assert.equal(client.stats().bytesInFlight + server.stats().bytesInFlight, 0);
});

test('a Retry: the token comes back, and the handshake knows of it', () => {
  const pair = new EndpointPair({ server: { retry: 'always' } });
  const { client, server } = pair.established();
  assert.deepEqual(pair.log.slice(0, 4), [
    '0 client 1200: Initial 0 [Crypto]',
    '10 server 97: stateless',
    '20 client 1200: Initial 1 [Crypto]',
    '30 server 1200: Initial 0 [Ack Crypto] + Handshake 0 [Crypto]',
  ]);
  assert.equal(client.state, 'established');
  assert.equal(server.state, 'established');
});

test('a Retry whose integrity tag is wrong, that comes twice, or that comes late is ignored', () => {
  const pair = new EndpointPair({ server: { retry: 'always' } });
  const retries: Uint8Array[] = [];
  pair.filter = (datagram) => {
    if (datagram.from === pair.server && retries.length === 0) {
      retries.push(datagram.bytes);
      pair.deliver(pair.client, SERVER_ADDRESS, flipped(datagram, 8 * 40));
      pair.deliver(pair.client, SERVER_ADDRESS, datagram.bytes.slice());
    }
    return true;
  };
  const { client } = pair.established();
  assert.equal(client.state, 'established');
  pair.deliver(pair.client, SERVER_ADDRESS, retries[0]!.slice());
  pair.run(100);
  assert.equal(client.state, 'established');
  assert.equal(pair.server.connections.length, 1);
});

test('a Retry of another version, to the ID that the client chose, or after another Retry is ignored', () => {
  const pair = new EndpointPair();
  const client = pair.connect();
  pair.flush();
  const first = pair.inFlight.splice(0)[0]!.bytes;
  const clientChose = first.slice(6, 14);
  const clientId = first.slice(15, 23);
  /** The Initial packets that the client sends when it gets a Retry with a right tag. */
  const answers = (version: number, retryId: Uint8Array) => {
    const retry = new Uint8Array(100);
    const end = writeRetry(retry, 0, version, clientId, retryId, Uint8Array.of(1, 2, 3));
    retry.set(retryIntegrityTag(QUIC_V1, clientChose, retry.subarray(0, end)), end);
    pair.deliver(pair.client, SERVER_ADDRESS, retry.subarray(0, end + 16));
    pair.flush();
    return pair.inFlight.splice(0).map(({ bytes }) => bytes.slice(6, 14));
  };
  const id = new Uint8Array(8).fill(7);
  assert.deepEqual(answers(QUIC_V2, id), []);
  assert.deepEqual(answers(QUIC_V1, clientChose), []);
  assert.deepEqual(answers(QUIC_V1, id), [id]);
  assert.equal(client.stats().bytesInFlight, 1200, 'what went before the Retry is forgotten (RFC 9002 §6.3)');
  assert.deepEqual(answers(QUIC_V1, new Uint8Array(8).fill(8)), []);
  assert.equal(client.state, 'handshaking');
});

test('a server that is full says so at once, with little, and remembers nothing', () => {
  for (const version of [QUIC_V1, QUIC_V2]) {
    const versions = [version];
    const pair = new EndpointPair({
      client: { versions },
      server: { versions },
      serverLimits: { maxConnectionsTotal: 1 },
    });
    pair.established();
    const client = pair.connect();
    const before = pair.sentBytes.get(pair.server)!;
    pair.run(100);
    assert.equal(client.state, 'draining');
    const { source, code, application } = client.closeInfo!;
    assert.deepEqual({ source, code, application }, { source: 'peer', code: 0x02, application: false });
    assert.ok(pair.sentBytes.get(pair.server)! - before < 120);
    assert.equal(pair.server.connections.length, 1);
  }
});

test('noise that looks like a first packet is not even refused', () => {
  const pair = new EndpointPair({ serverLimits: { busy: true } });
  const client = pair.connect();
  pair.flush();
  const [first] = pair.inFlight.splice(0);
  pair.deliver(pair.server, first!.source, flipped(first!, 8 * 600));
  pair.flush();
  assert.equal(pair.inFlight.length, 0);
  pair.deliver(pair.server, first!.source, first!.bytes.slice());
  pair.run(100);
  assert.equal(client.closeInfo!.code, 0x02);
});

test('a client whose Retry token has expired hears so', () => {
  const pair = new EndpointPair({ server: { retry: 'always' }, clientTransport: { maxIdleTimeout: 300_000 } });
  const late: InFlight[] = [];
  let stateless = 0;
  pair.filter = (datagram) => {
    if (datagram.from === pair.server) stateless++;
    // The client's second Initial, the one with the token, is held up.
    if (datagram.from !== pair.client || stateless === 0) return true;
    late.push(datagram);
    return false;
  };
  const client = pair.connect({ handshakeTimeout: 300_000 });
  pair.run(61_000);
  pair.filter = () => true;
  assert.notEqual(client.state, 'closed');
  pair.deliver(pair.server, late[0]!.source, late[0]!.bytes.slice());
  pair.run(100);
  assert.equal(client.closeInfo!.code, 0x0b);
});

for (const what of ['whose port changes', 'whose server restarts'])
  test(`a client ${what} after its Retry hears at once that the token is no good (RFC 9000 §8.1.2)`, () => {
    const pair = new EndpointPair({ server: { retry: 'always' }, seed: 3 });
    const client = pair.connect();
    pair.run(15);
    if (what === 'whose port changes') pair.client.address = { ...CLIENT_ADDRESS, port: 50_001 };
    // Its secrets too are others: it is another server, on the same address.
    else pair.server = new EndpointPair({ server: { retry: 'always' }, seed: 4 }).server;
    pair.run(30);
    assert.equal(client.closeInfo?.code, 0x0b, pair.log.join('\n'));
    assert.equal(pair.server.connections.length, 0);
  });

test('a token from NEW_TOKEN spares the Retry', () => {
  const pair = new EndpointPair({ server: { retry: 'always' } });
  pair.established();
  const { token } = pair.client.eventsOf('new_token')[0]!;
  pair.log.length = 0;
  const again = pair.connect({ token });
  pair.run(500);
  assert.equal(again.state, 'established');
  assert.ok(!pair.log.some((line) => line.includes('stateless')));
});

test('a client that repeats its ClientHello gets the answer again, ahead of the probe timer, six times and no more', () => {
  const patient = { handshakeTimeout: 300_000 };
  const transport = { maxIdleTimeout: 0 };
  for (const lost of [1, 99]) {
    const pair = new EndpointPair({
      client: patient,
      server: { ...patient, initialRtt: 150_000 },
      clientTransport: transport,
      serverTransport: transport,
    });
    let answers = 0;
    pair.filter = ({ from, bytes }) => from === pair.client || bytes.length < 500 || ++answers > lost;
    const client = pair.connect();
    pair.run(lost === 1 ? 1100 : 13_012);
    assert.equal(client.state, lost === 1 ? 'established' : 'handshaking');
    if (lost > 1) assert.equal(answers, 1 + 6);
  }
});

test('a handshake gets through whichever of its first six datagrams are lost', () => {
  for (let mask = 0; mask < 64; mask++) {
    const patient = { handshakeTimeout: 120_000 };
    const transport = { maxIdleTimeout: 0 };
    const pair = new EndpointPair({
      seed: mask,
      client: patient,
      server: patient,
      clientTransport: transport,
      serverTransport: transport,
    });
    let count = 0;
    pair.filter = () => ((mask >> count++) & 1) === 0 || count > 6;
    const client = pair.connect();
    pair.run(110_000);
    const server = pair.server.connections[0]!;
    assert.equal(client.stats().handshakeConfirmedAt > 0, true, `mask ${mask}\n${pair.log.join('\n')}`);
    assert.equal(server.stats().handshakeConfirmedAt > 0, true, `mask ${mask}`);
    assert.equal(
      client.stats().bytesInFlight + server.stats().bytesInFlight,
      0,
      `mask ${mask}\n${pair.log.join('\n')}`,
    );
  }
});

test('a server never sends more than three times what it received, and the client frees it from waiting', () => {
  for (const lost of [[], [1], [1, 2, 3], [2, 3, 4], [3, 4, 5, 6]]) {
    const pair = new EndpointPair({ serverTls: { identity: LONG_CHAIN } });
    let count = 0;
    let received = 0;
    let validated = false;
    pair.filter = (datagram) => {
      const kept = !lost.includes(count++);
      if (datagram.from === pair.client) {
        if (kept) received += datagram.bytes.length;
        if (pair.log.at(-1) !== undefined && (datagram.bytes[0]! & 0x30) === 0x20) validated = true;
      } else if (!validated) {
        assert.ok(
          pair.sentBytes.get(pair.server)! <= 3 * received,
          `${pair.sentBytes.get(pair.server)} for ${received}`,
        );
      }
      return kept;
    };
    const client = pair.connect();
    pair.run(20_000);
    assert.equal(client.state, 'established', `lost ${lost}\n${pair.log.join('\n')}`);
    assert.ok(pair.wakeups < 30, `${pair.wakeups} timeouts handled`);
  }
});

test('a client that vanishes after its first datagram costs three times that and a finite number of timeouts', () => {
  const pair = new EndpointPair({ serverTls: { identity: LONG_CHAIN } });
  pair.filter = (datagram) => datagram.from === pair.client && pair.now === 1000;
  pair.connect();
  pair.run(30);
  const server = pair.server.connections[0]!;
  assert.equal(pair.sentBytes.get(pair.server), 3600);
  assert.equal(server.pollTimeout(), 1010 + 10_000, 'nothing but the handshake timeout is armed');
  pair.run(20_000);
  assert.equal(server.closeInfo!.source, 'handshake_timeout');
  assert.equal(pair.sentBytes.get(pair.server), 3600);
});

test('a server that may not send sleeps although it owes an acknowledgement', () => {
  const pair = new EndpointPair({ serverTls: { identity: LONG_CHAIN } });
  const later: InFlight[] = [];
  pair.filter = (datagram) => {
    if (datagram.from === pair.client && pair.now > 1000) later.push(datagram);
    return datagram.from === pair.client && pair.now === 1000;
  };
  pair.connect();
  pair.run(1500);
  const server = pair.server.connections[0]!;
  // From elsewhere it gives no credit.
  pair.deliver(pair.server, FOREIGN, later[0]!.bytes);
  pair.flush();
  assert.equal(server.stats().packetsReceived, 2);
  assert.equal(pair.sentBytes.get(pair.server), 3600);
  assert.equal(server.pollTimeout(), 1010 + 10_000);
});

test('a server that refuses the handshake stays within the limit and tells why, even when that is lost', () => {
  const pair = new EndpointPair({ serverTls: { alpn: ['other'] } });
  let refusals = 0;
  pair.filter = (datagram) => datagram.from === pair.client || refusals++ > 0;
  const client = pair.connect();
  pair.run(5000);
  assert.equal(client.closeInfo!.source, 'peer');
  assert.equal(client.closeInfo!.code, 0x100 + 120);
  assert.equal(refusals, 2);
});

test('an Initial in a datagram below 1,200 bytes makes no connection and is not processed by one', () => {
  const pair = new EndpointPair();
  pair.connect();
  pair.flush();
  const [first] = pair.inFlight.splice(0);
  pair.deliver(pair.server, CLIENT_ADDRESS, first!.bytes.subarray(0, 1199));
  assert.equal(pair.server.connections.length, 0);
});

test('a client that puts an Initial into a small datagram later on is not heard', () => {
  const pair = new EndpointPair();
  pair.connect();
  pair.run(25);
  const [second] = pair.inFlight.splice(0);
  const header = new Header();
  assert.ok(readHeader(second!.bytes, 0, second!.bytes.length, 8, header));
  const before = pair.server.connections[0]!.stats().packetsReceived;
  pair.deliver(pair.server, CLIENT_ADDRESS, second!.bytes.subarray(0, header.end));
  assert.equal(pair.server.connections[0]!.stats().packetsReceived, before);
  pair.deliver(pair.server, CLIENT_ADDRESS, second!.bytes);
  assert.ok(pair.server.connections[0]!.stats().packetsReceived > before);
});

test('a changed bit anywhere in the first datagram makes no connection', () => {
  const pair = new EndpointPair();
  const client = pair.connect();
  pair.flush();
  const [first] = pair.inFlight.splice(0);
  for (let bit = 0; bit < 8 * 1200; bit += 13) pair.deliver(pair.server, CLIENT_ADDRESS, flipped(first!, bit));
  assert.equal(pair.server.connections.length, 0);
  pair.deliver(pair.server, CLIENT_ADDRESS, first!.bytes.slice());
  pair.run(5000);
  assert.equal(client.state, 'established');
});

test('changed copies of every datagram change nothing', () => {
  const pair = new EndpointPair();
  let bit = 3;
  pair.filter = (datagram) => {
    const to = datagram.from === pair.client ? pair.server : pair.client;
    for (let i = 0; i < 40; i++) {
      bit = (bit + 997) % (8 * datagram.bytes.length);
      pair.deliver(to, datagram.source, flipped(datagram, bit));
    }
    return true;
  };
  const { client, server } = pair.established();
  assert.equal(client.state, 'established');
  assert.equal(server.state, 'established');
  const stream = client.streams.open(false);
  client.streams.sender(stream)!.write(pair.now, new Uint8Array(20_000).fill(7));
  pair.run(1000);
  assert.equal(server.streams.receiver(stream)!.readable, 20_000);
  assert.ok(pair.server.drops.includes('decryption_failure'));
});

test('every datagram twice, late copies included, is as good as once', () => {
  const pair = new EndpointPair();
  pair.filter = (datagram) => {
    pair.inFlight.push({ ...datagram, at: datagram.at + 3, bytes: datagram.bytes.slice() });
    return true;
  };
  const { client, server } = pair.established();
  const stream = client.streams.open(false);
  client.streams.sender(stream)!.write(pair.now, new Uint8Array(50_000).fill(7));
  pair.run(1000);
  assert.equal(server.streams.receiver(stream)!.readable, 50_000);
  assert.ok(pair.server.drops.filter((trigger) => trigger === 'duplicate').length > 20);
});

test('1-RTT packets that overtake the handshake are put aside', () => {
  const pair = new EndpointPair();
  const client = pair.connect();
  pair.run(15);
  // The client's second flight is on its way when it starts to send; hold back what has Handshake packets.
  pair.filter = (datagram) => {
    if (datagram.from === pair.client && isLong(datagram)) {
      pair.inFlight.push({ ...datagram, at: datagram.at + 200 });
      return false;
    }
    return true;
  };
  pair.run(5);
  const stream = client.streams.open(false);
  client.streams.sender(stream)!.write(pair.now, new Uint8Array(500).fill(7));
  pair.run(100);
  const server = pair.server.connections[0]!;
  assert.equal(server.state, 'handshaking');
  pair.run(2000);
  assert.equal(server.streams.receiver(stream)!.readable, 500);
});

test('a server that has to think about the client certificate opens what was put aside once it has', () => {
  const pair = new EndpointPair({
    clientTls: { certificate: IDENTITY },
    serverTls: { requestClientCertificate: 'require' },
    manualVerdict: true,
  });
  const client = pair.connect();
  pair.run(25);
  client.verdict(pair.now, { ok: true });
  const stream = client.streams.open(false);
  client.streams.sender(stream)!.write(pair.now, new Uint8Array(500).fill(7));
  pair.run(100);
  const server = pair.server.connections[0]!;
  assert.equal(server.state, 'handshaking');
  server.verdict(pair.now, { ok: true });
  assert.equal(server.state, 'established');
  assert.equal(server.streams.receiver(stream)!.readable, 500);
});

test('a server that lost its state resets the connection', () => {
  const pair = new EndpointPair();
  const { client } = pair.established();
  pair.restartServer();
  client.ping();
  pair.run(15);
  assert.equal(client.state, 'established');
  pair.run(10);
  assert.equal(client.state, 'draining');
  assert.equal(client.closeInfo!.source, 'stateless_reset');
  pair.run(2000);
  assert.equal(client.state, 'closed');
  assert.equal(pair.client.eventTypes.at(-1), 'closed');
});

test('a packet that asks for an answer is long enough for a reset by any peer, an acknowledgement stays as it is', () => {
  const pair = new EndpointPair();
  const { client } = pair.established();
  pair.run(1000);
  const sizes: number[] = [];
  pair.filter = ({ bytes }) => sizes.push(bytes.length) > 0;
  client.ping();
  pair.run(1000);
  assert.equal(sizes.length, 2);
  assert.equal(sizes[0], 43);
  assert.ok(sizes[1]! < 43);
});

test('a client that lost its state makes the server end', () => {
  const pair = new EndpointPair();
  const { client, server } = pair.established();
  // The server has a connection ID of the client's with a token only after NEW_CONNECTION_ID, so it has to move there first.
  pair.client.address = { ...CLIENT_ADDRESS, port: 50001 };
  client.ping();
  pair.run(500);
  client.abandon(pair.now, { source: 'local', application: false, code: 0, frameType: 0, reason: '' });
  pair.client.connections.length = 0;
  server.ping();
  pair.run(500);
  assert.equal(server.closeInfo!.source, 'stateless_reset');
});

test('a short packet of nobody is answered with something shorter, and not at all where a reset could be meant', () => {
  const pair = new EndpointPair();
  const answers: number[] = [];
  pair.filter = (datagram) => {
    answers.push(datagram.bytes.length);
    return false;
  };
  for (const size of [1, 9, 20, 21, 22, 30, 42]) {
    pair.deliver(pair.server, FOREIGN, new Uint8Array(size).fill(0x41));
    pair.flush();
  }
  assert.deepEqual(answers, []);
  for (const size of [43, 44, 1200]) {
    pair.deliver(pair.server, FOREIGN, new Uint8Array(size).fill(0x41));
    pair.flush();
  }
  assert.deepEqual(answers, [42, 42, 42]);
  assert.equal(pair.server.counters.statelessResetCount, 3);
});
