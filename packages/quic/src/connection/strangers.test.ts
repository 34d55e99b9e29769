import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CLIENT_ADDRESS,
  EndpointPair,
  forgeOneRtt,
  frame,
  IDENTITY,
  SERVER_ADDRESS,
  send,
} from '../../test/support/endpoint-pair.ts';
import type { Address } from '../base/address.ts';
import { TransportErrorCode } from '../base/errors.ts';
import { retryIntegrityTag } from '../crypto/retry.ts';
import { Space } from '../wire/frame-type.ts';
import { writePathChallenge } from '../wire/frames.ts';
import { writeRetry, writeVersionNegotiation } from '../wire/header.ts';
import { QUIC_V1, QUIC_V2 } from '../wire/versions.ts';

/** What a connection and its endpoint don't take, from strangers and from peers that mix things up. */

const FOREIGN: Address = { family: 4, host: '203.0.113.9', port: 9999 };
const MOVED: Address = { ...CLIENT_ADDRESS, port: 50_001 };
const LONG_CHAIN = { ...IDENTITY, certificates: new Array(16).fill(IDENTITY.certificates[0]!) };

const isHandshake = (first: number) => (first & 0xb0) === 0xa0;

/** A pair whose client has sent its first datagram, which is on its way, with the connection IDs in it. */
function begun(pair = new EndpointPair()) {
  const client = pair.connect();
  pair.flush();
  const first = pair.inFlight[0]!.bytes;
  return { pair, client, chosen: first.slice(6, 14), clientId: first.slice(15, 23) };
}

function deliverRetry(pair: EndpointPair, chosen: Uint8Array, clientId: Uint8Array): void {
  const retry = new Uint8Array(100);
  const end = writeRetry(retry, 0, QUIC_V1, clientId, new Uint8Array(8).fill(7), Uint8Array.of(1, 2, 3));
  retry.set(retryIntegrityTag(QUIC_V1, chosen, retry.subarray(0, end)), end);
  pair.deliver(pair.client, SERVER_ADDRESS, retry.subarray(0, end + 16));
}

describe('long headers', () => {
  for (const [what, offset] of [
    ['destination in a coalesced packet (RFC 9000 §12.2)', 6],
    ['source after the first packet (RFC 9000 §7.2)', 15],
  ] as const)
    test(`another ${what} is dropped`, () => {
      const pair = new EndpointPair();
      pair.server.forge = (bytes, start) => {
        if (isHandshake(bytes[start]!)) bytes[start + offset]! ^= 1;
      };
      const client = pair.connect();
      pair.run(25);
      assert.deepEqual(pair.client.drops, ['unknown_connection_id']);
      assert.equal(client.state, 'handshaking');
      pair.server.forge = undefined;
      pair.run(5000);
      assert.equal(client.state, 'established');
    });

  test('reserved bits are a PROTOCOL_VIOLATION (RFC 9000 §17.2)', () => {
    const pair = new EndpointPair();
    pair.server.forge = (bytes, start) => {
      if ((bytes[start]! & 0x80) !== 0) bytes[start]! |= 0x0c;
    };
    const client = pair.connect();
    pair.run(12 + 10);
    assert.equal(client.closeInfo!.code, TransportErrorCode.PROTOCOL_VIOLATION);
  });

  test('a Retry behind a packet of the server, and Version Negotiation behind a Retry, are ignored', () => {
    const heard = begun();
    heard.pair.run(25);
    deliverRetry(heard.pair, heard.chosen, heard.clientId);
    assert.deepEqual(heard.pair.client.drops, ['unexpected_packet']);
    const { pair, client, chosen, clientId } = begun();
    deliverRetry(pair, chosen, clientId);
    assert.deepEqual(pair.client.drops, []);
    const out = new Uint8Array(100);
    const end = writeVersionNegotiation(out, 0, clientId, chosen, [QUIC_V2], 0);
    pair.deliver(pair.client, SERVER_ADDRESS, out.subarray(0, end));
    assert.deepEqual(pair.client.drops, ['unexpected_packet']);
    assert.equal(client.state, 'handshaking');
  });

  test('an unknown version is answered when it comes in a large datagram, and nothing with version 0 is (RFC 9000 §6.1)', () => {
    const pair = new EndpointPair();
    const answersTo = (version: number, size: number) => {
      const datagram = new Uint8Array(size);
      datagram.set([0xc0, 0, 0, 0, version, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0]);
      pair.deliver(pair.server, CLIENT_ADDRESS, datagram);
      pair.flush();
      return pair.inFlight.splice(0).length;
    };
    assert.equal(answersTo(0x99, 1200), 1);
    assert.equal(answersTo(0x99, 1199), 0);
    // 1,203 bytes: a list of whole versions.
    assert.equal(answersTo(0, 1203), 0);
  });
});

