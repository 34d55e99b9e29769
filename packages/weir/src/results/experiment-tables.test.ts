import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fixtureExperiment } from '../../test/support/experiment-fixture.ts';
import { cellSettings, experimentOf, iterationRecord, sideResult } from '../../test/support/measure-fixture.ts';
import { wrap } from '../text/layout.ts';
import { experimentTables } from './experiment-tables.ts';
import type { IterationRecord } from './record.ts';

const RATES = [1000, 1010, 990, 1005, 995, 1002, 998, 1001];

function rates(cell: number, factor: number): IterationRecord[] {
  const sender = sideResult({ connection: { packetsLost: 12, limitsMs: { connection_flow_control: 7, delivery: 3 } } });
  return RATES.map((rate, index) => iterationRecord(cell, index + 1, rate * factor, { sender }));
}

const twoCells = () =>
  experimentOf([cellSettings({ streams: 1 }), cellSettings({ streams: 4 })], [...rates(0, 1), ...rates(1, 0.8)]);

test('each cell has a line with its numbers', () => {
  const lines = experimentTables(twoCells(), 200);
  assert.equal(lines[0], 'Goodput of 2 cells: quic, 977 KiB, up, cubic, path as it is');
  assert.match(
    lines[1]!,
    /^ +cell +streams +median +95% interval +mean +sd +n +steady +lost +RTT ms +CPU +fairness +limited by$/u,
  );
  assert.match(
    lines[2]!,
    /^ +1 +1 +8\.00 Mbit\/s +7\.96–8\.04 Mbit\/s +8\.00 Mbit\/s +\d\d\.\d kbit\/s +8 +– +1\.20% +20\.5 +50% +1\.000 +conn\. window 70%$/u,
  );
  assert.match(lines[3]!, /^ +2 +4 +6\.40 Mbit\/s/u);
});

test('below: what limited each, and how they compare', () => {
  const text = experimentTables(twoCells(), 200).join('\n');
  assert.match(
    text,
    /\nWhat limited it\n {2}cells 1, 2: 70% limited by the connection's flow-control window, 30% by .*: raise/u,
  );
  assert.match(text, /\nCompared\n {2}cell 2 against cell 1: 20% slower \(95% interval −20% to −20%, p = 0\.0078\)/u);
  assert.doesNotMatch(text, /Worth knowing/u);
});

test('outliers, failures and few iterations are told', () => {
  const records = rates(0, 1).slice(0, 5);
  const odd = { ...records[2]!, bytesPerMs: 100 };
  const failed = iterationRecord(0, 9, 1, { status: 'failed', bytesPerMs: null });
  const text = experimentTables(experimentOf([cellSettings()], [...records.with(2, odd), failed]), 200).join('\n');
  assert.match(text, /cell 1: 1 of 6 iterations failed and are not in the numbers/u);
  assert.match(text, /cell 1: far from the others, and in the numbers: iteration 3 \(800 kbit\/s\)/u);
  assert.match(text, /of 5 iterations the interval can promise 94% at most; from 6 on, 95%/u);
});

test('narrow terminals lose the least telling columns first, then the table', () => {
  const widths = [200, 120, 100, 80, 60, 40];
  const tables = widths.map((width) => experimentTables(twoCells(), width));
  for (const [index, lines] of tables.entries()) {
    const longest = Math.max(...lines.map((line) => line.length));
    assert.ok(longest <= widths[index]!, `${longest} columns on ${widths[index]}`);
    assert.match(lines.join('\n'), /8\.00 Mbit\/s/u);
  }
  const heads = tables.map((lines) => lines.find((line) => line.includes('median')) ?? '');
  assert.match(heads[3]!, /95% interval/u);
  assert.doesNotMatch(heads[3]!, /fairness|steady/u);
  const tiny = experimentTables(fixtureExperiment(), 10);
  assert.ok(
    tiny.every((line) => line.length <= 30 || !line.trim().includes(' ')),
    tiny.find((line) => line.length > 30),
  );
});

test('several paths have a legend, and an experiment without iterations has dashes', () => {
  const text = experimentTables(fixtureExperiment({ streams: [2] }), 120).join('\n');
  assert.match(text, /\n {4}path 1: delay=10ms,rate=200mbit,loss=0\.5%\n {4}path 2: /u);
  const empty = experimentTables(experimentOf([cellSettings()], []), 120).join('\n');
  assert.match(empty, / – /u);
  assert.doesNotMatch(empty, /NaN|Infinity|undefined/u);
  assert.equal(experimentTables(experimentOf([], []), 80)[0], 'no cells');
});

test('lines break between words', () => {
  assert.deepEqual(wrap('  one two three', 9, '    '), ['  one two', '    three']);
  assert.deepEqual(wrap('unbreakable', 4, ''), ['unbreakable']);
  assert.deepEqual(wrap('', 4, ''), ['']);
});
