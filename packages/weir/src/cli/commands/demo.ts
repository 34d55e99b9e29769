import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import { createReadStream, rmSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, parse, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import type { CongestionName } from 'weir-quic';
import { reportHtml } from '../../report/index.ts';
import type { ResultDocument } from '../../results/index.ts';
import { formatBytes } from '../../text/index.ts';
import { CliError, ExitCode, failureOf } from '../exit-codes.ts';
import { addHistoryOption, type HistoryCommand, keepRun } from '../options/keep-run.ts';
import {
  CONGESTION_CHOICE,
  parseBytes,
  parseCongestion,
  parseDatagramSize,
  parseIterations,
  parseStreams,
} from '../options/session-settings.ts';
import { PROGRAM_FILE } from '../program-file.ts';
import type { Run } from '../run-command.ts';
import type { Interruption } from '../terminal/interruption.ts';
import type { Output } from '../terminal/output.ts';
import { checkOutputFile, freePath, writeOutputFile } from '../terminal/output-file.ts';
import { send } from './send.ts';

/** Milliseconds that the receiver has to start, and to end. */
const PATIENCE = 20_000;

/** `weir demo`, parsed. */
export interface DemoCommand extends HistoryCommand {
  readonly size: number;
  readonly streams: number;
  readonly iterations: number;
  readonly datagramSize: number | undefined;
  readonly cc: CongestionName;
  /** Where the result document goes; the report goes beside it. */
  readonly result: string;
}

/** Adds `weir demo`. */
export function addDemoCommand(program: Command, run: Run): void {
  const command = program
    .command('demo')
    .description('send a file from this machine to itself and measure that: what npm start does')
    .option('--size <bytes>', 'size of the file', (text) => parseBytes('--size', text), 64 << 20)
    .option('--streams <n>', 'parallel streams', parseStreams, 8)
    .option('--iterations <n>', 'send the whole file so many times', parseIterations, 5)
    .option('--cc <name>', `congestion control: ${CONGESTION_CHOICE}`, parseCongestion, 'cubic')
    .option(
      '--datagram-size <bytes>',
      'UDP payload of a full datagram (default: what the path is found to carry)',
      parseDatagramSize,
    )
    .option('--result <file>', 'where the JSON document goes, and the HTML report beside it', 'result.json')
    .action((options) => run(false, (output, interruption) => demo(options, output, interruption)));
  addHistoryOption(command);
}

/**
 * The main job on one machine: makes a file, starts a receiver as a process of its own, sends the file to it, compares, writes
 * the result and leaves nothing behind. Returns the exit code.
 */
async function demo(command: DemoCommand, output: Output, interruption: Interruption): Promise<number> {
  const result = await freePath(command.result, (path) => [reportPath(path)]);
  for (const path of [result, reportPath(result)]) await checkOutputFile(path, false);
  const folder = await mkdtemp(join(tmpdir(), 'weir-demo-'));
  let receiver: ChildProcess | undefined;
  // The receiver is in a group of its own, so that Ctrl-C does not reach it.
  const forget = interruption.beforeKill(() => {
    receiver?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  try {
    const source = join(folder, 'demo.bin');
    output.print(`making a file of ${formatBytes(command.size)} in ${folder}`);
    await makeFile(source, command.size);
    receiver = startReceiver(folder);
    const exited = exitOf(receiver);
    const ticket = await ticketOf(receiver, exited);
    output.print(`sending it over loopback on ${command.streams} streams, ${command.iterations} times`, '');
    const { exitCode, result: document } = await send(
      { ...command, file: source, ticket, chunkBytes: undefined, ca: undefined, insecure: false },
      output,
      interruption,
    );
    if (exitCode !== ExitCode.OK) return exitCode;
    const receiverCode = await inTime(exited, 'the receiver did not end');
    if (receiverCode !== ExitCode.OK)
      throw new CliError(receiverCode, `the receiver ended with exit code ${receiverCode}`);
    const copy = join(folder, 'received', document.outcome.savedAs ?? '');
    return await conclude({ ...command, result }, output, document, source, copy);
  } catch (error) {
    const failure = failureOf(error);
    output.error(failure.message);
    output.debug(error);
    return interruption.exitCode ?? failure.exitCode;
  } finally {
    if (receiver !== undefined) await stop(receiver);
    await rm(folder, { recursive: true, force: true });
    forget();
  }
}

/** Compares both files, writes the document and the report, and keeps the run. */
async function conclude(
  command: DemoCommand,
  output: Output,
  result: ResultDocument,
  source: string,
  copy: string,
): Promise<number> {
  const [sent, received] = await Promise.all([sha256Of(source), sha256Of(copy)]);
  output.print(`SHA-256 sent     ${sent}`, `SHA-256 received ${received}`);
  if (sent !== received) throw new CliError(ExitCode.CORRUPT, 'the hashes differ');
  const document: ResultDocument = { ...result, file: { ...result.file!, sha256: sent } };
  await writeOutputFile(command.result, `${JSON.stringify(document, null, 2)}\n`);
  output.print(`hashes are equal; all numbers are in ${resolve(command.result)}`);
  const page = reportPath(command.result);
  await writeOutputFile(page, reportHtml([{ name: basename(command.result), document }]));
  output.print(`the report of all iterations, for a browser: ${resolve(page)}`);
  await keepRun({ kind: 'demo', document }, command, output);
  return ExitCode.OK;
}

/** The report's name: that of the result, with another extension. */
function reportPath(result: string): string {
  const { dir, name, ext } = parse(result);
  return join(dir, `${ext === '.html' ? `${name}.report` : name}.html`);
}

async function makeFile(path: string, size: number): Promise<void> {
  const file = await open(path, 'wx');
  try {
    const block = Buffer.allocUnsafe(1 << 20);
    for (let written = 0; written < size; ) {
      const length = Math.min(block.length, size - written);
      randomFillSync(block, 0, length);
      await file.write(block, 0, length, written);
      written += length;
    }
  } finally {
    await file.close();
  }
}

function startReceiver(folder: string): ChildProcess {
  const identity = join(folder, 'receiver.json');
  const options = [
    '--listen',
    '127.0.0.1:0',
    '--into',
    join(folder, 'received'),
    '--identity',
    identity,
    '--once',
    '--json',
    '--no-history',
  ];
  return spawn(process.execPath, [...process.execArgv, PROGRAM_FILE, 'serve', ...options], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // Ctrl-C is for this process, which stops the receiver in order.
    detached: process.platform !== 'win32',
  });
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? ExitCode.INTERNAL));
  });
}

/** Reads the ticket from what the receiver prints; the rest of that is of no interest unless it fails. */
async function ticketOf(child: ChildProcess, exited: Promise<number>): Promise<string> {
  let text = '';
  const found = new Promise<string>((resolve) => {
    child.stderr!.setEncoding('utf8').on('data', (piece: string) => {
      if (text.length < 1 << 16) text += piece;
      const ticket = /weir:\/\/\S+(?=\s)/u.exec(text);
      if (ticket !== null) resolve(ticket[0]);
    });
  });
  const failed = exited.then((code) => {
    throw new CliError(code, `the receiver did not start: ${text.trim().split('\n').at(-1) ?? ''}`);
  });
  failed.catch(() => undefined);
  return inTime(Promise.race([found, failed]), 'the receiver did not start');
}

async function inTime<T>(promise: Promise<T>, problem: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new CliError(ExitCode.INTERNAL, `${problem} within ${PATIENCE / 1000} s`)),
      PATIENCE,
    );
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const impatience = setTimeout(() => child.kill('SIGKILL'), 5000);
  await exited;
  clearTimeout(impatience);
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}
