import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from 'weir-testing';
import { problems, type Schema } from '../../test/support/json-schema.ts';
import type { SideReading, StreamReading } from '../transfer/index.ts';
import { ArrivalMeter } from './arrival-meter.ts';
import { describeEnvironment } from './environment.ts';
import { sideResult } from './readings.ts';
import { makeResult, type ResultDocument, type ResultParts } from './result.ts';
import { iterationTable, summaryTable } from './tables.ts';

function stream(index: number, changes: Partial<StreamReading> = {}): StreamReading {
  return {
    index,
    bytes: 1000 * index,
    streamBytes: 1000 * index + 53,
    packets: 2 * index,
    firstAt: 0,
    lastAt: 10,
    retransmittedBytes: 7,
    duplicateBytes: 0,
    blockedByStreamMs: 1,
    blockedByConnectionMs: 2,
    reassemblyMs: 0,
    ...changes,
  };
}

function reading(streams: readonly StreamReading[], iteration = 1): SideReading {
  return {
    iteration,
    wallMs: 20,
    startedAtMs: 0,
    storedAfterMs: 3,
    streams,
    connection: {
      rttMinMs: 0.5,
      rttSmoothedMs: 1,
      congestionWindow: 12_000,
      packetsSent: 9,
      packetsReceived: 8,
      packetsLost: 1,
      bytesLost: 1200,
      spuriousLosses: 0,
      probeTimeouts: 0,
      congestionEvents: 1,
      wireBytesSent: 5000,
      wireBytesReceived: 600,
    },
  };
}

const OFFER = { name: 'a.bin', size: 3000, streams: 2, iterations: 2, chunkBytes: 1024 };

function document(changes: Partial<ResultParts> = {}): ResultDocument {
  const side = reading([stream(1), stream(2)]);
  return makeResult({
    version: '1.2.3',
    createdAt: new Date(0),
    role: 'receiver',
    environment: describeEnvironment('portable'),
    offer: OFFER,
    connection: {
      cipher: 'TLS_AES_128_GCM_SHA256',
      congestionController: 'cubic',
      datagramBytes: 1200,
      localAddress: '127.0.0.1:1',
      remoteAddress: '[::1]:2',
    },
    iterations: [
      { number: 1, digest: 'aa', sender: side, receiver: side },
      { number: 2, digest: 'aa', sender: undefined, receiver: { ...side, iteration: 2, startedAtMs: 50 } },
    ],
    outcome: { status: 'complete', exitCode: 0, message: null, savedAs: 'a.bin' },
    ...changes,
  });
}

test('each stream is rated over its own time, all together over wall time', () => {
  const side = sideResult(reading([stream(1), stream(2, { firstAt: 5, lastAt: 20 })]), 'arrivals');
  assert.deepEqual(
    side.streams.map((s) => [s.durationMs, s.bytesPerMs, s.packetsPerMs]),
    [
      [10, 100, 0.2],
      [15, 133.333333, 0.266666667],
    ],
  );
  assert.equal(side.bytes, 3000);
  assert.equal(side.bytesPerMs, 150);
  assert.equal(side.packetsPerMs, 0.3);
  assert.equal(side.meanStreamBytesPerMs?.toFixed(3), '116.667');
  assert.equal(side.fairness, 0.9);
});

test('what has no meaningful number is null: one instant, nothing at all', () => {
  const side = sideResult(
    reading([stream(1, { lastAt: 0 }), stream(2, { bytes: 0, packets: 0, firstAt: -1, lastAt: -1 })]),
    'arrivals',
  );
  assert.equal(side.streams[0]!.bytesPerMs, null);
  assert.equal(side.streams[1]!.firstByteMs, null);
  assert.equal(side.streams[1]!.durationMs, null);
  assert.equal(side.meanStreamBytesPerMs, null);
  assert.equal(sideResult(reading([stream(1, { bytes: 0 })]), 'arrivals').fairness, null);
});

test('totals add up the iterations that have a side', () => {
  const { totals } = document();
  assert.equal(totals.receiver!.bytes, 6000);
  assert.equal(totals.receiver!.wallMs, 40);
  assert.equal(totals.receiver!.bytesPerMs, 150);
  assert.equal(totals.sender!.bytes, 3000);
  assert.equal(totals.sender!.retransmittedBytes, 14);
  assert.equal(document({ iterations: [] }).totals.sender, null);
});

