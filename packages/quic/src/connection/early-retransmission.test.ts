import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CLIENT_ADDRESS,
  EndpointPair,
  IDENTITY,
  type InFlight,
  type PairOptions,
  send,
} from '../../test/support/endpoint-pair.ts';
import { initialPacket } from '../../test/support/initial-packet.ts';
import type { Millis } from '../base/time.ts';
import { newReno } from '../recovery/congestion/new-reno.ts';
import { Recovery } from '../recovery/recovery.ts';
import { FrameType, Space } from '../wire/frame-type.ts';
import { EarlyRetransmission } from './early-retransmission.ts';
import { PendingFrames } from './pending-frames.ts';
import { Spaces } from './spaces.ts';

/** A flight of five datagrams. */
const LONG_CHAIN = { ...IDENTITY, certificates: new Array(12).fill(IDENTITY.certificates[0]!) };
/** More than a window. */
const MANY = new Array(40).fill(IDENTITY.certificates[0]!);
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

test('what is repeated before anything was answered uses none of the times up', () => {
  const spaces = new Spaces(25);
  const pending = new PendingFrames();
  const recovery = new Recovery({ isServer: true, congestion: newReno, maxDatagramSize: 1200 });
  const early = new EarlyRetransmission({ isServer: true, spaces, recovery, pending });
  for (let now = 0; now < 1000; now += 20) early.onRepetition(now, Space.INITIAL);
  const { crypto } = spaces.initial;
  crypto.write(new Uint8Array(100));
  crypto.writeFrames(new Uint8Array(200), 0, 200, { add() {} });
  assert.equal(crypto.wantsSend, false);
  early.onRepetition(1000, Space.INITIAL);
  assert.equal(crypto.wantsSend, true);
});

test('a HANDSHAKE_DONE that was acknowledged is not sent again because a copy is lost', () => {
  const pending = new PendingFrames();
  pending.onHandshakeDoneLost();
  assert.equal(pending.wantsSend, true);
  pending.onHandshakeDoneAcked();
  assert.equal(pending.wantsSend, false);
  pending.onHandshakeDoneLost();
  assert.equal(pending.wantsSend, false);
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

  test('they take along what was lost in a space that has nothing in flight, though the window is full', () => {
    const pair = new EndpointPair({ serverTls: { identity: { ...LONG_CHAIN, certificates: MANY } } });
    const sent: InFlight[] = [];
    pair.filter = (datagram) => sent.push(datagram) === 1;
    pair.connect();
    pair.run(10);
    const first = sent[0]!.bytes;
    const [chosen, source] = [first.slice(6, 14), first.slice(15, 23)];
    const deliver = (packetNumber: number, frames: readonly number[]) => {
      const destination = sent[1]!.bytes.slice(15, 23);
      const packet = initialPacket('client', chosen, { destination, source }, packetNumber, frames, 1200);
      pair.deliver(pair.server, CLIENT_ADDRESS, packet);
      pair.flush();
    };
    // Credit for more than a window.
    for (let packetNumber = 10; packetNumber < 14; packetNumber++) deliver(packetNumber, [FrameType.PING]);
    const [server] = pair.server.connections;
    assert.ok(server!.stats().bytesInFlight > 11_000);
    // The ServerHello is lost three times: the third time no new loss lets it go again.
    for (const packetNumber of [20, 30, 40]) {
      deliver(packetNumber, [FrameType.PING]);
      const answer = pair.log.findLast((line) => / server .*Initial/.test(line))!;
      deliver(packetNumber + 1, [FrameType.ACK, Number(/Initial (\d+)/.exec(answer)![1]), 0, 0, 0]);
      pair.run(450);
    }
    const at = pair.log.length;
    pair.run(1000);
    const probes = pair.log.slice(at).filter((line) => line.includes('server'));
    assert.match(probes[0]!, /Initial \d+ \[Crypto\] \+ Handshake/, pair.log.join('\n'));
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
