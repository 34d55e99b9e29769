import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CLIENT_ADDRESS, EndpointPair, readAll } from '../../test/support/endpoint-pair.ts';
import type { Address } from '../base/address.ts';
import { NEVER } from '../base/time.ts';
import { IdleTimer } from './idle-timer.ts';

const MOVED: Address = { ...CLIENT_ADDRESS, port: 50_001 };
const PINGS = /client \d+: 1-RTT \d+ \[Ping\]/;

/** A server that has sent a piece of a stream to its client, all of which is acknowledged. */
function inTheMiddle() {
  const pair = new EndpointPair();
  const { client, server } = pair.established();
  const id = server.streams.open(false);
  const sender = server.streams.sender(id)!;
  const write = () => sender.write(pair.now, new Uint8Array(500).fill(1));
  write();
  pair.run(200);
  return { pair, client, server, id, sender, write };
}

/** How often the client sent nothing but a PING since line `from`. */
const pings = (pair: EndpointPair, from: number) => pair.log.slice(from).filter((line) => PINGS.test(line)).length;

describe('a client whose server falls silent in the middle of a stream', () => {
  test('is found again behind a NAT that has changed its port, long before the idle timeout', () => {
    const { pair, client, server, id, write } = inTheMiddle();
    // The NAT lets nothing in for a port that the client has not sent from.
    pair.client.address = MOVED;
    let isOpen = false;
    pair.filter = ({ from, destination }) => {
      if (from === pair.client) isOpen = true;
      return from === pair.client || (destination.port === MOVED.port && isOpen);
    };
    for (let i = 0; i < 10; i++) {
      write();
      pair.run(300);
    }
    assert.equal(server.remoteAddress.port, MOVED.port);
    assert.equal(readAll(pair, client, id), 11 * 500);
  });

  test('asks once a pause, and then lets the connection idle', () => {
    const { pair, client, write } = inTheMiddle();
    const lines = pair.log.length;
    for (let i = 1; i <= 3; i++) {
      pair.run(8000);
      assert.equal(pings(pair, lines), i);
      write();
      pair.run(200);
    }
    pair.run(40_000);
    assert.equal(pings(pair, lines), 4);
    assert.equal(client.closeInfo!.source, 'idle_timeout');
  });

  test('does not ask while data comes, nor when all of it has', () => {
    const { pair, client, sender, write } = inTheMiddle();
    const lines = pair.log.length;
    for (let i = 0; i < 10; i++) {
      write();
      pair.run(900);
    }
    sender.finish(pair.now);
    pair.run(10_000);
    assert.equal(pings(pair, lines), 0);
    assert.ok(client.pollTimeout() > pair.now + 15_000 && client.pollTimeout() < NEVER, 'nothing but the idle timeout');
  });

  test('does not ask about a stream that has been reset', () => {
    const { pair, sender } = inTheMiddle();
    const lines = pair.log.length;
    sender.reset(pair.now, 1);
    pair.run(10_000);
    assert.equal(pings(pair, lines), 0);
  });
});

test('a server does not ask its client', () => {
  const pair = new EndpointPair();
  const { client } = pair.established();
  const sender = client.streams.sender(client.streams.open(false))!;
  sender.write(pair.now, new Uint8Array(500));
  pair.run(200);
  const lines = pair.log.length;
  pair.run(10_000);
  assert.deepEqual(pair.log.slice(lines), []);
});

test('the silence that counts is a second, or three probe timeouts, and none after a packet that will be acknowledged', () => {
  const idle = new IdleTimer(0, 30_000, 0);
  assert.equal(idle.silenceAt(100), NEVER, 'nothing has come yet');
  idle.onReceived(500);
  idle.onStreamData();
  assert.equal(idle.silenceAt(100), 1500);
  assert.equal(idle.silenceAt(3000), 3500);
  idle.onAckElicitingSent(600);
  assert.equal(idle.silenceAt(100), NEVER);
  idle.onReceived(700);
  assert.equal(idle.silenceAt(100), 1700);
  idle.onSilence();
  assert.equal(idle.silenceAt(100), NEVER);
});
