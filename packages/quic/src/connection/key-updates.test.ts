import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EndpointPair, readAll, SERVER_ADDRESS, send, sendForged } from '../../test/support/endpoint-pair.ts';
import { TransportErrorCode } from '../base/errors.ts';
import { type CipherSuite, TLS_AES_128_GCM_SHA256 } from '../crypto/suite.ts';
import type { Connection } from './connection.ts';

/** Runs with AEAD limits that a test can reach. */
function withLimits(limits: Partial<CipherSuite>, run: () => void): void {
  const { confidentialityLimit, integrityLimit } = TLS_AES_128_GCM_SHA256;
  Object.assign(TLS_AES_128_GCM_SHA256, limits);
  try {
    run();
  } finally {
    Object.assign(TLS_AES_128_GCM_SHA256, { confidentialityLimit, integrityLimit });
  }
}

/** The number of the last 1-RTT packet that `side` has sent. */
function lastNumber(pair: EndpointPair, side: 'client' | 'server'): number {
  const numbers = pair.log.flatMap((line) => new RegExp(`${side} .*1-RTT (\\d+)`).exec(line)?.[1] ?? []);
  return Number(numbers.at(-1));
}

describe('the limits of the AEAD (RFC 9001 §6.6)', () => {
  test('keys are updated before they have sealed all that they may, and nothing is lost', () =>
    withLimits({ confidentialityLimit: 800 }, () => {
      const pair = new EndpointPair();
      const { client, server } = pair.established();
      for (let i = 0; i < 20; i++) {
        const ids = [send(pair, client, 150_000), send(pair, server, 150_000)] as const;
        pair.run(1000);
        assert.deepEqual([readAll(pair, server, ids[0]), readAll(pair, client, ids[1])], [150_000, 150_000]);
      }
      assert.deepEqual([client.state, server.state], ['established', 'established']);
      // Each side seals more than 2,500 packets; whoever comes first updates for both.
      assert.ok(client.stats().keyUpdates >= 3, `${client.stats().keyUpdates} updates`);
      assert.equal(server.stats().keyUpdates, client.stats().keyUpdates);
      assert.deepEqual([...pair.client.drops, ...pair.server.drops], []);
    }));

  test('a peer that acknowledges nothing stops neither the update nor, at the limit, the close', () =>
    withLimits({ confidentialityLimit: 800 }, () => {
      const pair = new EndpointPair({ clientTransport: { maxIdleTimeout: 0 }, serverTransport: { maxIdleTimeout: 0 } });
      const { client } = pair.established();
      pair.filter = ({ from }) => from === pair.server;
      for (let i = 0; i < 400 && client.state === 'established'; i++) {
        client.ping();
        pair.run(10_000);
      }
      assert.equal(client.closeInfo!.code, TransportErrorCode.AEAD_LIMIT_REACHED);
      assert.equal(client.stats().keyUpdates, 1);
      assert.match(pair.log.at(-1)!, /ConnectionClose/);
    }));

  test('forged packets beyond the integrity limit end the connection', () =>
    withLimits({ integrityLimit: 20 }, () => {
      const pair = new EndpointPair();
      const { client, server } = pair.established();
      client.ping();
      pair.flush();
      const [{ source, bytes }] = pair.inFlight.splice(0) as [(typeof pair.inFlight)[0]];
      const forged = bytes.slice();
      forged[forged.length - 1]! ^= 1;
      for (let i = 0; i < 20; i++) pair.deliver(pair.server, source, forged.slice());
      assert.equal(server.state, 'established');
      pair.deliver(pair.server, source, forged.slice());
      assert.equal(server.closeInfo!.code, TransportErrorCode.AEAD_LIMIT_REACHED);
    }));

  test('forged packets count across all keys, those of the handshake included', () =>
    withLimits({ integrityLimit: 20 }, () => {
      const pair = new EndpointPair();
      const client = pair.connect();
      const sent: Uint8Array[] = [];
      pair.filter = ({ from, bytes }) => from === pair.client || sent.push(bytes.slice()) > 0;
      const forge = (times: number, bytes: Uint8Array, at: number) => {
        const forged = bytes.slice();
        forged[at]! ^= 1;
        for (let i = 0; i < times; i++) pair.deliver(pair.client, SERVER_ADDRESS, forged.slice());
      };
      pair.run(1.5 * pair.delay);
      // Byte 60 is within the Initial packet's ServerHello.
      forge(12, sent[0]!, 60);
      pair.run(1000);
      assert.equal(client.state, 'established', 'the real one comes through');
      pair.server.connections[0]!.ping();
      pair.flush();
      const oneRtt = sent.at(-1)!;
      forge(8, oneRtt, oneRtt.length - 1);
      assert.equal(client.state, 'established');
      forge(1, oneRtt, oneRtt.length - 1);
      assert.equal(client.closeInfo!.code, TransportErrorCode.AEAD_LIMIT_REACHED);
    }));
});

describe('old keys (RFC 9001 §6.5)', () => {
  /** A pair in which a packet of the client's is on its way under keys that the client has replaced since. */
  function delayed(): { pair: EndpointPair; server: Connection; arrive: () => void } {
    const pair = new EndpointPair();
    const { client, server } = pair.established();
    client.ping();
    pair.flush();
    const [held] = pair.inFlight.splice(0);
    assert.ok(client.updateKey(pair.now));
    client.ping();
    pair.run(15);
    assert.equal(server.stats().keyUpdates, 1);
    return { pair, server, arrive: () => pair.deliver(pair.server, held!.source, held!.bytes) };
  }

  test('open what was overtaken for three probe timeouts', () => {
    const { pair, server, arrive } = delayed();
    const before = server.stats().packetsReceived;
    arrive();
    assert.equal(server.stats().packetsReceived, before + 1);
    assert.deepEqual(pair.server.drops, []);
  });

  test('are dropped when that time is over, without traffic', () => {
    const { pair, server, arrive } = delayed();
    const due = server.pollTimeout();
    assert.ok(due < pair.now + 1000, 'there is a deadline for it');
    pair.run(1000);
    arrive();
    assert.deepEqual(pair.server.drops, ['decryption_failure']);
    assert.equal(server.state, 'established');
  });
});

test('an acknowledgement under older keys than what it acknowledges ends the connection before it counts (RFC 9001 §6.2)', () => {
  const pair = new EndpointPair();
  const { client } = pair.established();
  assert.ok(client.updateKey(pair.now));
  pair.filter = ({ from }) => from === pair.server;
  client.ping();
  pair.run(1);
  pair.filter = () => true;
  const { packetsAcked } = client.stats();
  sendForged(pair, pair.server, [
    2,
    0x40 | (lastNumber(pair, 'client') >> 8),
    lastNumber(pair, 'client') & 0xff,
    0,
    0,
    0,
  ]);
  assert.equal(client.closeInfo!.code, TransportErrorCode.KEY_UPDATE_ERROR, client.closeInfo!.reason);
  assert.equal(client.stats().packetsAcked, packetsAcked);
});
