import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from 'weir-quic/random';
import { type Direction, PathEmulator } from './path-emulator.ts';
import { parsePath } from './path-spec.ts';

/** An emulator on a clock of the test's, with everything that came through. */
function emulate(path: string, seed = 1) {
  const state = { now: 5000 };
  const arrived: { at: number; direction: Direction; peer: string; bytes: Uint8Array }[] = [];
  const emulator = new PathEmulator<string>(
    parsePath(path),
    seed,
    () => state.now,
    (direction, peer, bytes) => arrived.push({ at: state.now, direction, peer, bytes }),
  );
  return { state, arrived, emulator };
}

const bytes = new Uint8Array(1452);

test('a datagram arrives after the delay of its direction, and not before', () => {
  const { state, arrived, emulator } = emulate('up.delay=10ms,down.delay=30ms');
  emulator.send('up', 'a', bytes);
  emulator.send('down', 'a', bytes);
  assert.equal(emulator.earliest, 5010);
  state.now = 5009.9;
  emulator.deliverDue();
  assert.equal(arrived.length, 0);
  state.now = 5010;
  emulator.deliverDue();
  assert.deepEqual(arrived, [{ at: 5010, direction: 'up', peer: 'a', bytes }]);
  assert.equal(emulator.earliest, 5030);
});

test('a perfect path delivers at once', () => {
  const { arrived, emulator } = emulate('perfect');
  emulator.send('up', 'a', bytes);
  assert.equal(arrived.length, 1);
  assert.equal(emulator.earliest, Number.POSITIVE_INFINITY);
});

test('the rate holds over seconds although every wake-up is late', () => {
  const { state, arrived, emulator } = emulate('delay=5ms,rate=50mbit');
  const random = new SeededRandom(7);
  // 80 Mbit/s are offered: 1,480 bytes with headers every 0.148 ms. Those of a pause are read together after it.
  for (let i = 0; i < 40_000; i++) {
    const sentAt = 5000 + i * 0.148;
    if (sentAt >= state.now) {
      state.now = sentAt + random.unit() * 3;
      emulator.deliverDue();
    }
    emulator.send('up', 'a', bytes);
  }
  const seconds = (arrived.at(-1)!.at - arrived[0]!.at) / 1000;
  const mbits = (arrived.length * 1480 * 8) / 1e6 / seconds;
  assert.ok(seconds > 4, `${seconds} s`);
  assert.ok(Math.abs(mbits - 50) < 0.25, `${mbits} Mbit/s`);
  const { overflowed, lateness, deliveredBytes } = emulator.counters('up');
  assert.ok(overflowed > 0);
  assert.ok(lateness.mean > 0.5 && lateness.maximum < 3.2, JSON.stringify(lateness));
  assert.equal(deliveredBytes, arrived.length * 1452);
});

test('the same seed loses the same datagrams', () => {
  const fates = (seed: number) => {
    const { arrived, emulator, state } = emulate('loss=20%,burst=1%:4', seed);
    for (let i = 0; i < 200; i++) {
      state.now++;
      emulator.send(i % 2 === 0 ? 'up' : 'down', `${i}`, bytes);
    }
    return arrived.map(({ peer }) => peer);
  };
  assert.deepEqual(fates(3), fates(3));
  assert.notDeepEqual(fates(3), fates(4));
});

test('an outage counts from the first datagram', () => {
  const { state, arrived, emulator } = emulate('outage=1s:500ms');
  for (const at of [0, 999, 1000, 1499, 1500]) {
    state.now = 123_456 + at;
    emulator.send('up', `${at}`, bytes);
  }
  assert.deepEqual(
    arrived.map(({ peer }) => peer),
    ['0', '999', '1500'],
  );
});

test('what would fill memory is dropped and counted', () => {
  const { state, emulator } = emulate('delay=1s,mtu=65535');
  const large = new Uint8Array(65_507);
  for (let i = 0; i < 5000; i++) emulator.send('up', 'a', large);
  const { dropped } = emulator.counters('up');
  assert.equal(dropped, 5000 - Math.floor((256 << 20) / 65_507));
  state.now += 1000;
  emulator.deliverDue();
  emulator.send('up', 'a', large);
  assert.equal(emulator.counters('up').dropped, dropped, 'there is room again');
});
