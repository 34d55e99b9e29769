import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CLIENT_ADDRESS,
  EndpointPair,
  IDENTITY,
  type InFlight,
  SERVER_ADDRESS,
} from '../../test/support/endpoint-pair.ts';
import { initialPacket } from '../../test/support/initial-packet.ts';
import type { Address } from '../base/address.ts';
import { heapArena } from '../base/arena.ts';
import { ReceiveBatch } from '../base/batch.ts';
import { TransportErrorCode } from '../base/errors.ts';
import type { AckFrame } from '../wire/frame-handler.ts';
import { FrameType, Space } from '../wire/frame-type.ts';
import { FrameEffects, type FrameTargets } from './frame-effects.ts';

/** What Initial and Handshake packets must and must not do, and what is not taken for one. */

const FOREIGN: Address = { family: 4, host: '203.0.113.9', port: 9999 };

const withChain = (length: number) => ({
  ...IDENTITY,
  certificates: new Array(length).fill(IDENTITY.certificates[0]!),
});

/** The datagrams of one side, as they leave, and the connection IDs of the client's first one. */
function watched(pair: EndpointPair) {
  const sent: InFlight[] = [];
  pair.filter = (datagram) => sent.push(datagram) > 0;
  const client = pair.connect();
  pair.flush();
  const first = sent[0]!.bytes;
  return { client, sent, chosen: first.slice(6, 14), clientId: first.slice(15, 23) };
}

describe('sent', () => {
  test('an ack-eliciting Initial waits for credit for its padding (RFC 9000 §14.1)', () => {
    // Flights of different lengths leave different rests of the 3,600 bytes that the first datagram is good for.
    for (let chain = 1; chain <= 10; chain++) {
      const pair = new EndpointPair({ serverTls: { identity: withChain(chain) } });
      pair.filter = ({ from }) => from === pair.client && pair.now === 1000;
      pair.connect();
      pair.run(5000);
      const initials = pair.log.flatMap((line) => /server (\d+) .*Initial \d+ \[[^\]]*Crypto/.exec(line)?.[1] ?? []);
      assert.ok(initials.length > 0);
      for (const size of initials) assert.ok(Number(size) >= 1200, pair.log.join('\n'));
    }
  });
});

