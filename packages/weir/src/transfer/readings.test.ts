import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RECEIVE_LIMITS, SEND_LIMITS } from 'weir-quic';
import type { CarrierSessionStats } from '../peer/carrier.ts';
import { readConnection } from './readings.ts';

/** Times in the order of `limits`. */
function times(limits: readonly string[], named: Readonly<Record<string, number>>): number[] {
  return limits.map((limit) => named[limit] ?? 0);
}

function stats(sending: Record<string, number>, receiving: Record<string, number>): CarrierSessionStats {
  return {
    rttMin: 1,
    rttSmoothed: 2,
    congestionController: 'cubic',
    congestionWindow: 12_000,
    maxDatagramSize: 1200,
    packetsSent: 0,
    packetsReceived: 0,
    packetsLost: 0,
    bytesSent: 0,
    bytesReceived: 0,
    bytesLost: 0,
    spuriousLosses: 0,
    ptoCount: 0,
    congestionEvents: 0,
    slowStartEndedAt: -1,
    sendLimitMs: times(SEND_LIMITS, sending),
    receiveLimitMs: times(RECEIVE_LIMITS, receiving),
  };
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const BEFORE = stats({ handshake: 30, application: 100 }, { network: 130 });

test('what was waited for in the iteration adds up to its wall time', () => {
  const after = stats({ handshake: 30, application: 104, pacing: 20.0004, event_loop: 3 }, { network: 157.0004 });
  const reading = readConnection(BEFORE, after, { start: 500, end: 520 });
  // 7 ms more than the wall time: of the application's first, then of the process.
  assert.deepEqual(reading.sendLimitMs, times(SEND_LIMITS, { pacing: 20 }));
  assert.deepEqual(reading.receiveLimitMs, times(RECEIVE_LIMITS, { network: 20 }));
});

test('what waiting for the data is not is left alone; what the readings miss is work on the first packets', () => {
  const after = stats({ handshake: 30, application: 101, congestion_window: 6 }, { network: 131, reassembly: 8 });
  const { sendLimitMs, receiveLimitMs } = readConnection(BEFORE, after, { start: 0, end: 9 });
  assert.deepEqual(sendLimitMs, times(SEND_LIMITS, { application: 1, congestion_window: 6, event_loop: 2 }));
  assert.deepEqual(receiveLimitMs, times(RECEIVE_LIMITS, { network: 1, reassembly: 8 }));
});

test('rounding to microseconds does not change the sum', () => {
  const after = stats(
    { handshake: 30, application: 100.3333, pacing: 1.3333, congestion_window: 0.3334 },
    { network: 132 },
  );
  const { sendLimitMs } = readConnection(BEFORE, after, { start: 0, end: 2 });
  assert.equal(Math.round(sum(sendLimitMs!) * 1e6) / 1e6, 2);
  for (const time of sendLimitMs!) assert.equal(time, Math.round(time * 1000) / 1000);
});

test('slow start ends in the iteration, before it or not yet', () => {
  const ended = (slowStartEndedAt: number) =>
    readConnection(BEFORE, { ...BEFORE, slowStartEndedAt }, { start: 500, end: 520 }).slowStartEndedAtMs;
  assert.deepEqual([ended(510.0004), ended(400), ended(-1)], [10, 0, -1]);
});

test('a session that does not measure limits leaves them out', () => {
  const { sendLimitMs, receiveLimitMs, slowStartEndedAt, ...without } = BEFORE;
  const reading = readConnection(without, without, { start: 0, end: 1 });
  for (const field of ['sendLimitMs', 'receiveLimitMs', 'slowStartEndedAtMs']) assert.equal(field in reading, false);
});
