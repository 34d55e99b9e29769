import { constants } from 'node:fs';
import { access, rename, unlink, writeFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { type Experiment, experimentCsv, experimentTables, iperf3Json } from '../measure/index.ts';
import { reportHtml } from '../report/index.ts';
import { messageOf } from '../transfer/index.ts';
import { CliError, ExitCode } from './exit-codes.ts';
import type { Output } from './output.ts';

/** Where the forms of an experiment go. */
export interface OutputFiles {
  /** Undefined: beside the experiment; false: none. */
  readonly html: string | false | undefined;
  readonly csv: string | undefined;
  readonly iperf3: string | undefined;
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
    await writeWhole(file, text);
    output.print(`${what} ${resolve(file)}`);
  };
  if (command.csv !== undefined) await write(command.csv, 'as CSV in', experimentCsv(experiment));
  if (command.iperf3 !== undefined) await write(command.iperf3, "under iperf3's names in", iperf3Json(experiment));
  if (command.html === false) return;
  const html = command.html ?? `${path.replace(/\.ndjson$/u, '')}.html`;
  await write(html, 'charts in', reportHtml([{ name: basename(path), document: experiment }]));
}

/** That an hour of measuring ends in a folder that is not there should be known before. @throws CliError. */
export async function checkOutputs({ csv, iperf3, html }: OutputFiles): Promise<void> {
  for (const file of [csv, iperf3, html]) {
    if (file === undefined || file === false) continue;
    await access(dirname(file), constants.W_OK).catch((error) => {
      throw new CliError(ExitCode.FILE, `cannot write ${file}: ${messageOf(error)}`);
    });
  }
}

/** Writes a whole file or none. */
async function writeWhole(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.part`;
  try {
    await writeFile(draft, text);
    await rename(draft, path);
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw new CliError(ExitCode.FILE, `cannot write ${path}: ${messageOf(error)}`);
  }
}