describe('a stateless reset in long-header form (RFC 9000 §10.3)', () => {
  /** A client, its connection ID, and the 16 bytes by which its server, which has lost its state, resets it. */
  function forgotten() {
    const { pair, client, clientId } = begun();
    pair.run(500);
    let token = new Uint8Array(0);
    pair.filter = ({ from, bytes }) => {
      if (from === pair.server) token = bytes.slice(-16);
      return from === pair.client;
    };
    pair.restartServer();
    client.ping();
    pair.run(15);
    assert.equal(client.state, 'established');
    return { pair, client, clientId, token };
  }

  /** First byte, version, and the connection IDs' lengths and bytes. */
  const FORMS: [string, (clientId: Uint8Array) => number[]][] = [
    ['another version, another ID', () => [0xc5, 9, 9, 9, 9, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0]],
    ['another version, the client ID', (id) => [0x85, 9, 9, 9, 9, 8, ...id, 0]],
    ['no packet of version 1', () => [0x95, 0, 0, 0, 1, 255]],
    ['a Handshake packet for the client', (id) => [0xe5, 0, 0, 0, 1, 8, ...id, 0, 60]],
    ['a Handshake packet for another', () => [0xe5, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 60]],
  ];
  for (const [what, head] of FORMS)
    test(what, () => {
      const { pair, client, clientId, token } = forgotten();
      const bytes = new Uint8Array(head(clientId).length + 60).fill(3);
      bytes.set(head(clientId));
      pair.deliver(pair.client, SERVER_ADDRESS, bytes.slice());
      assert.equal(client.state, 'established');
      bytes.set(token, bytes.length - 16);
      pair.deliver(pair.client, FOREIGN, bytes.slice());
      assert.equal(client.state, 'established');
      pair.deliver(pair.client, SERVER_ADDRESS, bytes);
      assert.equal(client.closeInfo?.source, 'stateless_reset');
    });

  test('short, without the bit that every packet of this version has', () => {
    const { pair, client, clientId, token } = forgotten();
    pair.deliver(pair.client, SERVER_ADDRESS, Uint8Array.of(0x05, ...clientId, 1, 2, 3, 4, ...token));
    assert.equal(client.closeInfo?.source, 'stateless_reset');
  });
});

describe('keys', () => {
  test('a client has no Initial keys any more once it has sent a Handshake packet (RFC 9001 §4.9.1)', () => {
    const pair = new EndpointPair();
    const client = pair.connect();
    pair.run(25);
    assert.equal(client.stats().handshakeConfirmedAt, -1);
    const discarded = pair.client.observed.flatMap((event) => (event.type === 'key_discarded' ? [event.space] : []));
    assert.deepEqual(discarded, [Space.INITIAL]);
  });

  test('what comes before its keys is kept up to 32 packets and 64 KiB', () => {
    for (const [size, kept] of [
      [1200, 32],
      [30_000, 2],
    ] as const) {
      const { pair } = begun();
      pair.run(12);
      const serverId = pair.inFlight[0]!.bytes.slice(15, 23);
      const early = new Uint8Array(size).fill(9);
      early[0] = 0x40;
      early.set(serverId, 1);
      for (let i = 0; i < 50; i++) pair.deliver(pair.server, FOREIGN, early.slice());
      assert.equal(pair.server.drops.filter((trigger) => trigger === 'keys_unavailable').length, 50 - kept);
    }
  });
});

