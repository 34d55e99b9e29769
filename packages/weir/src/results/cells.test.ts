import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fixtureExperiment } from '../../test/support/experiment-fixture.ts';
import { cellSettings, experimentOf, iterationRecord, series, sideResult } from '../../test/support/measure-fixture.ts';
import { cellSummaries, compareRecords, referenceOf } from './cells.ts';
import type { CellSettings, IterationRecord } from './record.ts';

function rates(cell: number, values: readonly number[]): IterationRecord[] {
  return values.map((rate, index) => iterationRecord(cell, index + 1, rate));
}

test('a cell has the complete iterations, by number, and counts what failed', () => {
  const [summary] = cellSummaries(
    experimentOf(
      [cellSettings()],
      [
        iterationRecord(0, 3, 30),
        iterationRecord(0, 1, 99, { warmup: true }),
        iterationRecord(0, 1, 10),
        iterationRecord(0, 2, 20, { status: 'failed', bytesPerMs: null }),
        iterationRecord(0, 4, 20, { status: 'failed', bytesPerMs: null }),
        // Made up for by a resumed run.
        iterationRecord(0, 4, 40),
      ],
    ),
  );
  assert.deepEqual(
    summary!.records.map(({ iteration }) => iteration),
    [1, 3, 4],
  );
  assert.equal(summary!.failed, 1);
  assert.equal(summary!.goodput!.median, 30);
});

test('what failed is counted for its own cell, warm-ups left out, and an iteration without a rate is no iteration', () => {
  const failed = { status: 'failed', bytesPerMs: null } as const;
  const [first, second] = cellSummaries(
    experimentOf(
      [cellSettings(), cellSettings({ streams: 2 })],
      [
        iterationRecord(0, 1, 10),
        iterationRecord(0, 2, 0),
        iterationRecord(0, 3, 20, { bytesPerMs: null }),
        iterationRecord(0, 1, 99, { ...failed, warmup: true }),
        iterationRecord(1, 1, 10, failed),
        iterationRecord(1, 2, 10, failed),
        iterationRecord(1, 7, 10),
      ],
    ),
  );
  assert.deepEqual([first!.failed, second!.failed], [0, 2]);
  assert.deepEqual([first!.goodput!.count, second!.goodput!.count], [1, 1]);
  assert.equal(second!.against!.cell, 0);
});

test('a share of CPU is of those whose CPU and time are known', () => {
  const at = (iteration: number, cpuMs: number | null, wallMs: number | null) =>
    iterationRecord(0, iteration, 100, { cpuMs, wallMs });
  const shareOf = (...records: IterationRecord[]) =>
    cellSummaries(experimentOf([cellSettings()], records))[0]!.cpuShare;
  assert.equal(shareOf(at(1, null, 10), at(2, null, 10), at(3, 5, 10)), 0.5);
  assert.equal(shareOf(at(1, 5, null), at(2, 5, 0), at(3, 5, 10)), 0.5);
  assert.equal(shareOf(at(1, null, 10)), null);
});

test('losses are of all packets, the rest are medians', () => {
  const at = (iteration: number, sent: number, lost: number, rtt: number) =>
    iterationRecord(0, iteration, 100, {
      sender: sideResult({
        connection: {
          packetsSent: sent,
          packetsLost: lost,
          rttSmoothedMs: rtt,
          limitsMs: { pacing: 1 },
          slowStartMs: 5,
        },
      }),
      receiver: sideResult({ fairness: 0.5 }),
      senderSeries: series([0, 5, 15], [[0, 100, 1100]]),
      wallMs: 10,
      cpuMs: 4 * iteration,
    });
  const [summary] = cellSummaries(
    experimentOf([cellSettings()], [at(1, 100, 10, 5), at(2, 900, 10, 9), at(3, 1000, 0, 7)]),
  );
  assert.equal(summary!.lossShare, 0.01);
  assert.equal(summary!.rttMs, 7);
  assert.equal(summary!.fairness, 0.5);
  assert.equal(summary!.cpuShare, 0.8);
  assert.equal(summary!.steadyBytesPerMs, 100);
  assert.equal(summary!.explanation.cause, 'path');
});

test('a cell without iterations has no numbers', () => {
  const [summary] = cellSummaries(experimentOf([cellSettings()], []));
  assert.equal(summary!.goodput, null);
  assert.equal(summary!.lossShare, null);
  assert.equal(summary!.against, null);
});

test('the same experiment gives the same summaries', () => {
  const experiment = fixtureExperiment();
  assert.deepEqual(cellSummaries(experiment), cellSummaries(experiment));
});

test('compared are pairs by number from eight on, groups below', () => {
  const a = rates(0, [10, 11, 12, 13, 14, 15, 16, 17, 18]);
  const b = rates(1, [20, 21, 22, 23, 24, 25, 26, 27, 28]);
  const pairs = compareRecords(a, b.slice(1), 1)!;
  assert.equal(pairs.paired, true);
  assert.deepEqual(pairs.counts, [8, 8]);
  // 21/11 down to 28/18: each iteration with the one of its number.
  assert.equal(pairs.ratio.toFixed(3), Math.sqrt((24 / 14) * (25 / 15)).toFixed(3));
  const groups = compareRecords(a, b.slice(2), 1)!;
  assert.equal(groups.paired, false);
  assert.deepEqual(groups.counts, [9, 7]);
  assert.equal(compareRecords(a, [], 1), null);
});

test('what is compared with what', () => {
  const references = (cells: readonly Partial<CellSettings>[]) => {
    const all = cells.map(cellSettings);
    return all.map((_, cell) => referenceOf(all, cell));
  };
  assert.deepEqual(references([{ streams: 1 }, { streams: 4 }, { streams: 8 }]), [null, 0, 0]);
  // Sizes have nothing to do with each other as long as there is something else.
  assert.deepEqual(
    references([
      { bytes: 1, streams: 1 },
      { bytes: 1, streams: 2 },
      { bytes: 9, streams: 1 },
      { bytes: 9, streams: 2 },
    ]),
    [null, 0, null, 2],
  );
  assert.deepEqual(references([{ path: 'a' }, { path: 'b' }]), [null, 0]);
  assert.deepEqual(references([{ bytes: 1 }, { bytes: 9 }]), [null, 0]);
  // The baseline: with as many streams, otherwise the first; never for an emulated path.
  assert.deepEqual(
    references([
      { streams: 1 },
      { streams: 4 },
      { path: 'delay=9ms', streams: 1 },
      { path: 'delay=9ms', streams: 4 },
      { transport: 'tls-tcp', streams: 1 },
      { transport: 'tls-tcp', streams: 4 },
    ]),
    [4, 5, null, 2, null, 4],
  );
  assert.deepEqual(references([{ streams: 3 }, { transport: 'tls-tcp', streams: 1 }]), [1, null]);
  assert.deepEqual(references([{ transport: 'tls-tcp' }]), [null]);
});
