import { rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { readDocument } from '../experiment/index.ts';
import { reportHtml } from '../report/index.ts';
import { messageOf } from '../transfer/index.ts';
import { CliError, ExitCode } from './exit-codes.ts';
import type { Interruption } from './interruption.ts';
import type { Output } from './output.ts';

/** Runs a command and turns its exit code into the process's. */
type Run = (isJson: boolean, command: (output: Output, interruption: Interruption) => Promise<number>) => Promise<void>;

/** Adds `weir report`. */
export function addReportCommand(program: Command, run: Run): void {
  program
    .command('report')
    .description('make one self-contained HTML page of what was measured; of two files, a comparison')
    .argument('<a>', "an experiment (weir measure's .ndjson), or the document of a transfer (weir send --json)")
    .argument('[b]', 'another one, to be compared with the first')
    .option('--out <file>', "where the page goes (default: beside <a>, with .html; of two, 'B-against-A.html')")
    .action((a: string, b: string | undefined, options: { readonly out?: string }) =>
      run(false, (output) => report({ a, b, out: options.out }, output)),
    );
}

/** `weir report`, parsed. */
interface ReportCommand {
  readonly a: string;
  readonly b: string | undefined;
  readonly out: string | undefined;
}

/** Reads one or two files, writes the page and names it. Returns the exit code. */
async function report({ a, b, out }: ReportCommand, output: Output): Promise<number> {
  const first = { name: basename(a), document: await readDocument(a) };
  const page =
    b === undefined ? reportHtml([first]) : reportHtml([first, { name: basename(b), document: await readDocument(b) }]);
  const path = out ?? defaultPath(a, b);
  if ([a, b].some((input) => input !== undefined && resolve(input) === resolve(path))) {
    throw new CliError(ExitCode.USAGE, `--out ${path} is one of the files that the report is made of: name another`);
  }
  await writePage(path, page);
  output.print(`the report is in ${resolve(path)}`);
  return ExitCode.OK;
}

function defaultPath(a: string, b: string | undefined): string {
  const name = b === undefined ? bareName(a) : `${bareName(b)}-against-${bareName(a)}`;
  return join(dirname(a), `${name}.html`);
}

function bareName(path: string): string {
  return basename(path).replace(/\.(?:ndjson|json)$/u, '');
}

/** All or nothing: a report that was there stays until the new one is whole. */
async function writePage(path: string, page: string): Promise<void> {
  const partial = `${path}.${process.pid}.part`;
  try {
    await writeFile(partial, page);
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true }).catch(() => undefined);
    throw new CliError(ExitCode.FILE, `cannot write ${path}: ${messageOf(error)}`);
  }
}
