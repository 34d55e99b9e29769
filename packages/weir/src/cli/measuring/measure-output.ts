import { basename, resolve } from 'node:path';
import { reportHtml } from '../../report/index.ts';
import { type Experiment, experimentCsv, experimentTables, iperf3Json } from '../../results/index.ts';
import type { Output } from '../terminal/output.ts';
import { checkOutputFile, writeOutputFile } from '../terminal/output-file.ts';

/** Where the forms of an experiment go. */
export interface OutputFiles {
  /** Undefined: beside the experiment; false: none. */
  readonly html: string | false | undefined;
  readonly csv: string | undefined;
  readonly iperf3: string | undefined;
  /** Whether other files of these names may be replaced. */
  readonly overwrite: boolean;
}

/** Columns where there is no terminal to ask. */
const WIDE = 120;

/**
 * Shows a measured experiment, and writes everything that is to be made of it.
 * @param path its file.
 * @throws CliError when a file cannot be written.
 */
export async function showExperiment(
  experiment: Experiment,
  path: string,
  command: OutputFiles,
  output: Output,
): Promise<void> {
  output.print('', ...experimentTables(experiment, output.columns ?? WIDE));
  output.print(`all numbers are in ${resolve(path)}`);
  output.document(experiment, true);
  const write = async (file: string, what: string, text: string) => {
    await writeOutputFile(file, text);
    output.print(`${what} ${resolve(file)}`);
  };
  if (command.csv !== undefined) await write(command.csv, 'as CSV in', experimentCsv(experiment));
  if (command.iperf3 !== undefined) await write(command.iperf3, "under iperf3's names in", iperf3Json(experiment));
  if (command.html === false) return;
  const html = command.html ?? `${path.replace(/\.ndjson$/u, '')}.html`;
  await write(html, 'charts in', reportHtml([{ name: basename(path), document: experiment }]));
}

/**
 * That an hour of measuring ends with a file that cannot be written should be known before.
 * @param mayReplace whether files that are there may be: when the user says so, or they are of the same experiment.
 * @throws CliError.
 */
export async function checkOutputs({ csv, iperf3, html }: OutputFiles, mayReplace: boolean): Promise<void> {
  for (const file of [csv, iperf3, html]) {
    if (file !== undefined && file !== false) await checkOutputFile(file, mayReplace);
  }
}
