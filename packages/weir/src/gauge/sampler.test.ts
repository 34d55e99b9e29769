import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from 'weir-quic/sim';
import type { CarrierStream } from '../peer/index.ts';
import { MAX_SAMPLES, type SampledSession, Sampler } from './sampler.ts';

/** A session whose counters are functions of its clock. */
function sessionOf(clock: VirtualClock): SampledSession {
  return {
    now: () => clock.now,
    setTimer: (at, callback) => clock.book(at, callback),
    get stats() {
      return {
        congestionWindow: 10_000 + clock.now,
        bytesInFlight: 5_000,
        rttSmoothed: 20,
        rttMin: clock.now < 1010 ? 0 : 19,
        packetsLost: 7 + Math.floor(clock.now / 100),
        sendLimitMs: [clock.now, 0, 0],
        receiveLimitMs: [0, clock.now],
      };
    },
  };
}

function streamOf(clock: VirtualClock, bytesPerMs: number): CarrierStream {
  return {
    get stats() {
      return { bytesAcked: 9 + bytesPerMs * (clock.now - 1000), bytesReceived: 9 + clock.now - 1000 };
    },
  } as CarrierStream;
}

function runTo(clock: VirtualClock, end: number): void {
  while (clock.next <= end) clock.step();
}

test('samples come every 5 ms at first, with counts from the start', () => {
  const clock = new VirtualClock(1000);
  const seen: number[] = [];
  const streams = [streamOf(clock, 2), streamOf(clock, 3)];
  const onSample = ({ at }: { at: number }) => seen.push(at);
  const sampler = new Sampler(sessionOf(clock), { side: 'sender', streams, overheadBytes: 9, onSample });
  sampler.start();
  runTo(clock, 1100);
  const series = sampler.stop();
  assert.deepEqual(series.atMs, [...Array(21).keys()].map((i) => 5 * i).concat(100));
  assert.deepEqual(seen.slice(0, 3), [1005, 1010, 1015]);
  assert.equal(seen.length, 20);
  assert.deepEqual(
    series.streamBytes.map((column) => [column[0], column[1], column.at(-1)]),
    [
      [0, 10, 200],
      [0, 15, 300],
    ],
  );
  assert.equal(series.packetsLost[0], 0);
  assert.equal(series.packetsLost.at(-1), 1);
  assert.deepEqual(series.rttMs.slice(0, 3), [null, null, 20]);
  assert.deepEqual(series.limitMs[0]!.slice(0, 3), [0, 5, 10]);
  assert.equal(series.congestionWindowBytes[1], 11_005);
});

test('however long it runs, samples stay bounded and even', () => {
  for (const [count, most] of [
    [1, MAX_SAMPLES],
    [64, MAX_SAMPLES],
    [512, 80],
  ] as const) {
    const clock = new VirtualClock(1000);
    const streams = Array.from({ length: count }, () => streamOf(clock, 1));
    const sampler = new Sampler(sessionOf(clock), { side: 'sender', streams });
    sampler.start();
    let steps = 0;
    while (clock.next <= 1000 + 3_600_000) {
      clock.step();
      steps++;
    }
    const { atMs } = sampler.stop();
    assert.ok(atMs.length >= most / 2 - 1 && atMs.length <= most, `${count} streams: ${atMs.length}`);
    const gaps = new Set(atMs.slice(1, -1).map((at, i) => at - atMs[i]!));
    assert.equal(gaps.size, 1, `${[...gaps]}`);
    assert.ok(steps < 12 * most, `${steps} steps`);
  }
});

test('a receiver: arrivals, its own limits, streams that come late, times from its first byte', () => {
  const clock = new VirtualClock(1000);
  const streams: (CarrierStream | undefined)[] = [undefined, undefined];
  const sampler = new Sampler(sessionOf(clock), { side: 'receiver', streams, overheadBytes: 9 });
  clock.book(1020, () => {
    streams[1] = streamOf(clock, 1);
  });
  runTo(clock, 1002);
  sampler.start();
  runTo(clock, 1040);
  const series = sampler.stop(998);
  assert.deepEqual(
    series.streamBytes[0],
    series.streamBytes[0]!.map(() => 0),
  );
  assert.equal(series.streamBytes[1]![3], 0);
  assert.equal(series.streamBytes[1]!.at(-1), 40);
  assert.equal(series.atMs[0], 0, 'at the first byte nothing had come');
  assert.equal(series.atMs[1], 7);
  assert.deepEqual(series.limitMs[1]!.slice(0, 3), [0, 5, 10]);
});

test('it can be looked at without being started, and stopped without leaving a timer', () => {
  const clock = new VirtualClock(1000);
  const sampler = new Sampler(sessionOf(clock), { side: 'sender', streams: [streamOf(clock, 1)] });
  assert.equal(sampler.read().at, 1000);
  assert.deepEqual(sampler.stop().atMs, []);
  sampler.start();
  sampler.cancel();
  assert.equal(clock.next, Number.POSITIVE_INFINITY);
  assert.equal(sampler.stop().atMs.length, 1);
});
