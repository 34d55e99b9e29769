/** What every bench gives: samples with their medians, and the environment that the numbers are worth nothing without. */
import { arch, cpus, platform, release, totalmem } from 'node:os';

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

/** The document of one run. */
export interface BenchDocument {
  readonly version: 1;
  readonly date: string;
  readonly environment: Readonly<Record<string, string | number>>;
  readonly answers: readonly Answer[];
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

/** Machine and runtime. */
export function environment(extra: Readonly<Record<string, string | number>>): BenchDocument['environment'] {
  const processors = cpus();
  return {
    node: process.version,
    openssl: process.versions.openssl ?? '',
    platform: `${platform()} ${release()} ${arch()}`,
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cpus: processors.length,
    memoryBytes: totalmem(),
    ...extra,
  };
}

/** The document for `answers`, dated now. */
export function document(answers: readonly Answer[], facts: BenchDocument['environment']): BenchDocument {
  return { version: 1, date: new Date().toISOString(), environment: facts, answers };
}

/** A plain table: text to the left, numbers to the right. */
export function table(rows: readonly Row[]): string {
  const columns = Object.keys(rows[0] ?? {});
  const width = (column: string): number =>
    Math.max(column.length, ...rows.map((row) => String(row[column] ?? '').length));
  const line = (cell: (column: string) => string | number): string =>
    columns
      .map((column) => {
        const value = cell(column);
        return typeof value === 'number' ? String(value).padStart(width(column)) : value.padEnd(width(column));
      })
      .join('  ')
      .trimEnd();
  return [line((column) => column), ...rows.map((row) => line((column) => row[column] ?? ''))].join('\n');
}