describe('received', () => {
  test('an Initial packet of a server that has a token is dropped, like anybody could make it (RFC 9000 §17.2.2)', () => {
    for (const [token, drops] of [
      [Uint8Array.of(1), ['token']],
      [new Uint8Array(0), []],
    ] as const) {
      const pair = new EndpointPair();
      const { client, chosen, clientId } = watched(pair);
      const ids = { destination: clientId, source: new Uint8Array(8).fill(7), token };
      pair.deliver(pair.client, SERVER_ADDRESS, initialPacket('server', chosen, ids, 0, [FrameType.PING], 1200));
      assert.deepEqual(pair.client.drops, drops);
      assert.equal(client.stats().packetsReceived, 1 - drops.length);
    }
  });

  test('a packet that comes twice counts once', () => {
    const pair = new EndpointPair({ manualVerdict: true });
    const { client, sent } = watched(pair);
    pair.run(25);
    const flight = sent.find(({ from }) => from === pair.server)!;
    const { packetsReceived } = client.stats();
    assert.ok(packetsReceived >= 2);
    // Without Handshake packets sent, the client has its Initial keys still; the acknowledgement took them.
    pair.deliver(pair.client, SERVER_ADDRESS, flight.bytes.slice());
    assert.equal(client.stats().packetsReceived, packetsReceived);
    assert.deepEqual(pair.client.drops, ['keys_discarded', 'duplicate']);
  });

  for (const [space, bit] of [
    [0xc0, 0x04],
    [0xc0, 0x08],
    [0xe0, 0x04],
    [0xe0, 0x08],
  ] as const)
    test(`reserved bit ${bit} of a first byte ${space.toString(16)} is a PROTOCOL_VIOLATION, each by itself`, () => {
      const pair = new EndpointPair();
      pair.server.forge = (bytes, start) => {
        if ((bytes[start]! & 0xf0) === space) bytes[start]! |= bit;
      };
      const client = pair.connect();
      pair.run(22);
      assert.equal(client.closeInfo!.code, TransportErrorCode.PROTOCOL_VIOLATION);
    });

  for (const bit of [0x08, 0x10])
    test(`reserved bit ${bit} of a short header is a PROTOCOL_VIOLATION by itself`, () => {
      const pair = new EndpointPair();
      const { client, server } = pair.established();
      pair.client.forge = (bytes, start) => {
        bytes[start]! |= bit;
      };
      client.ping();
      pair.run(15);
      assert.equal(server.closeInfo!.code, TransportErrorCode.PROTOCOL_VIOLATION);
    });

  test('the delay in an ACK of an Initial or Handshake packet is not believed (RFC 9002 §5.3)', () => {
    const delays: number[] = [];
    const recovery = { onAck: (_space: Space, _now: number, _ack: AckFrame, delay: number) => delays.push(delay) > 9 };
    const effects = new FrameEffects({ isServer: true, recovery, dispatch: {}, spaces: {} } as unknown as FrameTargets);
    const ack = { largest: 0, delay: 1000, ranges: [] } as unknown as AckFrame;
    for (const space of [Space.INITIAL, Space.HANDSHAKE, Space.APPLICATION]) {
      effects.space = space;
      effects.onAck(ack);
    }
    assert.deepEqual(delays, [0, 0, 8]);
  });

  test('a Handshake packet from elsewhere gives the first address no credit (RFC 9000 §8.1)', () => {
    const pair = new EndpointPair({ serverTls: { identity: withChain(30) } });
    const toClient = () => pair.sentBytes.get(pair.server)!;
    const { sent } = watched(pair);
    pair.run(12);
    assert.equal(toClient(), 3600);
    // The flight arrives, and its acknowledgement comes from another address.
    pair.run(9);
    const answer = sent.findLast(({ from }) => from === pair.client)!;
    pair.inFlight.length = 0;
    pair.filter = () => false;
    pair.deliver(pair.server, FOREIGN, answer.bytes.slice());
    pair.run(5000);
    assert.equal(toClient(), 3600);
  });

  test('a first Initial to a connection ID of less than 8 bytes makes no connection (RFC 9000 §7.2)', () => {
    for (const length of [0, 7, 8, 20]) {
      const pair = new EndpointPair();
      const destination = new Uint8Array(length).fill(5);
      const ids = { destination, source: new Uint8Array(8) };
      const packet = initialPacket('client', destination, ids, 0, [FrameType.PING], 1200);
      pair.deliver(pair.server, CLIENT_ADDRESS, packet);
      assert.equal(pair.server.connections.length, length < 8 ? 0 : 1, `${length} bytes`);
    }
  });
});

describe('a stateless reset (RFC 9000 §10.3.1)', () => {
  test('has 21 bytes or more, for the endpoint and for the connection', () => {
    for (const [length, state] of [
      [20, 'established'],
      [21, 'draining'],
    ] as const) {
      const pair = new EndpointPair();
      const { client } = pair.established();
      const batch = new ReceiveBatch(heapArena(length), 1);
      batch.arena.bytes.fill(0x43).set(client.peerParameters!.statelessResetToken!, length - 16);
      batch.count = 1;
      batch.length[0] = length;
      batch.source[0] = SERVER_ADDRESS;
      let touched = 0;
      pair.client.endpoint.handleDatagrams(pair.now, batch, () => touched++);
      assert.equal(touched, length > 20 ? 1 : 0);
      client.handleDatagrams(pair.now, batch, 0, 1);
      assert.equal(client.state, state);
    }
  });

  for (const [what, isAuthentic, state] of [
    ['is none behind a packet that is authentic', true, 'handshaking'],
    ['is one behind a packet that is not', false, 'draining'],
  ] as const)
    test(what, () => {
      const pair = new EndpointPair({ serverTls: { identity: withChain(6) } });
      const { client } = watched(pair);
      pair.run(12);
      const [first, second] = pair.inFlight.splice(0);
      pair.filter = () => false;
      pair.deliver(pair.client, SERVER_ADDRESS, first!.bytes);
      const token = client.peerParameters!.statelessResetToken!;
      const { packetsReceived } = client.stats();
      const bytes = Uint8Array.of(...second!.bytes, ...new Uint8Array(40).fill(3), ...token);
      if (!isAuthentic) bytes[second!.bytes.length - 1]! ^= 1;
      pair.deliver(pair.client, SERVER_ADDRESS, bytes);
      assert.equal(client.stats().packetsReceived, packetsReceived + (isAuthentic ? 1 : 0));
      assert.equal(client.state, state);
    });
});
