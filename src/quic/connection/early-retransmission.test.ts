import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EndpointPair, IDENTITY, type InFlight, type PairOptions, send } from '../../../test/support/endpoint-pair.ts';
import type { Millis } from '../base/time.ts';
import { FrameType } from '../wire/frame-type.ts';

/** A flight of five datagrams. */
const LONG_CHAIN = { ...IDENTITY, certificates: new Array(12).fill(IDENTITY.certificates[0]!) };
const ROUND_TRIP = 20;

/** What the lines of the log say that were sent by `side` from `since` on, milliseconds from the start. */
function sentBy(pair: EndpointPair, side: string, since: Millis): string[] {
  return pair.log.flatMap((line) => {
    const [, at, name, what] = /^([\d.]+) (\w+) \d+(?: lost)?: (.*)$/.exec(line) ?? [];
    return name === side && Number(at) >= since ? [what!] : [];
  });
}

/** A pair that loses the `n`th datagrams, from 0, of its server, or its client. */
function losing(from: 'server' | 'client', lost: readonly number[], options: PairOptions = {}): EndpointPair {
  const pair = new EndpointPair(options);
  let count = 0;
  pair.filter = (datagram: InFlight) => datagram.from !== pair[from] || !lost.includes(count++);
  return pair;
}

describe('ahead of the probe timer (RFC 9002 §6.2.3)', () => {
  test('a client that gets Handshake packets without the ServerHello sends its ClientHello again, and the server its flight', () => {
    const pair = losing('server', [0], { serverTls: { identity: LONG_CHAIN } });
    const client = pair.connect();
    pair.run(4 * ROUND_TRIP);
    assert.equal(client.state, 'established', pair.log.join('\n'));
  });

  test('a server whose client has nothing but PING for Initial packets says the ServerHello again', () => {
    const pair = losing('server', [0], { server: { initialRtt: 5000 } });
    const client = pair.connect();
    pair.run(5);
    pair.client.forge = (bytes, start, payload, end) => {
      if ((bytes[start]! & 0xb0) !== 0x80) return;
      bytes.fill(0, payload, end);
      bytes[payload] = FrameType.PING;
    };
    pair.run(1100);
    assert.equal(client.state, 'established', pair.log.join('\n'));
  });

  test('a client whose Finished is lost sends it again when the server repeats its flight', () => {
    const pair = losing('client', [1], { client: { initialRtt: 5000 } });
    pair.connect();
    pair.run(40);
    const [server] = pair.server.connections;
    assert.equal(server!.state, 'handshaking');
    pair.run(100);
    assert.equal(server!.state, 'established', pair.log.join('\n'));
  });

  test('a server whose HANDSHAKE_DONE is lost says it again when the Finished comes again', () => {
    const pair = new EndpointPair({ server: { initialRtt: 5000 } });
    let done = 0;
    pair.filter = ({ from, bytes }) => from === pair.client || (bytes[0]! & 0x80) !== 0 || done++ > 0;
    const client = pair.connect();
    pair.run(200);
    assert.ok(client.stats().handshakeConfirmedAt > 0, pair.log.join('\n'));
  });

  test('a Finished that comes again after HANDSHAKE_DONE was acknowledged is answered with nothing', () => {
    const pair = new EndpointPair();
    const sent: InFlight[] = [];
    pair.filter = (datagram) => datagram.from === pair.server || sent.push(datagram) > 0;
    pair.established();
    const lines = pair.log.length;
    const [, finished] = sent;
    pair.deliver(pair.server, finished!.source, finished!.bytes.slice());
    pair.run(100);
    assert.deepEqual(pair.log.slice(lines), []);
    assert.deepEqual(pair.server.drops, ['keys_discarded', 'keys_discarded', 'duplicate']);
  });
});

describe('probes of a handshake (RFC 9002 §6.2.4)', () => {
  test('two datagrams a timeout, each with what is not acknowledged of every space', () => {
    const pair = new EndpointPair();
    pair.filter = ({ from }) => from === pair.client;
    pair.connect();
    pair.run(1009);
    assert.deepEqual(sentBy(pair, 'client', 900), ['Initial 1 [Crypto]', 'Initial 2 [Crypto]']);
    pair.run(3000);
    const answers = sentBy(pair, 'server', 1010 + 900);
    assert.ok(answers.length >= 2, pair.log.join('\n'));
    for (const what of answers.slice(0, 2))
      assert.match(what, /^Initial \d+ \[Ack Crypto\] \+ Handshake \d+ \[Crypto\]$/);
  });

  test('they repeat the acknowledgement, which may be what is lost', () => {
    const pair = losing('client', [1], { manualVerdict: true });
    pair.connect();
    pair.run(15 + 8 * ROUND_TRIP);
    const probes = sentBy(pair, 'client', 25).filter((what) => what.includes('Ping'));
    assert.ok(probes.length >= 2, pair.log.join('\n'));
    for (const what of probes) assert.match(what, /\[Ack Ping\]/);
  });
});

test('a client takes the handshake for confirmed when a 1-RTT packet of its own is acknowledged (RFC 9001 §4.1.2)', () => {
  const pair = new EndpointPair();
  pair.server.forge = (bytes, start, payload, end) => {
    if ((bytes[start]! & 0x80) !== 0) return;
    const done = bytes.subarray(payload, end).indexOf(0x1e);
    if (done > 0) bytes.fill(0, payload + done, end);
  };
  const client = pair.connect();
  pair.run(22);
  send(pair, client, 100);
  pair.run(30);
  assert.ok(client.stats().handshakeConfirmedAt > 0, pair.log.join('\n'));
});
