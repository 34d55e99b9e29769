import { open } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { readDocument } from '../../measure/index.ts';
import { isReport, reportHtml } from '../../report/index.ts';
import { CliError, ExitCode } from '../exit-codes.ts';
import type { Run } from '../run-command.ts';
import type { Output } from '../terminal/output.ts';
import { checkOutputFile, writeOutputFile } from '../terminal/output-file.ts';

/** Adds `weir report`. */
export function addReportCommand(program: Command, run: Run): void {
  program
    .command('report')
    .description('make one self-contained HTML page of what was measured; of two files, a comparison')
    .argument('<a>', "an experiment (weir measure's .ndjson), or the document of a transfer (weir send --json)")
    .argument('[b]', 'another one, to be compared with the first')
    .option('--out <file>', "where the page goes (default: beside <a>, with .html; of two, 'B-against-A.html')")
    .option('--overwrite', 'replace a file that is no report (default: only reports are replaced)', false)
    .action((a: string, b: string | undefined, options: { readonly out?: string; readonly overwrite: boolean }) =>
      run(false, (output) => report({ a, b, out: options.out, overwrite: options.overwrite }, output)),
    );
}

/** `weir report`, parsed. */
interface ReportCommand {
  readonly a: string;
  readonly b: string | undefined;
  readonly out: string | undefined;
  readonly overwrite: boolean;
}

/** Reads one or two files, writes the page and names it. Returns the exit code. */
async function report({ a, b, out, overwrite }: ReportCommand, output: Output): Promise<number> {
  const path = out ?? defaultPath(a, b);
  if ([a, b].some((input) => input !== undefined && resolve(input) === resolve(path))) {
    throw new CliError(ExitCode.USAGE, `--out ${path} is one of the files that the report is made of: name another`);
  }
  await checkOutputFile(path, overwrite || (await isReportFile(path)));
  const first = { name: basename(a), document: await readDocument(a) };
  const page =
    b === undefined ? reportHtml([first]) : reportHtml([first, { name: basename(b), document: await readDocument(b) }]);
  await writeOutputFile(path, page);
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

/** Characters within which a report says that it is one. */
const BEGINNING = 200;

async function isReportFile(path: string): Promise<boolean> {
  try {
    await using file = await open(path);
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(BEGINNING), position: 0 });
    return isReport(buffer.toString('utf8', 0, bytesRead));
  } catch {
    // None, or none that can be read.
    return false;
  }
}
