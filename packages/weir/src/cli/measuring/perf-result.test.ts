import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PerfReport } from '../../perf/index.ts';
import { perfIteration, perfSummary, perfSummaryLines, perfTable } from './perf-result.ts';

const stream = { retransmittedBytes: 0, bytes: 1_000_000 };
/** Two streams one after the other, half a second each. */
const REPORT: PerfReport = {
  direction: 'up',
  bytes: 2_000_000,
  wallMs: 1000,
  streams: [
    { ...stream, stream: 1, id: 0, openedAtMs: 0, endedAtMs: 500.0004 },
    { ...stream, stream: 2, id: 4, openedAtMs: 500, endedAtMs: 1000 },
  ],
  connection: {
    rttMinMs: 1.23456,
    rttSmoothedMs: 2,
    congestionWindowBytes: 20_480,
    datagramBytes: 1452,
    packetsSent: 1500,
    packetsReceived: 700,
    packetsLost: 3,
    congestionEvents: 1,
    wireBytesSent: 2_100_000,
    wireBytesReceived: 40_000,
    limitsMs: { application: 100, congestion_window: 900 },
  },
};

test('the rate is all bytes over the wall time, not the sum of the streams', () => {
  const { bitsPerSecond, streams, connection } = perfIteration(1, REPORT);
  assert.equal(bitsPerSecond, 16_000_000);
  assert.equal(streams[1]!.bitsPerSecond, 16_000_000);
  assert.equal(streams[0]!.endedAtMs, 500);
  assert.equal(connection.rttMinMs, 1.235);
});

test('an iteration as lines: what only this side knows stands where it means something', () => {
  const up = perfTable(perfIteration(2, REPORT), 'up', 3).join('\n');
  assert.match(up, /^Iteration 2 of 3, up\n/u);
  assert.match(up, /resent B/u);
  assert.match(up, /cwnd 20\.0 KiB · 3 packets lost · datagrams of 1452 B · 90% congestion window/u);
  const down = perfTable(perfIteration(1, { ...REPORT, direction: 'down' }), 'down', 1).join('\n');
  assert.match(down, /^Iteration, down\n/u);
  assert.doesNotMatch(down, /resent|cwnd|lost/u);
});

test('no time is no rate', () => {
  const empty = perfIteration(1, { ...REPORT, bytes: 0, wallMs: 0 });
  assert.equal(empty.bitsPerSecond, null);
  assert.equal(perfSummary([empty]), null);
  assert.deepEqual(perfSummaryLines(null), []);
});

test('several iterations are summed up', () => {
  const iterations = [500, 1000, 2000].map((wallMs, i) => perfIteration(i + 1, { ...REPORT, wallMs }));
  const lines = perfSummaryLines(perfSummary(iterations));
  assert.match(lines[0]!, /^3 iterations: median 16\.0 Mbit\/s, mean 18\.7 Mbit\/s, 8\.00 Mbit\/s to 32\.0 Mbit\/s$/u);
  assert.match(lines[1]!, /promises less/u);
  assert.deepEqual(perfSummaryLines(perfSummary(iterations.slice(0, 1))), []);
});
