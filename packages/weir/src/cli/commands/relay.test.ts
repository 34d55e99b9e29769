import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DirectionCounters, RelayCounters } from '../../relay/index.ts';
import { CliError, ExitCode } from '../exit-codes.ts';
import { countersTable, readPath, warnings } from './relay.ts';

const WAY: DirectionCounters = {
  sent: 100,
  delivered: 90,
  lost: 4,
  overflowed: 5,
  oversized: 1,
  reordered: 0,
  duplicated: 0,
  corrupted: 0,
  marked: 0,
  deliveredBytes: 90_000,
  dropped: 0,
  lateness: { mean: 0.1, p99: 0.4, maximum: 9 },
};
const COUNTERS: RelayCounters = {
  up: WAY,
  down: { ...WAY, sent: 7 },
  clients: 1,
  clientsSeen: 1,
  unreachable: 0,
  unsent: 0,
  kernelDrops: 0,
};

test('both directions stand side by side', () => {
  const lines = countersTable(COUNTERS);
  assert.match(lines[0]!, /^ +up +down$/u);
  assert.match(lines[1]!, /^datagrams in +100 +7$/u);
  assert.match(lines.at(-1)!, /^late, most ms +9\.00 +9\.00$/u);
  assert.equal(new Set(lines.map(({ length }) => length)).size, 1);
});

test('a relay that kept up says nothing of itself', () => {
  assert.deepEqual(warnings(COUNTERS), []);
  assert.deepEqual(warnings({ ...COUNTERS, kernelDrops: null }), []);
});

test('a relay that did not keep up says so', () => {
  const late = { ...WAY, lateness: { mean: 1, p99: 2.5, maximum: 3 } };
  assert.match(warnings({ ...COUNTERS, down: late })[0]!, /late by more than 2 ms/u);
  const lossy = { ...COUNTERS, kernelDrops: 3, unsent: 2, up: { ...WAY, dropped: 1 } };
  assert.match(warnings(lossy)[0]!, /^warning: 6 datagrams were lost by the relay itself/u);
  assert.match(warnings({ ...COUNTERS, unreachable: 2 })[0]!, /nothing listens/u);
});

test('a path that cannot be read is a wrong argument', () => {
  assert.throws(
    () => readPath('delay=fast'),
    (error) => error instanceof CliError && error.exitCode === ExitCode.USAGE && /delay=20ms/u.test(error.message),
  );
});
