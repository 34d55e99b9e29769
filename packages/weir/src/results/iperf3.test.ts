import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fixtureExperiment, fixtureResult } from '../../test/support/experiment-fixture.ts';
import {
  cellSettings,
  experimentOf,
  iterationRecord,
  series,
  sideResult,
  streamResult,
} from '../../test/support/measure-fixture.ts';
import { iperf3Json, iperf3OfCell, iperf3OfDocument, iperf3OfIteration } from './iperf3.ts';

/** What the consumer says of a document; throws what it complains of. */
function consume(text: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'weir-iperf3-'));
  try {
    const file = join(folder, 'test.json');
    writeFileSync(file, text);
    const consumer = fileURLToPath(new URL('../../test/iperf3/consumer.js', import.meta.url));
    const { status, stdout, stderr } = spawnSync(process.execPath, [consumer, file], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr.trim());
    return stdout.trimEnd().split('\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Four seconds over two streams, 1 and 3 MB each second, 5 packets lost in the third. */
function twoStreams() {
  const atMs = [0, 500, 1000, 2000, 2500, 3000, 4000];
  const columns = [1000, 3000].map((rate) => atMs.map((at) => at * rate));
  const streams = [streamResult({ stream: 1, bytes: 4_000_000 }), streamResult({ stream: 2, bytes: 12_000_000 })];
  const course = series(atMs, columns, {
    packetsLost: [0, 0, 0, 0, 2, 5, 5],
    rttMs: [null, 20, 21, 22, 23, 24, 25],
    congestionWindowBytes: [10, 20, 30, 40, 50, 60, 70].map((n) => n * 1000),
  });
  const sender = sideResult({ wallMs: 4000, streams, connection: { packetsLost: 5, rttMinMs: 19.5 } });
  const receiver = sideResult({ basis: 'arrivals', wallMs: 3980, streams });
  return iterationRecord(0, 1, 16_000_000 / 3980, {
    bytes: 16_000_000,
    wallMs: 3980,
    cpuMs: 1990,
    sender,
    receiver,
    senderSeries: course,
  });
}

const CELLS = [cellSettings({ streams: 2 })];

test('a script over the fields that iperf3 documents reads a run over several streams', () => {
  const lines = consume(iperf3Json(experimentOf(CELLS, [twoStreams()])));
  assert.equal(lines[0], 'weir 1.2.3 QUIC');
  assert.deepEqual(lines.slice(1, 4), [
    '[  1]  0.00-1.00 sec  0.95 MBytes  8.0 Mbits/sec  29 KBytes  ',
    '[  2]  0.00-1.00 sec  2.86 MBytes  24.0 Mbits/sec  29 KBytes  ',
    '[SUM]  0.00-1.00 sec  3.81 MBytes  32.0 Mbits/sec  0  ',
  ]);
  assert.equal(lines[9], '[SUM]  2.00-3.00 sec  3.81 MBytes  32.0 Mbits/sec  5  ');
  assert.deepEqual(lines.slice(-3), [
    '[SUM]  0.00-4.00 sec  15.26 MBytes  32.0 Mbits/sec  5  sender',
    '[SUM]  0.00-3.98 sec  15.26 MBytes  32.2 Mbits/sec  receiver',
    'CPU 50.0%',
  ]);
});

test('the same script reads what iperf3 itself writes', () => {
  const rate = (start: number, end: number, bytes: number) => ({
    start,
    end,
    seconds: end - start,
    bytes,
    bits_per_second: (bytes * 8) / (end - start),
  });
  const tcp = { retransmits: 0, snd_cwnd: 4_194_304, snd_wnd: 3_145_728, rtt: 93, rttvar: 12, pmtu: 1500 };
  const own = {
    start: {
      connected: [{ socket: 5, local_host: '10.0.0.1', local_port: 40000, remote_host: '10.0.0.2', remote_port: 5201 }],
      version: 'iperf 3.16',
      system_info: 'Linux',
      timestamp: { time: 'Thu, 01 Jan 2026 00:00:00 GMT', timesecs: 1767225600 },
      test_start: {
        protocol: 'TCP',
        num_streams: 1,
        blksize: 131072,
        omit: 0,
        duration: 2,
        bytes: 0,
        blocks: 0,
        reverse: 0,
      },
    },
    intervals: [0, 1].map((i) => ({
      streams: [{ socket: 5, ...rate(i, i + 1, 125_000_000), ...tcp, omitted: false, sender: true }],
      sum: { ...rate(i, i + 1, 125_000_000), retransmits: 0, omitted: false, sender: true },
    })),
    end: {
      streams: [
        {
          sender: { socket: 5, ...rate(0, 2, 250_000_000), retransmits: 0, max_snd_cwnd: 4_194_304, sender: true },
          receiver: { socket: 5, ...rate(0, 2, 250_000_000), sender: true },
        },
      ],
      sum_sent: { ...rate(0, 2, 250_000_000), retransmits: 0, sender: true },
      sum_received: { ...rate(0, 2, 250_000_000), sender: true },
      cpu_utilization_percent: { host_total: 12.5, host_user: 2.5, host_system: 10, remote_total: 20 },
    },
  };
  assert.equal(consume(JSON.stringify(own)).at(-2), '[SUM]  0.00-2.00 sec  238.42 MBytes  1000.0 Mbits/sec  receiver');
  own.intervals[1]!.sum.bytes += 1000;
  assert.throws(() => consume(JSON.stringify(own)), /bits_per_second/u);
});

test('whole experiments and transfers go through the script, one document a cell', () => {
  const several = consume(iperf3Json(fixtureExperiment({ streams: [1, 4] }), { intervalMs: 100 }));
  assert.equal(several.filter((line) => line.startsWith('weir ')).length, 4);
  const transfer = iperf3OfDocument(fixtureResult({ streams: [3], iterations: 2 }));
  assert.equal(transfer.start.test_start.num_streams, 3);
  assert.equal(transfer.intervals.length, 2);
  assert.equal(transfer.start.connected[0]!.remote_port, 12345);
  consume(JSON.stringify(transfer));
});

test('window and RTT are the connection’s at the end of the interval, in bytes and microseconds', () => {
  const { intervals, end } = iperf3OfIteration(experimentOf(CELLS, []), twoStreams());
  assert.deepEqual(
    intervals.map(({ streams }) => [streams[0]!.snd_cwnd, streams[1]!.rtt]),
    [
      [30_000, 21_000],
      [40_000, 22_000],
      [60_000, 24_000],
      [70_000, 25_000],
    ],
  );
  assert.deepEqual(
    intervals.map(({ sum }) => sum.retransmits),
    [0, 0, 5, 0],
  );
  assert.equal(end.streams[0]!.sender!.min_rtt, 19_500);
  assert.equal(end.sum_sent.retransmits, 5);
  assert.equal(end.sender_tcp_congestion, 'cubic');
});

test('what does not apply is not there', () => {
  const { start, intervals, end } = iperf3OfCell(experimentOf(CELLS, [twoStreams()]), 0);
  assert.equal('retransmits' in intervals[0]!.streams[0]!, false);
  assert.equal('retransmits' in end.sum_received, false);
  assert.equal('connecting_to' in start, false);
  assert.equal('remote_total' in end.cpu_utilization_percent!, false);
  // With a single stream the connection's losses are the stream's.
  const one = series([0, 10], [[0, 1000]], { packetsLost: [0, 3] });
  const record = iterationRecord(0, 1, 100, { bytes: 1000, wallMs: 10, sender: sideResult(), senderSeries: one });
  const alone = iperf3OfIteration(experimentOf([cellSettings()], []), record);
  assert.equal(alone.intervals[0]!.streams[0]!.retransmits, 3);
  assert.equal(alone.end.streams[0]!.sender!.retransmits, 0);
  assert.equal('retransmits' in end.streams[0]!.sender!, false);
});

test('a receiver writes what arrived: no window, no losses, reverse', () => {
  const sent = twoStreams();
  const record = { ...sent, receiverSeries: sent.senderSeries };
  const { start, intervals, end } = iperf3OfIteration(
    experimentOf([cellSettings({ streams: 2, direction: 'down' })], []),
    record,
  );
  assert.equal(start.test_start.reverse, 1);
  assert.equal(intervals[0]!.sum.sender, false);
  assert.equal('snd_cwnd' in intervals[0]!.streams[0]!, false);
  assert.equal('retransmits' in intervals[0]!.sum, false);
  assert.equal(intervals.at(-1)!.sum.end, 3.98);
  assert.equal(end.sum_received.seconds, 3.98);
});

test('iterations follow each other without the pauses, warm-ups and failures left out', () => {
  const record = twoStreams();
  const experiment = experimentOf(CELLS, [
    { ...record, iteration: 1, warmup: true },
    { ...record, iteration: 2 },
    { ...record, iteration: 1 },
    { ...record, iteration: 3, status: 'failed' as const },
  ]);
  const { intervals, end } = iperf3OfCell(experiment, 0);
  assert.equal(intervals.length, 8);
  assert.deepEqual([intervals[4]!.sum.start, intervals[7]!.sum.end], [4, 8]);
  assert.equal(end.sum_sent.bytes, 32_000_000);
  assert.throws(() => iperf3OfCell(experiment, 1), RangeError);
});

test('an iteration that says it took longer than iperf3 can measure is one interval', () => {
  const record = twoStreams();
  const sender = { ...record.sender!, wallMs: 2 ** 53 };
  const { intervals } = iperf3OfIteration(experimentOf(CELLS, []), { ...record, sender });
  assert.deepEqual(
    intervals.map(({ sum }) => sum.bytes),
    [sender.streams.reduce((sum, { bytes }) => sum + bytes, 0)],
  );
});

test('TLS over TCP has its bytes and its time', () => {
  const settings = cellSettings({ transport: 'tls-tcp', cc: null });
  const { start, intervals, end } = iperf3OfCell(experimentOf([settings], [iterationRecord(0, 1, 1000)]), 0);
  assert.equal(start.test_start.protocol, 'TCP');
  assert.equal(intervals.length, 1);
  assert.equal(end.sum_received.bits_per_second, 8_000_000);
  assert.deepEqual(end.streams, []);
});
