import type { Command } from 'commander';
import { type Comparison, compare, experimentTables, iterationTable, summaryTable } from '../../results/index.ts';
import type { CellSettings, Experiment } from '../../results/record.ts';
import {
  goodputs,
  History,
  HistoryError,
  isExperiment,
  isResult,
  type OtherDocument,
  type RunEntry,
  type StoredRun,
} from '../../runs/index.ts';
import { formatBytes, formatRate } from '../../text/index.ts';
import { dataFolder } from '../data-folder.ts';
import { CliError, ExitCode } from '../exit-codes.ts';
import { PERF_SCHEMA, type PerfDocument, perfSummaryLines, perfTable } from '../measuring/perf-result.ts';
import { parseInteger } from '../options/session-settings.ts';
import type { Run } from '../run-command.ts';
import type { Output } from '../terminal/output.ts';
import { checkOutputFile, writeOutputFile } from '../terminal/output-file.ts';

/** The seed of comparisons' resampling: the same two runs, the same answer. */
const SEED = 1;

const number = (text: string) => parseInteger('a run', text, 1, Number.MAX_SAFE_INTEGER);
const numbers = (text: string, before: readonly number[] = []) => [...before, number(text)];

/** Adds `weir runs` and what can be done with runs that were kept. */
export function addRunsCommand(program: Command, run: Run): void {
  const runs = program
    .command('runs')
    .description('the runs of this user so far: send, serve, demo, measure, perf')
    .option('--limit <n>', 'list so many, the newest first', (text) => parseInteger('--limit', text, 1, 1e6), 20)
    .option('--json', 'one JSON document on standard output', false)
    .action((options) => run(options.json, (output) => listRuns(options.limit, output)));

  runs
    .command('show')
    .description('everything about one run')
    .argument('<run>', 'its number', number)
    .option('--json', 'its whole document on standard output', false)
    .action((id: number, options) => run(options.json, (output) => showRun(id, output)));

  runs
    .command('compare')
    .description('whether the second run was faster than the first, setting by setting')
    .argument('<a>', 'the number of a run', number)
    .argument('<b>', 'the number of another', number)
    .option('--json', 'one JSON document on standard output', false)
    .action((a: number, b: number, options) => run(options.json, (output) => compareRuns(a, b, output)));

  runs
    .command('export')
    .description('one run as its own document, as weir report reads it; several, or all, as one JSON object a line')
    .argument('[runs...]', 'their numbers (default: all)', numbers)
    .option('--out <file>', 'where to (default: standard output)')
    .option('--overwrite', 'replace a file that is there', false)
    .action((ids: number[], options) => run(true, (output) => exportRuns(ids, options, output)));

  runs
    .command('remove')
    .description('forget runs')
    .argument('<runs...>', 'their numbers', numbers)
    .action((ids: number[]) => run(false, (output) => removeRuns(ids, output)));

  runs
    .command('prune')
    .description('forget all but the newest')
    .option('--keep <n>', 'how many stay', (text) => parseInteger('--keep', text, 0, 1e6))
    .action((options) =>
      run(false, (output) => {
        if (options.keep === undefined) throw new CliError(ExitCode.USAGE, 'say how many stay: --keep N');
        return pruneRuns(options.keep, output);
      }),
    );
}

/** `weir runs`. Returns the exit code, as all of these do. */
async function listRuns(limit: number, output: Output): Promise<number> {
  const entries = await using((history) => history.list(limit));
  output.document(entries, false);
  if (output.isJson) return ExitCode.OK;
  if (entries.length === 0) output.print('no runs yet: weir send, serve, demo, measure and perf leave some');
  else output.print(...runTable(entries));
  return ExitCode.OK;
}

/** `weir runs show N`. */
async function showRun(id: number, output: Output): Promise<number> {
  const run = await find(id);
  output.document(run.document, false);
  if (output.isJson) return ExitCode.OK;
  output.heading(`run ${run.id}: ${run.command.join(' ')}`);
  const outcome = run.message === null ? run.status : `${run.status}: ${run.message}`;
  const details = [run.createdAt, `${run.subject ?? '–'} with ${run.target ?? '–'}`, outcome];
  output.print(details.join(' · '), '', ...documentTables(run, output.columns ?? 120));
  return ExitCode.OK;
}

/** `weir runs compare A B`. */
async function compareRuns(a: number, b: number, output: Output): Promise<number> {
  const [first, second] = [await find(a), await find(b)];
  const pairs = comparable(first, second);
  if (pairs.length === 0)
    throw new CliError(ExitCode.USAGE, `runs ${a} and ${b} have no setting in common, or no rates to compare`);
  const compared = pairs.map(({ label, rates }) => ({
    label,
    comparison: compare(rates[0], rates[1], { paired: false, seed: SEED }),
  }));
  output.document({ a, b, cells: compared }, false);
  if (output.isJson) return ExitCode.OK;
  output.heading(`run ${b} against run ${a}`);
  output.print(...compared.map(({ label, comparison }) => comparisonLine(label, comparison)));
  return ExitCode.OK;
}

/** `weir runs export [N…] [--out FILE]`. */
async function exportRuns(
  ids: readonly number[],
  { out, overwrite }: { readonly out?: string; readonly overwrite: boolean },
  output: Output,
): Promise<number> {
  if (out !== undefined) await checkOutputFile(out, overwrite);
  const wanted = ids.length > 0 ? ids : (await using((history) => history.list(1e6))).map(({ id }) => id).reverse();
  const lines = exported(wanted, ids.length === 1);
  if (out === undefined) await output.copy(lines);
  else {
    await writeOutputFile(out, lines);
    output.print(`${wanted.length} ${wanted.length === 1 ? 'run' : 'runs'} in ${out}`);
  }
  return ExitCode.OK;
}

