/** How time and memory grow with the number of streams, with connections and with the size of what is sent. */
import { type BenchSetup, runPair } from './pair.ts';
import { type Answer, mebibytes, medians, type Row, rounded } from './report.ts';
import type { Subject } from './subjects.ts';
import { measureTransfer, mebibyte, transferMethod } from './transfer.ts';
import { takeTurns } from './turns.ts';

const directions = ['up', 'down'] as const;

/** The subjects without those that only differ in cipher or datagram size. */
function principal({ subjects }: BenchSetup): Subject[] {
  return subjects.filter(({ variant }) => !variant);
}

/** 1 to 1,000 streams of one connection share the same bytes. */
export async function streams(setup: BenchSetup): Promise<Answer> {
  const bytes = (setup.quick ? 256 : 4096) * mebibyte;
  const counts = setup.quick ? [1, 1000] : [1, 10, 100, 1000];
  const cases = counts.flatMap((count) => directions.map((direction) => ({ bytes, streams: count, direction })));
  const subjects = principal(setup).filter(({ ours, multiplexes }) => multiplexes && (ours || !setup.quick));
  const samples = await takeTurns(
    setup,
    subjects,
    cases,
    (one) => ({ streams: one.streams, direction: one.direction }),
    measureTransfer.bind(undefined, setup),
  );
  return {
    question: 'Growth with streams: the same bytes over more of them',
    method: `${bytes / mebibyte} MiB in all; time per byte: times that of one stream; ${transferMethod}`,
    rows: withGrowth(medians(samples, ['direction', 'streams', 'subject']), ['direction', 'subject']),
    samples,
  };
}

/** One stream, from a small file's bytes to many. */
export async function sizes(setup: BenchSetup): Promise<Answer> {
  const mebibytesOf = setup.quick ? [1, 256] : [1, 16, 256, 1024, 4096];
  const subjects = principal(setup).filter(({ ours }) => ours || !setup.quick);
  const samples = await takeTurns(
    setup,
    subjects,
    mebibytesOf,
    (size) => ({ MiB: size }),
    (subject, size) => measureTransfer(setup, subject, { bytes: size * mebibyte, streams: 1, direction: 'up' }),
  );
  return {
    question: 'Growth with size: one stream, up',
    method: `time per byte: times that of the smallest, which pays for slow start and for compilers; ${transferMethod}`,
    rows: withGrowth(medians(samples, ['MiB', 'subject']), ['subject']),
    samples,
  };
}

/** Many connections between one client process and one server process, all open at once, each moving 1 MiB. */
export async function connections(setup: BenchSetup): Promise<Answer> {
  const counts = setup.quick ? [1, 100] : [1, 10, 100, 1000];
  const subjects = principal(setup).filter(({ ours }) => ours || !setup.quick);
  const cases = counts.flatMap((count) => directions.map((direction) => ({ count, direction })));
  const samples = await takeTurns(
    setup,
    subjects,
    cases,
    ({ count, direction }) => ({ connections: count, direction }),
    (subject, { count, direction }) => measureConnections(setup, subject, count, direction),
  );
  return {
    question: 'Growth with connections: all open at once, each moves 1 MiB',
    method:
      'one client process, one server process; all are opened (32 handshakes at a time), then all move their bytes at the same time; ' +
      'CPU: of both ends, handshakes included',
    rows: medians(samples, ['direction', 'connections', 'subject']),
    samples,
  };
}

/** A handshake, or a MiB, may take this long among a thousand, milliseconds. */
const patiencePerConnection = 60;

async function measureConnections(
  setup: BenchSetup,
  subject: Subject,
  count: number,
  direction: 'up' | 'down',
): Promise<Row> {
  const args = ['--connections', String(count), '--direction', direction, '--bytes', String(mebibyte)];
  const limit = 20_000 + count * patiencePerConnection;
  const { client, server } = await runPair(setup, subject, args, 'transfers', limit, count);
  if (client.completed !== count) throw new Error(`${client.completed} of ${count} completed`);
  return {
    completed: client.completed,
    'connect ms': rounded(client.connectMs),
    'Gbit/s': rounded((client.bytes * 8) / client.milliseconds / 1e6),
    'CPU s/GB': rounded((client.cpuMs + server.cpuMs) / 1000 / (client.bytes / 1e9)),
    'client RSS MiB': mebibytes(client.peakRssBytes),
    'server RSS MiB': mebibytes(server.peakRssBytes),
  };
}

/** Adds how many times the first row of its group each row needs for a byte; `keys` say what a group is. */
function withGrowth(rows: readonly Row[], keys: readonly string[]): Row[] {
  const first = new Map<string, number>();
  return rows.map((row) => {
    const group = keys.map((key) => row[key]).join('\n');
    const rate = Number(row['Gbit/s']);
    if (!first.has(group)) first.set(group, rate);
    const growth = (first.get(group) ?? Number.NaN) / rate;
    return Number.isFinite(growth) ? { ...row, 'time per byte': rounded(growth) } : row;
  });
}
