import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fixtureExperiment, fixtureResult } from '../../test/support/experiment-fixture.ts';
import { cellSettings, experimentOf, iterationRecord, sideResult } from '../../test/support/measure-fixture.ts';
import { experimentCsv, streamsCsv } from './csv.ts';

/** RFC 4180, by its grammar. */
function parse(text: string): string[][] {
  const rows: string[][] = [];
  let at = 0;
  while (at < text.length) {
    const row: string[] = [];
    for (;;) {
      const match = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/u.exec(text.slice(at));
      assert.ok(match, `no field at ${at}`);
      row.push(match[1]?.replaceAll('""', '"') ?? match[2]!);
      at += match[0].length;
      if (match[3] !== ',') break;
    }
    rows.push(row);
  }
  return rows;
}

function records(text: string): Record<string, string>[] {
  const [head, ...rows] = parse(text);
  return rows.map((row) => {
    assert.equal(row.length, head!.length);
    return Object.fromEntries(head!.map((name, index) => [name, row[index]!]));
  });
}

test('one row an iteration, with its settings, numbers and limits', () => {
  const sender = sideResult({ connection: { packetsLost: 4, limitsMs: { pacing: 2.5, delivery: 1 }, slowStartMs: 0 } });
  const receiver = sideResult({ basis: 'arrivals', fairness: 0.9, connection: { limitsMs: { network: 9 } } });
  const experiment = experimentOf(
    [cellSettings({ path: 'delay=10ms,loss=1%', streams: 4 }), cellSettings({ transport: 'tls-tcp', cc: null })],
    [
      iterationRecord(0, 1, 125, { sender, receiver, order: 2 }),
      iterationRecord(1, 1, 125, {
        status: 'failed',
        message: 'no "answer",\nafter all',
        bytesPerMs: null,
        wallMs: null,
      }),
    ],
  );
  const [first, second] = records(experimentCsv(experiment));
  assert.equal(first!.path, 'delay=10ms,loss=1%');
  assert.equal(first!.cell, '1');
  assert.equal(first!.order, '2');
  assert.equal(first!.bits_per_second, '1000000');
  assert.equal(first!.packets_lost, '4');
  assert.equal(first!.fairness, '0.9');
  assert.equal(first!.sender_pacing_ms, '2.5');
  assert.equal(first!.sender_kernel_ms, '');
  assert.equal(first!.receiver_network_ms, '9');
  assert.equal(first!.slow_start_ms, '0');
  assert.equal(second!.status, 'failed');
  assert.equal(second!.message, 'no "answer",\nafter all');
  assert.equal(second!.congestion_controller, '');
  assert.equal(second!.bits_per_second, '');
  assert.equal(second!.packets_lost, '');
});

test('every row has every field; iterations of cells that are not there have none', () => {
  const experiment = fixtureExperiment();
  assert.equal(records(experimentCsv(experiment)).length, experiment.iterations.length);
  assert.equal(records(experimentCsv({ ...experiment, iterations: [iterationRecord(999, 1, 1)] })).length, 0);
});

test('a transfer has one row for each stream of each side', () => {
  const rows = records(streamsCsv(fixtureResult({ streams: [3], iterations: 2 })));
  assert.equal(rows.length, 2 * 2 * 3);
  assert.deepEqual(
    rows.slice(0, 4).map(({ iteration, side, stream }) => [iteration, side, stream]),
    [
      ['1', 'receiver', '1'],
      ['1', 'receiver', '2'],
      ['1', 'receiver', '3'],
      ['1', 'sender', '1'],
    ],
  );
});

test('any text comes back as it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('"', ',', '\r', '\n', 'a', ' ', 'é') }), (message) => {
      const experiment = experimentOf([cellSettings()], [iterationRecord(0, 1, 1, { message })]);
      assert.equal(records(experimentCsv(experiment))[0]!.message, message);
    }),
    { seed: 4, numRuns: 200 },
  );
});