/** `weir runs remove N…`. */
async function removeRuns(ids: readonly number[], output: Output): Promise<number> {
  const distinct = [...new Set(ids)];
  const removed = await using((history) => history.remove(distinct));
  output.print(`${removed} removed`);
  if (removed === distinct.length) return ExitCode.OK;
  throw new CliError(ExitCode.USAGE, `${distinct.length - removed} of these runs were not there: weir runs lists them`);
}

/** `weir runs prune --keep N`. */
async function pruneRuns(keep: number, output: Output): Promise<number> {
  output.print(`${await using((history) => history.prune(keep))} removed`);
  return ExitCode.OK;
}

async function using<T>(work: (history: History) => Promise<T>): Promise<T> {
  try {
    return await work(new History(dataFolder()));
  } catch (error) {
    if (error instanceof HistoryError) throw new CliError(ExitCode.FILE, error.message);
    throw error;
  }
}

async function find(id: number): Promise<StoredRun> {
  const run = await using((history) => history.get(id));
  if (run === undefined) throw new CliError(ExitCode.USAGE, `there is no run ${id}: weir runs lists them`);
  return run;
}

function runTable(entries: readonly RunEntry[]): string[] {
  const rows = entries.map((entry) => [
    String(entry.id),
    entry.createdAt.slice(0, 16).replace('T', ' '),
    entry.kind,
    entry.status,
    formatRate(entry.bytesPerMs),
    entry.streams.join(','),
    String(entry.iterations),
    formatBytes(entry.bytes),
    entry.target ?? '–',
    entry.subject ?? '–',
  ]);
  const head = ['run', 'began (UTC)', 'by', 'status', 'median', 'streams', 'iterations', 'bytes', 'with', 'what'];
  const isNumber = new Set([0, 4, 6, 7]);
  const table = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table.map((row) =>
    row
      .map((cell, column) => (isNumber.has(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
}

function documentTables({ document }: StoredRun, columns: number): string[] {
  if (isExperiment(document)) return experimentTables(document, columns);
  if (!isResult(document)) return otherTables(document);
  const count = document.setup?.iterations ?? document.iterations.length;
  return [...document.iterations.flatMap((one) => iterationTable(one, count)), ...summaryTable(document)];
}

function otherTables(document: OtherDocument): string[] {
  if (document.schema !== PERF_SCHEMA) return JSON.stringify(document, null, 2).split('\n');
  const { iterations, direction, summary } = document as PerfDocument;
  return [...iterations.flatMap((one) => perfTable(one, direction, iterations.length)), ...perfSummaryLines(summary)];
}

/** Rates of both runs for each setting that both have; for two of one setting each, whatever these are. */
function comparable(a: StoredRun, b: StoredRun): { label: string; rates: [number[], number[]] }[] {
  const [first, second] = [ratesOf(a), ratesOf(b)];
  const isSole = first.size === 1 && second.size === 1;
  return [...first].flatMap(([label, rates]) => {
    const others = isSole ? [...second.values()][0] : second.get(label);
    const usable = (values: readonly number[]) => values.filter((rate) => rate > 0);
    const pair: [number[], number[]] = [usable(rates), usable(others ?? [])];
    return pair[0].length === 0 || pair[1].length === 0 ? [] : [{ label: isSole ? '' : label, rates: pair }];
  });
}

/** The rates of a run's complete iterations, by setting. */
function ratesOf({ document }: StoredRun): Map<string, number[]> {
  if (isExperiment(document)) return experimentRates(document);
  if (isResult(document)) return new Map([['', goodputs(document)]]);
  return document.schema === PERF_SCHEMA ? new Map([['', perfRates(document as PerfDocument)]]) : new Map();
}

function perfRates({ iterations }: PerfDocument): number[] {
  return iterations.flatMap(({ bitsPerSecond }) => (bitsPerSecond === null ? [] : bitsPerSecond / 8000));
}

function experimentRates({ header, iterations }: Experiment): Map<string, number[]> {
  const rates = new Map<string, number[]>();
  for (const { cell, warmup, status, bytesPerMs } of iterations) {
    const settings = header.cells[cell];
    if (settings === undefined || warmup || status === 'failed' || bytesPerMs === null) continue;
    const label = settingsText(settings);
    rates.set(label, [...(rates.get(label) ?? []), bytesPerMs]);
  }
  return rates;
}

/** All of a cell's settings: equal texts are equal cells. */
function settingsText(settings: CellSettings): string {
  const { transport, direction, streams, bytes, cc, datagramBytes, path, windowBytes } = settings;
  return [
    transport,
    direction,
    `${streams} ${streams === 1 ? 'stream' : 'streams'}`,
    formatBytes(bytes),
    ...(cc === null ? [] : [cc]),
    ...(datagramBytes === null ? [] : [`datagrams of ${datagramBytes} B`]),
    ...(windowBytes === null ? [] : [`windows of ${windowBytes} B`]),
    ...(path === null ? [] : [path]),
  ].join(', ');
}

function comparisonLine(label: string, { sentence }: Comparison): string {
  return label === '' ? sentence : `${label}: ${sentence}`;
}

/** One run alone is its own document: an experiment as NDJSON. Of several, each is a line with what is known of it. */
async function* exported(ids: readonly number[], isAlone: boolean): AsyncGenerator<string> {
  for (const id of ids) {
    const run = await find(id);
    const { document } = run;
    if (!isAlone) yield `${JSON.stringify(run)}\n`;
    else if (!isExperiment(document)) yield `${JSON.stringify(document, null, 2)}\n`;
    else for (const line of [document.header, ...document.iterations]) yield `${JSON.stringify(line)}\n`;
  }
}
