import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RECEIVE_LIMITS, ReceiveLimitIndex, SEND_LIMITS, SendLimitIndex } from './limit-clock.ts';
import { CONNECTION, createStreamCounts, ENDED, StreamClock } from './stream-clock.ts';
import { TurnClock } from './turn-clock.ts';

const { APPLICATION, CONGESTION_WINDOW, DELIVERY, EVENT_LOOP, HANDSHAKE, PACING } = SendLimitIndex;
const { NETWORK } = ReceiveLimitIndex;

/** The times that are not zero, by name. */
function named(times: ArrayLike<number>, limits: readonly string[] = SEND_LIMITS): Record<string, number> {
  return Object.fromEntries(limits.map((limit, i) => [limit, times[i]!] as const).filter(([, time]) => time !== 0));
}

test('the indexes are those of the names', () => {
  for (const [name, i] of Object.entries(SendLimitIndex)) assert.equal(SEND_LIMITS[i], name.toLowerCase());
  for (const [name, i] of Object.entries(ReceiveLimitIndex)) assert.equal(RECEIVE_LIMITS[i], name.toLowerCase());
});

test('a turn is the process at work; between turns the limit holds', () => {
  const clock = new TurnClock(100);
  clock.end(103, HANDSHAKE, NETWORK);
  clock.begin(110);
  clock.end(111, PACING, ReceiveLimitIndex.REASSEMBLY);
  clock.advance(115);
  clock.advance(120);
  assert.deepEqual(named(clock.send.times), { handshake: 7, pacing: 9, event_loop: 4 });
  assert.deepEqual(named(clock.receive.times, RECEIVE_LIMITS), { network: 7, reassembly: 9, event_loop: 4 });
});

test("where the runtime can tell, only idle time between turns is the limit's", () => {
  let idle = 1000;
  const clock = new TurnClock(0, () => idle);
  clock.end(1, PACING, NETWORK);
  idle += 6;
  clock.begin(11);
  assert.deepEqual(named(clock.send.times), { pacing: 6, event_loop: 5 });
  clock.end(12, APPLICATION, NETWORK);
  // More than has passed: the clocks differ by a little.
  idle += 3;
  clock.advance(14);
  assert.deepEqual(named(clock.send.times), { pacing: 6, event_loop: 6, application: 2 });
  idle -= 1;
  clock.advance(15);
  assert.equal(clock.send.times[EVENT_LOOP], 7, 'less than before counts as nothing');
});

test('time never goes backwards, and stands still after the end', () => {
  const clock = new TurnClock(10);
  clock.end(20, APPLICATION, NETWORK);
  clock.advance(15);
  assert.equal(clock.now, 20);
  clock.stop(30);
  clock.begin(40);
  clock.end(50, PACING, NETWORK);
  assert.deepEqual(named(clock.send.times), { application: 10, event_loop: 10 });
});

test('a stream is charged what it waits for, and what the connection is charged while it has something to send', () => {
  const turns = new TurnClock(0);
  const counts = createStreamCounts();
  turns.end(0, CONGESTION_WINDOW, NETWORK);
  turns.advance(5);
  const stream = new StreamClock(turns, counts);
  stream.enter(7, CONNECTION);
  assert.deepEqual([counts[APPLICATION], counts[CONNECTION]], [0, 1]);
  turns.begin(10);
  turns.end(11, PACING, NETWORK);
  assert.deepEqual(named(stream.read(14)), { application: 2, congestion_window: 3, event_loop: 1, pacing: 3 });
  stream.enter(15, DELIVERY);
  turns.begin(20);
  turns.end(22, APPLICATION, NETWORK);
  assert.deepEqual(named(stream.read(23)), {
    application: 2,
    congestion_window: 3,
    event_loop: 3,
    pacing: 4,
    delivery: 6,
  });
  stream.enter(24, ENDED);
  const times = stream.read(100);
  assert.equal(times[DELIVERY], 7);
  assert.equal(
    times.reduce((sum, time) => sum + time, 0),
    24 - 5,
  );
  stream.enter(101, APPLICATION);
  assert.deepEqual([stream.read(200), counts[ENDED], counts[APPLICATION]], [times, 1, 0]);
});