describe('addresses', () => {
  test('a Handshake packet from elsewhere proves neither the address of the first one nor its own (RFC 9000 §8.1)', () => {
    const pair = new EndpointPair();
    const got = new Map<Address, number>();
    const sent = new Map<Address, number>();
    const count = (bytes: Map<Address, number>, address: Address, size: number) =>
      bytes.set(address, size + (bytes.get(address) ?? 0));
    let until = 1010;
    pair.filter = ({ from, source, destination, bytes }) => {
      const isKept = pair.now <= until && destination !== FOREIGN;
      if (from === pair.server) count(sent, destination, bytes.length);
      else if (isKept) count(got, source, bytes.length);
      return isKept;
    };
    pair.connect();
    pair.run(15);
    until = 1025;
    pair.client.address = FOREIGN;
    pair.run(15);
    const server = pair.server.connections[0]!;
    assert.equal(server.state, 'established');
    assert.deepEqual(server.remoteAddress, FOREIGN);
    until = 0;
    send(pair, server, 50_000);
    pair.run(3000);
    for (const address of [CLIENT_ADDRESS, FOREIGN])
      assert.ok(sent.get(address)! <= 3 * got.get(address)!, `${sent.get(address)} for ${got.get(address)}`);
    assert.equal(pair.server.eventsOf('path_validated').length, 0);
  });

  test('a server that may not send keeps even its CONNECTION_CLOSE until the client gives it credit', () => {
    const pair = new EndpointPair({ serverTls: { identity: LONG_CHAIN } });
    pair.filter = ({ from }) => from === pair.client && pair.now === 1000;
    pair.connect();
    pair.run(30);
    const server = pair.server.connections[0]!;
    server.close(pair.now, false, 1, 'enough');
    pair.run(500);
    assert.equal(pair.sentBytes.get(pair.server), 3600);
    pair.filter = () => true;
    pair.run(3000);
    assert.equal(pair.client.connections[0]!.closeInfo!.source, 'peer');
  });

  test('an overtaken packet from the old address does not move the connection back (RFC 9000 §9.3)', () => {
    const pair = new EndpointPair();
    const { client, server } = pair.established();
    client.ping();
    pair.flush();
    const [overtaken] = pair.inFlight.splice(0);
    pair.client.address = MOVED;
    client.ping();
    pair.run(15);
    assert.deepEqual(server.remoteAddress, MOVED);
    const before = server.stats().packetsReceived;
    pair.deliver(pair.server, CLIENT_ADDRESS, overtaken!.bytes);
    assert.equal(server.stats().packetsReceived, before + 1);
    assert.deepEqual(server.remoteAddress, MOVED);
  });

  test('a challenge from an unproven address gets no more than three times its size (RFC 9000 §8)', () => {
    const pair = new EndpointPair();
    const { client } = pair.established();
    let asked = 0;
    let answered = 0;
    pair.filter = ({ from, bytes, destination }) => {
      if (from === pair.client) asked += bytes.length;
      if (destination === FOREIGN) answered += bytes.length;
      return true;
    };
    pair.client.address = FOREIGN;
    forgeOneRtt(
      pair.client,
      frame((b) => writePathChallenge(b, 0, new Uint8Array(8).fill(1))),
    );
    assert.ok(client.sendDatagram(new Uint8Array(20)));
    pair.run(15);
    assert.equal(pair.client.forge, undefined);
    assert.ok(asked < 100 && answered > asked && answered <= 3 * asked, `${answered} for ${asked}`);
  });
});

test('a connection that is over makes room for another, even from the same first packet', () => {
  const { pair, client } = begun(new EndpointPair({ serverLimits: { maxConnectionsTotal: 1 } }));
  const again = pair.inFlight[0]!.bytes.slice();
  pair.run(500);
  client.close(pair.now, true, 0, '');
  pair.run(5000);
  pair.deliver(pair.server, CLIENT_ADDRESS, again);
  assert.equal(pair.server.connections.length, 2);
  pair.server.connections[1]!.abandon(pair.now, client.closeInfo!);
  pair.run(1);
  const next = pair.connect();
  pair.run(500);
  assert.equal(next.state, 'established');
});

test("the peer's ack_delay_exponent and max_ack_delay are what its delays are read by (RFC 9002 §5.3)", () => {
  const pair = new EndpointPair({ serverTransport: { ackDelayExponent: 10, maxAckDelay: 200 } });
  const { client } = pair.established();
  for (let i = 0; i < 20; i++) {
    client.ping();
    pair.run(500);
  }
  const lines = pair.log.filter((line) => line.includes('client') && line.includes('Ping'));
  assert.equal(lines.length, 20, 'no probe timeout is shorter than the delay');
  // A round trip of 20 ms, and delays that the exponent rounds by up to one.
  assert.ok(client.stats().rttSmoothed < 25, `${client.stats().rttSmoothed} ms`);
});
