/** How many payload bits a second one connection moves over loopback, from memory to memory. */
import { type BenchSetup, runPair } from './pair.ts';
import { type Answer, median, type Row, rounded } from './report.ts';

interface Case {
  readonly bytes: number;
  readonly streams: number;
  readonly direction: 'up' | 'down';
}

const mebibyte = 1 << 20;
/** A run slower than 1 Mbyte/s is given up. */
const slowestBytesPerMs = 1000;

function cases(quick: boolean): Case[] {
  const sizes = quick ? [64 * mebibyte] : [64 * mebibyte, 1024 * mebibyte];
  const streams = quick ? [1, 8] : [1, 8, 64];
  return sizes.flatMap((bytes) =>
    streams.flatMap((count) => (['up', 'down'] as const).map((direction) => ({ bytes, streams: count, direction }))),
  );
}

/** Measures every case of every stack; the stacks take turns within a case, so that all see the same machine. */
export async function goodput(setup: BenchSetup, progress: (line: string) => void): Promise<Answer> {
  const samples: Row[] = [];
  for (let round = 1; round <= setup.rounds; round++) {
    for (const one of cases(setup.quick)) {
      for (const stack of setup.stacks) {
        const sample = await measure(setup, stack, one);
        samples.push({ round, ...sample });
        progress(`goodput ${Object.values(sample).join(' ')}`);
      }
    }
  }
  return {
    question: 'Goodput of one connection over loopback, memory to memory',
    method:
      'perf protocol on bidirectional streams, fresh client and server processes each run, start-up of the connection included; ' +
      'all bytes over wall time; CPU of both ends; up: the client sends',
    rows: medians(samples),
    samples,
  };
}

async function measure(setup: BenchSetup, stack: BenchSetup['stacks'][number], one: Case): Promise<Row> {
  const { bytes, streams, direction } = one;
  const args = ['--direction', direction, '--streams', String(streams), '--bytes', String(bytes)];
  const { client, serverCpuMs } = await runPair(setup, stack, args, 'rate', 20_000 + bytes / slowestBytesPerMs);
  const gigabytes = client.bytes / 1e9;
  return {
    stack: stack.name,
    MiB: bytes / mebibyte,
    streams,
    direction,
    'Gbit/s': rounded((client.bytes * 8) / client.milliseconds / 1e6),
    'client CPU s/GB': rounded(client.cpuMs / 1000 / gigabytes),
    'server CPU s/GB': rounded(serverCpuMs / 1000 / gigabytes),
  };
}

const measured = ['Gbit/s', 'client CPU s/GB', 'server CPU s/GB'];

function medians(samples: readonly Row[]): Row[] {
  const groups = new Map<string, Row[]>();
  for (const sample of samples) {
    const key = [sample.MiB, sample.streams, sample.direction, sample.stack].join(' ');
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  return [...groups.values()].map((group) => {
    const { round: _, ...first } = group[0] as Row;
    const middle = measured.map((name) => [name, rounded(median(group.map((sample) => Number(sample[name]))))]);
    return { ...first, ...Object.fromEntries(middle) };
  });
}

/** How the time of a byte changes with size and streams, of our rows: 1 is "not at all", 2 "twice as long". */
export function scaling(rows: readonly Row[]): Row[] {
  const rate = (MiB: number, streams: number, direction: string): number =>
    Number(
      rows.find(
        (row) => row.stack === 'weir' && row.MiB === MiB && row.streams === streams && row.direction === direction,
      )?.['Gbit/s'] ?? Number.NaN,
    );
  return ['up', 'down'].map((direction) => ({
    direction,
    'time per byte, 1 GiB : 64 MiB (1 stream)': rounded(rate(64, 1, direction) / rate(1024, 1, direction)),
    'time per byte, 64 streams : 1 (1 GiB)': rounded(rate(1024, 1, direction) / rate(1024, 64, direction)),
  }));
}
