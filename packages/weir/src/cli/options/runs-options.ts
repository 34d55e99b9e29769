import type { Command } from 'commander';
import { compareRuns, exportRuns, listRuns, pruneRuns, removeRuns, showRun } from '../commands/runs.ts';
import { CliError, ExitCode } from '../exit-codes.ts';
import type { Interruption } from '../terminal/interruption.ts';
import type { Output } from '../terminal/output.ts';
import { parseInteger } from './session-settings.ts';

/** Runs a command and turns its exit code into the process's. */
type Run = (isJson: boolean, command: (output: Output, interruption: Interruption) => Promise<number>) => Promise<void>;

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