test('a meter for packets reads like a stream', () => {
  const meter = new ArrivalMeter(3);
  assert.equal(meter.read(100).firstAt, -1);
  meter.onPacket(110, 500);
  meter.onPacket(130, 700);
  const { index, bytes, packets, firstAt, lastAt } = meter.read(100);
  assert.deepEqual(
    { index, bytes, packets, firstAt, lastAt },
    { index: 3, bytes: 1200, packets: 2, firstAt: 10, lastAt: 30 },
  );
});

test('times by limit have the names of the side, and are null where they were not measured', () => {
  const without = sideResult(reading([stream(1)]), 'acknowledgements');
  assert.deepEqual([without.connection.limitsMs, without.connection.slowStartMs], [null, null]);
  assert.equal(without.streams[0]!.limitsMs, null);
  const measured = reading([stream(1, { sendLimitMs: [0, 3, 0, 0, 0, 17, 0, 0, 0, 0] })]);
  const connection = {
    ...measured.connection,
    sendLimitMs: [0, 0, 0, 0, 0, 18, 2, 0, 0, 0],
    receiveLimitMs: [15, 5, 0, 0],
    slowStartEndedAtMs: 6,
  };
  const sender = sideResult({ ...measured, connection }, 'acknowledgements');
  assert.equal(sender.connection.limitsMs?.congestion_window, 18);
  assert.equal(sender.connection.limitsMs?.pacing, 2);
  assert.equal(sender.connection.slowStartMs, 6);
  assert.equal(sender.streams[0]!.limitsMs?.application, 3);
  const receiver = sideResult({ ...measured, connection }, 'arrivals');
  assert.deepEqual(receiver.connection.limitsMs, { network: 15, reassembly: 5, application: 0, event_loop: 0 });
  assert.equal(receiver.connection.slowStartMs, null);
});

test('tables show every stream and every iteration once', () => {
  const result = document();
  const lines = iterationTable(result.iterations[0]!, 2).join('\n');
  assert.match(lines, /^Iteration 1 of 2\n/u);
  assert.equal(lines.match(/^ +1 +1000 +2 /gmu)?.length, 2);
  assert.equal(lines.match(/^ +2 +2000 +4 /gmu)?.length, 2);
  assert.match(iterationTable(result.iterations[1]!, 2).join('\n'), /no numbers from the sender/u);
  const summary = summaryTable(result).join('\n');
  assert.match(summary, /^ +1 +20\.0 +150 /mu);
  assert.match(summary, /total received: 5\.86 KiB/u);
  assert.deepEqual(
    summaryTable(document({ iterations: [] })).filter((line) => line.includes('undefined')),
    [],
  );
});

test('documents are what docs/result.schema.json says', () => {
  const schema = JSON.parse(
    readFileSync(join(packageRoot(import.meta.url), 'docs', 'result.schema.json'), 'utf8'),
  ) as Schema;
  const failed = document({
    offer: undefined,
    connection: undefined,
    iterations: [],
    outcome: { status: 'failed', exitCode: 3, message: 'no answer', savedAs: null },
  });
  const side = reading([stream(1, { sendLimitMs: Array(10).fill(1) })]);
  const connection = { ...side.connection, sendLimitMs: Array(10).fill(2), receiveLimitMs: Array(4).fill(5) };
  const limited = { ...side, connection: { ...connection, slowStartEndedAtMs: 0 } };
  const measured = document({ iterations: [{ number: 1, digest: 'aa', sender: limited, receiver: limited }] });
  for (const made of [document(), failed, document({ sha256: 'ab'.repeat(32) }), measured]) {
    assert.deepEqual(problems(JSON.parse(JSON.stringify(made)), schema, schema, '$'), []);
  }
  const wrong = JSON.parse(JSON.stringify(document())) as {
    iterations: { sender: { streams: { bytes: unknown }[] } }[];
    extra?: 1;
  };
  wrong.iterations[0]!.sender.streams[0]!.bytes = 'x';
  wrong.extra = 1;
  assert.equal(problems(wrong, schema, schema, '$').length, 2);
});
