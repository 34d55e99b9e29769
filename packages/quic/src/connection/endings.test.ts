import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EndpointPair, sendForged } from '../../test/support/endpoint-pair.ts';
import { NEVER } from '../base/time.ts';
import { FrameType } from '../wire/frame-type.ts';
import { ended } from './events.ts';
import { IdleTimer } from './idle-timer.ts';
import { Lifecycle } from './lifecycle.ts';

const INFO = ended('local', 'enough');
const OTHER = ended('peer', 'more than enough');

describe('idle timer', () => {
  test('runs from what was received, and from the first thing sent after that', () => {
    const timer = new IdleTimer(0, 1000, 0);
    assert.equal(timer.deadline(10), 1000);
    timer.onAckElicitingSent(100);
    timer.onAckElicitingSent(200);
    assert.equal(timer.deadline(10), 1100);
    timer.onReceived(300);
    assert.equal(timer.deadline(10), 1300);
    timer.onAckElicitingSent(400);
    assert.equal(timer.deadline(10), 1400);
  });

  test('is the smaller of both ends, zero meaning none, and three probe timeouts at least', () => {
    const timer = new IdleTimer(0, 1000, 0);
    timer.setPeerTimeout(0);
    assert.equal(timer.deadline(10), 1000);
    timer.setPeerTimeout(500);
    assert.equal(timer.deadline(10), 500);
    timer.setPeerTimeout(2000);
    assert.equal(timer.deadline(10), 500);
    assert.equal(timer.deadline(900), 900);
    const none = new IdleTimer(0, 0, 0);
    assert.equal(none.deadline(10), NEVER);
    none.setPeerTimeout(500);
    assert.equal(none.deadline(10), 500);
  });

  test('a keep-alive is due once after each thing heard', () => {
    const timer = new IdleTimer(0, 1000, 300);
    assert.equal(timer.keepAliveAt(), 300);
    timer.onAckElicitingSent(300);
    assert.equal(timer.keepAliveAt(), NEVER);
    timer.onReceived(350);
    assert.equal(timer.keepAliveAt(), 650);
    assert.equal(new IdleTimer(0, 1000, 0).keepAliveAt(), NEVER);
  });

  test('a keep-alive comes when half of the timeout is over at the latest (RFC 9000 §10.1.2)', () => {
    const timer = new IdleTimer(0, 0, 1500);
    assert.equal(timer.keepAliveAt(), 1500);
    timer.setPeerTimeout(1000);
    assert.equal(timer.keepAliveAt(), 500);
    assert.equal(new IdleTimer(0, 1000, 500).keepAliveAt(), 500);
  });
});

describe('lifecycle', () => {
  test('closing lasts its time and answers the 1st, 3rd, 7th and 15th stray', () => {
    const life = new Lifecycle();
    life.onStray();
    assert.equal(life.closePending, false);
    life.close(100, INFO, 30);
    assert.deepEqual([life.state, life.endAt, life.closePending, life.isOpen], ['closing', 130, true, false]);
    life.closePending = false;
    const answered: number[] = [];
    for (let i = 1; i <= 20; i++) {
      life.onStray();
      if (life.closePending) answered.push(i);
      life.closePending = false;
    }
    assert.deepEqual(answered, [1, 3, 7, 15]);
  });

  test('draining is silent, and keeps the first reason', () => {
    const life = new Lifecycle();
    life.close(100, INFO, 30);
    life.drain(110, OTHER, 30);
    assert.deepEqual([life.state, life.endAt, life.closePending, life.info], ['draining', 140, false, INFO]);
    life.onStray();
    life.close(115, OTHER, 30);
    life.drain(120, OTHER, 30);
    assert.deepEqual([life.state, life.endAt, life.closePending], ['draining', 140, false]);
  });

  test('the end is the end', () => {
    const life = new Lifecycle();
    life.end(INFO);
    life.close(1, OTHER, 30);
    life.drain(2, OTHER, 30);
    life.end(OTHER);
    assert.deepEqual([life.state, life.endAt, life.closePending, life.info], ['closed', NEVER, false, INFO]);
  });
});

describe('a peer that acknowledges late, and so makes the probe timeout as long as it likes', () => {
  /** A server whose RTT a client has made seconds, by an ACK of a packet from 20 s ago. */
  function misled() {
    const pair = new EndpointPair({ clientTransport: { maxIdleTimeout: 0 } });
    const { server } = pair.established();
    pair.run(1000);
    server.ping();
    pair.flush();
    const number = Number(/1-RTT (\d+)/.exec(pair.log.at(-1)!)![1]);
    pair.filter = ({ from }) => from === pair.server;
    pair.run(20_000);
    pair.filter = () => true;
    sendForged(pair, pair.client, [FrameType.ACK, number, 0, 0, 0]);
    pair.filter = ({ from }) => from === pair.server;
    pair.run(pair.delay);
    assert.ok(server.stats().rttSmoothed > 2000, `${server.stats().rttSmoothed} ms`);
    return { pair, server };
  }

  test('keeps what closes for 30 s at most', () => {
    const { pair, server } = misled();
    server.close(pair.now, false, 0, '');
    pair.run(29_990);
    assert.equal(server.state, 'closing');
    pair.run(20);
    assert.equal(server.state, 'closed');
  });

  test('keeps what is idle no longer than the idle timeout of 30 s, after the one probe that is still due', () => {
    const { pair, server } = misled();
    pair.run(55_000);
    assert.equal(server.state, 'closed');
    assert.equal(server.closeInfo!.source, 'idle_timeout');
  });
});
