import type { Command } from 'commander';
import { type Run, recordRun } from '../../runs/index.ts';
import { dataFolder } from '../data-folder.ts';
import { CliError } from '../exit-codes.ts';
import type { Output } from '../terminal/output.ts';

/** What `--no-history` comes to, parsed. */
export interface HistoryCommand {
  /** False: this run is not to be kept. */
  readonly history?: boolean | undefined;
}

/** Adds `--no-history`. */
export function addHistoryOption(command: Command): Command {
  return command.option('--no-history', "do not keep this run for 'weir runs' (WEIR_HISTORY=off: never any)");
}

/**
 * Keeps a run for `weir runs`, unless the user says otherwise, and says under which number. A history that cannot be written
 * costs one line on standard error. The command line is the process's own.
 */
export async function keepRun(
  run: Omit<Run, 'command'>,
  { history = true }: HistoryCommand,
  output: Output,
): Promise<number | undefined> {
  if (!history) return undefined;
  const command = ['weir', ...process.argv.slice(2)];
  const warn = (message: string) => output.error(message);
  try {
    return await recordRun({ ...run, command }, { folder: dataFolder(), warn });
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    warn(`this run is not kept: ${error.message}`);
    return undefined;
  }
}
