/**
 * A program such as people have around `iperf3 --json`: it knows iperf3's documented fields and nothing of weir. Reads a file, checks
 * that it adds up, and prints what iperf3 prints. Exit code 1 and a line on standard error when it cannot.
 *
 * node consumer.js FILE
 */
import { readFileSync } from 'node:fs';
import { argv, exit, stderr, stdout } from 'node:process';

// biome-ignore lint/suspicious/noExplicitAny: as scripts are, it takes the fields on trust and fails where they are missing.
type Json = any;

function must(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(what);
}

function near(a: number, b: number, what: string): void {
  must(Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(a), Math.abs(b)), `${what}: ${a} is not ${b}`);
}

function add(list: readonly Json[], field: string): number {
  return list.reduce((total, entry) => total + number(entry, field), 0);
}

function number(entry: Json, field: string): number {
  const value = entry[field];
  must(typeof value === 'number' && Number.isFinite(value), `${field} is ${value}`);
  return value;
}

/** Seconds, bytes and rate say the same. */
function checkRate(entry: Json, what: string): void {
  const seconds = number(entry, 'seconds');
  near(number(entry, 'end') - number(entry, 'start'), seconds, `${what}: end - start`);
  if (seconds > 0)
    near(number(entry, 'bits_per_second'), (number(entry, 'bytes') * 8) / seconds, `${what}: bits_per_second`);
}

function line(socket: string, entry: Json, role: string): string {
  const span = `${entry.start.toFixed(2)}-${entry.end.toFixed(2)} sec`;
  const retransmits = entry.retransmits === undefined ? '' : `  ${entry.retransmits}`;
  const window = entry.snd_cwnd === undefined ? '' : `  ${(entry.snd_cwnd / 1024).toFixed(0)} KBytes`;
  const bytes = `${(entry.bytes / 1048576).toFixed(2)} MBytes`;
  return `[${socket.padStart(3)}]  ${span}  ${bytes}  ${(entry.bits_per_second / 1e6).toFixed(1)} Mbits/sec${retransmits}${window}  ${role}`;
}

function intervalLines(interval: Json, sockets: ReadonlySet<number>): string[] {
  const { streams, sum } = interval;
  for (const stream of streams) {
    must(sockets.has(stream.socket), `socket ${stream.socket} is not in start.connected`);
    checkRate(stream, 'interval stream');
    must(stream.omitted === false, 'omitted');
  }
  checkRate(sum, 'interval sum');
  near(sum.bytes, add(streams, 'bytes'), 'interval sum.bytes');
  return [...streams.map((stream: Json) => line(String(stream.socket), stream, '')), line('SUM', sum, '')];
}

function endLines(end: Json, sockets: ReadonlySet<number>): string[] {
  const { streams, sum_sent, sum_received } = end;
  must(streams.length === sockets.size, `${streams.length} end.streams of ${sockets.size} connected`);
  checkRate(sum_sent, 'sum_sent');
  checkRate(sum_received, 'sum_received');
  near(
    add(
      streams.map((s: Json) => s.sender),
      'bytes',
    ),
    sum_sent.bytes,
    'end sender bytes',
  );
  near(
    add(
      streams.map((s: Json) => s.receiver),
      'bytes',
    ),
    sum_received.bytes,
    'end receiver bytes',
  );
  const each = streams.flatMap((s: Json) => [
    line(String(s.sender.socket), s.sender, 'sender'),
    line(String(s.receiver.socket), s.receiver, 'receiver'),
  ]);
  return [...each, line('SUM', sum_sent, 'sender'), line('SUM', sum_received, 'receiver')];
}

function report(test: Json): string[] {
  const { start, intervals, end } = test;
  const sockets = new Set<number>(start.connected.map((connected: Json) => connected.socket));
  must(sockets.size === start.test_start.num_streams, 'num_streams');
  must(Number.isInteger(start.timestamp.timesecs), 'timesecs');
  must(intervals.length > 0, 'no intervals');
  for (let i = 1; i < intervals.length; i++)
    near(intervals[i].sum.start, intervals[i - 1].sum.end, 'intervals leave a gap');
  const cpu = end.cpu_utilization_percent?.host_total;
  return [
    `${start.version} ${start.test_start.protocol}${start.test_start.reverse === 1 ? ' reverse' : ''}`,
    ...intervals.flatMap((interval: Json) => intervalLines(interval, sockets)),
    '- - -',
    ...endLines(end, sockets),
    ...(cpu === undefined ? [] : [`CPU ${number({ cpu }, 'cpu').toFixed(1)}%`]),
  ];
}

try {
  const document: Json = JSON.parse(readFileSync(argv[2]!, 'utf8'));
  const tests: Json[] = Array.isArray(document) ? document : [document];
  stdout.write(`${tests.flatMap(report).join('\n')}\n`);
} catch (error) {
  stderr.write(`${error instanceof Error ? error.message : error}\n`);
  exit(1);
}
