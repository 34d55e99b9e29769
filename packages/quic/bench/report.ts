/**
 * What the bench prints: a table for each question, and with `--json` one document:
 *
 *     version      1; a reader must refuse others
 *     date         ISO 8601, when the run ended
 *     environment  machine and run, by name: cpu, cpus, memoryBytes, platform, load1 (load average before the run), quick, rounds
 *     nodes        for each Node binary: file, node, openssl, datapath and crypto (each a name and the reason for it)
 *     skipped      what is not installed: name, why
 *     answers      for each question:
 *       name       as `--only` takes it
 *       question, method   one line each: what was measured, and how
 *       rows       the medians, one row a case and subject; the units are in the columns' names
 *       samples    every sample in the order of measurement, `round` counting from 1; a failed one has `failed`, with the error
 *
 * Columns: `Gbit/s` is payload in 10^9 bits over wall time; `CPU s/GB` seconds of CPU of both ends for 10^9 bytes; `packets/s`
 * what the client sent and received (ours only: the others do not tell); `RSS MiB` the peak of resident memory.
 */
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os';
import type { NodeBinary } from './subjects.ts';

/** One measured value of one run, with its unit in the name. */
export type Row = Readonly<Record<string, string | number>>;

/** The answer to one question. */
export interface Answer {
  /** The question, one line. */
  readonly question: string;
  /** How it was measured: what a reader must know to compare. */
  readonly method: string;
  /** Medians, one row for each case. */
  readonly rows: readonly Row[];
  /** Every sample, in the order of measurement. */
  readonly samples: readonly Row[];
}

/** The document of one run; see above. */
export interface BenchDocument {
  readonly version: 1;
  readonly date: string;
  readonly environment: Readonly<Record<string, string | number | boolean>>;
  readonly nodes: readonly object[];
  readonly skipped: readonly { readonly name: string; readonly why: string }[];
  readonly answers: readonly (Answer & { readonly name: string })[];
}

/** The middle value; the mean of the two middle ones when there is an even number; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle] ?? Number.NaN;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** Three significant digits: what runs on a shared machine are good for. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

/** Bytes in MiB, rounded. */
export function mebibytes(bytes: number): number {
  return Math.round(bytes / (1 << 20));
}

/**
 * The medians of samples that agree in the columns `keys`: one row each, in the order of their first sample. Columns with
 * anything but numbers in any of the samples, and `round`, are left out; failed samples are counted in a column `failed`.
 */
export function medians(samples: readonly Row[], keys: readonly string[]): Row[] {
  const groups = new Map<string, Row[]>();
  for (const sample of samples) {
    const key = keys.map((name) => sample[name]).join('\n');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [sample]);
    else group.push(sample);
  }
  return [...groups.values()].map((group) => {
    const good = group.filter((sample) => sample.failed === undefined);
    const row: Record<string, string | number> = {};
    for (const key of keys) row[key] = group[0]?.[key] ?? '';
    for (const column of Object.keys(good[0] ?? {})) {
      if (keys.includes(column) || column === 'round') continue;
      const values = good.map((sample) => sample[column]).filter((value) => typeof value === 'number');
      if (values.length === good.length) row[column] = rounded(median(values));
    }
    if (good.length < group.length) row.failed = group.length - good.length;
    return row;
  });
}

/** The machine, and `extra`. */
export function environment(extra: BenchDocument['environment']): BenchDocument['environment'] {
  const processors = cpus();
  return {
    platform: `${platform()} ${release()} ${arch()}`,
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cpus: processors.length,
    memoryBytes: totalmem(),
    load1: loadavg()[0] ?? 0,
    ...extra,
  };
}

/** Two or three lines about the machine and the Node binaries, for people. */
export function preamble(facts: BenchDocument['environment'], nodes: readonly NodeBinary[]): string {
  const machine = `${facts.cpu}, ${facts.cpus} processors, ${facts.platform}, load ${Number(facts.load1).toFixed(2)}`;
  const binaries = nodes.map(
    ({ doctor }) =>
      `Node ${doctor.node} (OpenSSL ${doctor.openssl}): datapath ${doctor.datapath.name}, crypto ${doctor.crypto.name}`,
  );
  return [machine, ...binaries].join('\n');
}

/** A plain table: columns of text to the left, columns with a number to the right. */
export function table(rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].map((name) => ({
    name,
    width: Math.max(name.length, ...rows.map((row) => String(row[name] ?? '').length)),
    isRight: rows.some((row) => typeof row[name] === 'number'),
  }));
  const line = (cell: (name: string) => string): string =>
    columns
      .map(({ name, width, isRight }) => (isRight ? cell(name).padStart(width) : cell(name).padEnd(width)))
      .join('  ')
      .trimEnd();
  return [line((name) => name), ...rows.map((row) => line((name) => String(row[name] ?? '')))].join('\n');
}
