import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CLIENT_ADDRESS,
  EndpointPair,
  frame,
  IDENTITY,
  readAll,
  SERVER_ADDRESS,
  send,
  sendForged,
} from '../../test/support/endpoint-pair.ts';
import type { Address } from '../base/address.ts';
import { toHex } from '../base/cursor.ts';
import { writeNewConnectionId, writePathChallenge, writeRetireConnectionId } from '../wire/frames.ts';

const MOVED: Address = { ...CLIENT_ADDRESS, port: 50_001 };
const ELSEWHERE: Address = { family: 4, host: '203.0.113.9', port: 9999 };

describe('connection IDs', () => {
  test('the peer retires what it is told to, and gets new ones', () => {
    const pair = new EndpointPair();
    const { client, server } = pair.established();
    // The client has offered 1 to 3. Number 4 retires them all.
    const id = Uint8Array.of(5, 5, 5, 5, 5, 5, 5, 5);
    sendForged(
      pair,
      pair.client,
      frame((b) => writeNewConnectionId(b, 0, 4, 4, id, new Uint8Array(16))),
    );
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

  test('a packet that was overtaken by the retirement of its ID is received, not answered with a stateless reset', () => {
    const pair = new EndpointPair();
    const { client, server } = pair.established();
    server.ping();
    pair.flush();
    const [overtaken] = pair.inFlight.splice(0);
    pair.client.address = MOVED;
    client.ping();
    pair.run(500);
    assert.ok(pair.log.some((line) => /server .*RetireConnectionId/.test(line)));
    const before = client.stats().packetsReceived;
    pair.deliver(pair.client, SERVER_ADDRESS, overtaken!.bytes);
    pair.run(500);
    assert.equal(client.stats().packetsReceived > before, true);
    assert.ok(!pair.log.some((line) => line.includes('stateless')), pair.log.join('\n'));
    assert.deepEqual([client.state, server.state], ['established', 'established']);
  });

  test('retired by the peer, an ID is replaced', () => {
    const pair = new EndpointPair();
    const { client, server } = pair.established();
    sendForged(
      pair,
      pair.client,
      frame((b) => writeRetireConnectionId(b, 0, 2)),
    );
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

  test('a challenge that had to be small is followed by one of full size', () => {
    const pair = new EndpointPair();
    const { client, server } = pair.established();
    pair.client.address = MOVED;
    client.ping();
    pair.run(2000);
    const challenges = pair.log.flatMap((line) => /server (\d+): 1-RTT \d+ \[PathChallenge\]/.exec(line)?.[1] ?? []);
    // The first of full size asks at the address left.
    assert.equal(challenges.length, 3, pair.log.join('\n'));
    assert.equal(challenges.filter((size) => size === '1200').length, 2);
    assert.equal(challenges.at(-1), '1200');
    assert.equal(pair.server.eventsOf('path_validated').length, 1);
    assert.deepEqual(server.remoteAddress, MOVED);
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
    assert.ok(pair.wakeups < 100, `${pair.wakeups} timeouts handled`);
    assert.ok(toElsewhere <= 3 * copied!.bytes.length, `${toElsewhere} bytes to where nobody asked for them`);
    assert.deepEqual(server.remoteAddress, CLIENT_ADDRESS);
    assert.equal(readAll(pair, client, id), 50_000);
    assert.equal(server.state, 'established');
  });

  test('nobody answers at the new address: back to the old one after a while', () => {
    const pair = new EndpointPair();
    const { client, server } = pair.established();
    let count = 0;
    pair.filter = () => count++ === 0;
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

  test('a peer that asks again and again gets no more answers than the congestion window lets through (RFC 9000 §8.2.2)', () => {
    const pair = new EndpointPair();
    const { server } = pair.established();
    // Answers vanish, acknowledgements don't: the peer goes on.
    pair.filter = ({ from, bytes }) => from === pair.client || bytes.length < 1000;
    const challenge = frame((b) => writePathChallenge(b, 0, new Uint8Array(8).fill(1)));
    const lines = pair.log.length;
    let most = 0;
    for (let i = 0; i < 300; i++) {
      sendForged(pair, pair.client, challenge);
      const { bytesInFlight, congestionWindow } = server.stats();
      most = Math.max(most, bytesInFlight - congestionWindow);
      assert.ok(bytesInFlight <= 14_000, `${bytesInFlight} bytes in flight`);
    }
    assert.ok(most <= 3 * 1200, `${most} bytes more than the window`);
    const answers = pair.log.slice(lines).filter((line) => line.includes('PathResponse')).length;
    assert.ok(answers > 10 && answers < 150, `${answers} answers`);
    pair.filter = () => true;
    pair.run(3000);
    const last = pair.log.length;
    sendForged(pair, pair.client, challenge);
    assert.ok(pair.log.slice(last).some((line) => line.includes('PathResponse')));
  });

  test('nor does one that goes to and fro between two addresses, which is asked at the one it left each time', () => {
    const pair = new EndpointPair();
    const { client, server } = pair.established();
    pair.filter = ({ from }) => from === pair.client;
    for (let i = 0; i < 200; i++) {
      pair.client.address = i % 2 === 0 ? MOVED : CLIENT_ADDRESS;
      client.ping();
      pair.run(2);
      const { bytesInFlight } = server.stats();
      // A window, and three times what came in the small challenges of the address that it is at.
      assert.ok(bytesInFlight <= 24_000, `${bytesInFlight} bytes in flight`);
    }
    pair.filter = () => true;
    pair.run(5000);
    assert.equal(server.state, 'established');
  });

  test('a challenge on the path in use is answered by more than probing frames', () => {
    const pair = new EndpointPair();
    pair.established();
    const lines = pair.log.length;
    sendForged(
      pair,
      pair.client,
      frame((b) => writePathChallenge(b, 0, new Uint8Array(8).fill(1))),
    );
    const answers = pair.log.slice(lines).filter((line) => line.includes('server'));
    // RFC 9000 §9.3.3: only a non-probing packet brings a peer back that took a forwarded packet for a migration.
    assert.ok(
      answers.some((line) => line.includes('PathResponse')),
      answers.join('\n'),
    );
    assert.ok(
      answers.some((line) => line.includes('Ping')),
      answers.join('\n'),
    );
  });

  test('a silent client whose port changes in the middle of the handshake is followed there, and hears that it is done', () => {
    const pair = new EndpointPair();
    const client = pair.connect();
    pair.run(15);
    pair.client.address = MOVED;
    // What is sent to the old address from now on gets nowhere.
    pair.filter = ({ destination }) => destination.port !== CLIENT_ADDRESS.port;
    pair.run(500);
    const server = pair.server.connections[0]!;
    assert.ok(client.stats().handshakeConfirmedAt > 0, pair.log.join('\n'));
    assert.deepEqual(server.remoteAddress, MOVED);
    assert.equal(pair.server.eventsOf('path_validated').length, 1);
    assert.equal(server.pollTimeout() > pair.now + 1000, true, 'no timer is left over');
  });

  test('so is one whose server takes its time over the certificate', () => {
    const pair = new EndpointPair({
      clientTls: { certificate: IDENTITY },
      serverTls: { requestClientCertificate: 'require' },
      manualVerdict: true,
    });
    const client = pair.connect();
    pair.run(20);
    pair.client.address = MOVED;
    client.verdict(pair.now, { ok: true });
    pair.run(100);
    const server = pair.server.connections[0]!;
    assert.deepEqual([server.state, server.remoteAddress], ['handshaking', CLIENT_ADDRESS]);
    pair.filter = ({ destination }) => destination.port !== CLIENT_ADDRESS.port;
    server.verdict(pair.now, { ok: true });
    pair.run(500);
    assert.ok(client.stats().handshakeConfirmedAt > 0, pair.log.join('\n'));
    assert.deepEqual(server.remoteAddress, MOVED);
  });

  test('a silent client whose port changes behind its last Handshake packet makes itself heard', () => {
    const pair = new EndpointPair();
    const client = pair.connect();
    pair.run(25);
    pair.client.address = MOVED;
    pair.filter = ({ destination }) => destination.port !== CLIENT_ADDRESS.port;
    pair.run(500);
    assert.ok(client.stats().handshakeConfirmedAt > 0, pair.log.join('\n'));
    assert.deepEqual(pair.server.connections[0]!.remoteAddress, MOVED);
    assert.equal(pair.server.eventsOf('path_validated').length, 1);
  });

  /** Collects the connection IDs of the client's that the server uses, by the port of the address that they went to. */
  function idsByPort(pair: EndpointPair, isLost: (destination: Address) => boolean = () => false) {
    const ids = new Map<number, Set<string>>();
    pair.filter = ({ from, bytes, destination }) => {
      if (from !== pair.server) return true;
      const used = ids.get(destination.port) ?? new Set();
      ids.set(destination.port, used.add(toHex(bytes.subarray(1, 9))));
      return !isLost(destination);
    };
    return ids;
  }

  test('an answer to a probe, and all that follows when the client moves there, has an ID of its own (RFC 9000 §9.5)', () => {
    const pair = new EndpointPair();
    const { client, server } = pair.established();
    const ids = idsByPort(pair);
    server.ping();
    pair.client.address = ELSEWHERE;
    sendForged(
      pair,
      pair.client,
      frame((b) => writePathChallenge(b, 0, new Uint8Array(8).fill(1))),
    );
    pair.client.address = CLIENT_ADDRESS;
    pair.run(100);
    server.ping();
    pair.run(100);
    assert.deepEqual(server.remoteAddress, CLIENT_ADDRESS);
    pair.client.address = ELSEWHERE;
    send(pair, client, 5000);
    pair.run(1000);
    assert.deepEqual(server.remoteAddress, ELSEWHERE);
    const [here, there] = [ids.get(CLIENT_ADDRESS.port)!, ids.get(ELSEWHERE.port)!];
    assert.equal(there.size, 1);
    // The one of old, and that of the challenge at the address left.
    assert.equal(here.size, 2);
    assert.ok(![...here].some((id) => there.has(id)));
    // RFC 9000 §5.1.2: all that are of no more use are retired.
    assert.equal(pair.log.filter((line) => /server .*RetireConnectionId/.test(line)).length, 2);
    assert.deepEqual([client.state, server.state], ['established', 'established']);
  });

  test('back from an address where nobody answers, the ID is none that was used there', () => {
    const pair = new EndpointPair();
    const { client, server } = pair.established();
    const ids = idsByPort(pair, ({ port }) => port === MOVED.port);
    pair.client.address = MOVED;
    client.ping();
    pair.flush();
    pair.client.address = CLIENT_ADDRESS;
    pair.run(5);
    const { filter } = pair;
    // The client says nothing that would bring the server back.
    pair.filter = (datagram) => filter(datagram) && datagram.from === pair.server;
    pair.run(5000);
    pair.filter = filter;
    assert.deepEqual(server.remoteAddress, CLIENT_ADDRESS);
    server.ping();
    pair.run(500);
    const [here, there] = [ids.get(CLIENT_ADDRESS.port)!, ids.get(MOVED.port)!];
    assert.equal(there.size, 1);
    assert.ok(![...here].some((id) => there.has(id)));
    assert.equal(here.size, 1);
    assert.equal(client.state, 'established');
  });

  test('a client ignores its server at another address', () => {
    const pair = new EndpointPair();
    const { client, server } = pair.established();
    const before = client.stats().packetsReceived;
    server.ping();
    pair.flush();
    const [datagram] = pair.inFlight.splice(0);
    pair.deliver(pair.client, ELSEWHERE, datagram!.bytes);
    assert.deepEqual(pair.client.drops, ['unknown_source']);
    assert.equal(client.stats().packetsReceived, before);
  });
});
