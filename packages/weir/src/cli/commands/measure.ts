import { unlink } from 'node:fs/promises';
import type { Command } from 'commander';
import { CONGESTION_NAMES, type CongestionName, datapathChoice } from 'weir-quic';
import {
  ExperimentFile,
  type GridOptions,
  gridCells,
  makeHeader,
  openNamed,
  ProcessBench,
  type RunOutcome,
  readExperiment,
  roundsOf,
  runExperiment,
} from '../../measure/index.ts';
import { ordinal, parseTicket, type Ticket } from '../../peer/index.ts';
import { type CellSettings, describeEnvironment, sum } from '../../results/index.ts';
import { withoutSecrets } from '../../runs/index.ts';
import { formatBytes, hostPort } from '../../text/index.ts';
import { openSource } from '../../transfer/index.ts';
import { CliError, ExitCode, failureOf } from '../exit-codes.ts';
import { checkOutputs, type OutputFiles, showExperiment } from '../measuring/measure-output.ts';
import { MeasureProgress } from '../measuring/measure-progress.ts';
import { type HistoryCommand, keepRun } from '../options/keep-run.ts';
import { addGridOptions, addRunOptions } from '../options/measure-options.ts';
import { type QlogCommand, qlogOptions } from '../options/qlog-option.ts';
import { openWeb } from '../options/web-option.ts';
import type { Run } from '../run-command.ts';
import type { Interruption } from '../terminal/interruption.ts';
import type { Output } from '../terminal/output.ts';
import { VERSION } from '../version.ts';

/** `weir measure`, parsed. */
export interface MeasureCommand extends QlogCommand, HistoryCommand, OutputFiles {
  /** Undefined: --local. */
  readonly ticket: string | undefined;
  readonly file: string | undefined;
  readonly streams: readonly number[];
  readonly size: readonly number[] | undefined;
  readonly direction: readonly ('up' | 'down')[];
  readonly cc: readonly CongestionName[];
  readonly datagramSize: readonly (number | null)[];
  readonly window: readonly (number | null)[];
  readonly path: readonly (string | null)[] | undefined;
  readonly baseline: 'tls-tcp' | undefined;
  readonly iterations: number;
  readonly warmup: number;
  /** Relative width of the interval. */
  readonly until: number | undefined;
  readonly maxIterations: number;
  readonly seed: number;
  readonly output: string | undefined;
  readonly web: boolean;
  /** Seconds to stand in line where the other side is busy. */
  readonly wait: number;
}

/** Payload of an iteration where nothing is said: between processes of one machine, and elsewhere. */
const LOCAL_BYTES = 64 << 20;
const REMOTE_BYTES = 16 << 20;

/** As much of a file is held in memory, and repeated when an iteration takes more. */
const MAX_PAYLOAD = 256 << 20;

const EXAMPLES = `
Each option with a comma takes several values; the grid of all of them is measured, in shuffled order, one fresh connection an
iteration. Everything goes into FILE.ndjson as it is measured: stopped, the same command goes on where it was.

  weir measure --local                                  how many streams are best between two processes here: half a minute
  weir measure 'TICKET' --direction up,down             both directions of the path to a 'weir serve'
  weir measure --local --path "delay=10ms,rate=200mbit,loss=0.5%" --path none --cc cubic,${CONGESTION_NAMES.at(-1)}
  weir measure --local --baseline tls-tcp               the same bytes over TLS over TCP, too
  weir measure --local --streams 8 --until ci=5%        until the 95% interval of the median is that narrow

What a path can be: weir relay --help. More in docs/experiment.md.`;

/** Adds `weir measure`. */
export function addMeasureCommand(program: Command, run: Run): void {
  const command = program
    .command('measure')
    .description(
      'an experiment: measure a grid of settings, repeatedly, with intervals, charts and a file to go on from',
    )
    .argument('[ticket]', "what 'weir serve' printed, in quotes; not with --local")
    .argument('[file]', 'send the bytes of this file, as often as it takes (default: zeros)')
    .option('--local', 'measure between two processes of this machine', false);
  addGridOptions(command);
  addRunOptions(command);
  command
    .addHelpText('after', EXAMPLES)
    .action(async (first: string | undefined, second: string | undefined, options) => {
      const { ticket, file } = sides(command, options.local, first, second);
      // Commander's --no-html makes it false; without either it is true.
      const { html, ...rest } = options;
      const parsed: MeasureCommand = { ...rest, ticket, file, html: html === true ? undefined : html };
      await run(options.json, (output, interruption) => measure(parsed, output, interruption));
    });
}

/** With --local there is no ticket. */
function sides(command: Command, isLocal: boolean, first: string | undefined, second: string | undefined) {
  if (!isLocal) {
    if (first === undefined) command.error("error: give the ticket that 'weir serve' printed, or --local");
    return { ticket: first, file: second };
  }
  if (second !== undefined || first?.startsWith('weir://') === true)
    command.error('error: --local starts the other side itself: leave the ticket out');
  return { ticket: undefined, file: first };
}

/** Measures what is missing of an experiment, and shows all of it. Returns the exit code. */
async function measure(command: MeasureCommand, output: Output, interruption: Interruption): Promise<number> {
  const ticket = command.ticket === undefined ? undefined : parseTicket(command.ticket);
  const payload = command.file === undefined ? undefined : await readPayload(command.file);
  const header = await headerOf(command, ticket, payload?.size);
  const connection = {
    ...qlogOptions(command, (message) => output.error(message)),
    wait: command.wait * 1000,
    onWaiting: (position: number) => output.print(`waiting, ${ordinal(position)} in line`),
  };
  await checkOutputs(command, true);
  const file =
    command.output === undefined ? await openNamed('.', header) : await ExperimentFile.open(command.output, header);
  await refuseOthers(command, file);
  let outcome: RunOutcome;
  try {
    announce(file, output);
    const bench = new ProcessBench({
      ticket,
      verifyPeer: 'strict',
      payload: payload?.bytes,
      software: `weir/${VERSION}`,
      connection,
    });
    outcome = await run(file, bench, command, output, interruption);
    for (const warning of bench.warnings) output.error(warning);
  } catch (error) {
    if (interruption.exitCode === undefined) throw error;
    output.error(`stopped; the same command goes on from here with ${file.path}`);
    return interruption.exitCode;
  } finally {
    await file.close();
  }
  const experiment = await readExperiment(file.path);
  if (outcome.added > 0) {
    await keepRun({ kind: 'measure', document: experiment }, command, output);
  }
  await showExperiment(experiment, file.path, command, output);
  return exitCodeOf(outcome, header.target, output);
}

/** What an experiment that goes on made before may be replaced; other files not in silence. @throws CliError. */
async function refuseOthers(command: MeasureCommand, file: ExperimentFile): Promise<void> {
  const isNew = file.earlier.length === 0;
  try {
    await checkOutputs(command, command.overwrite || !isNew);
  } catch (error) {
    await file.close();
    if (isNew) await unlink(file.path);
    throw error;
  }
}

async function headerOf(command: MeasureCommand, ticket: Ticket | undefined, fileSize: number | undefined) {
  const cells = gridCells(gridOf(command, fileSize));
  refuse(command, cells);
  return makeHeader({
    tool: { name: 'weir', version: VERSION },
    command: ['weir', ...withoutSecrets(process.argv.slice(2))],
    seed: command.seed,
    environment: describeEnvironment((await datapathChoice()).name),
    cells,
    iterations: command.iterations,
    warmup: command.warmup,
    untilInterval: command.until ?? null,
    maxIterations: command.until === undefined ? command.iterations : command.maxIterations,
    target: ticket === undefined ? 'local' : hostPort(ticket),
  });
}

function gridOf(command: MeasureCommand, fileSize: number | undefined): GridOptions {
  const paths = command.path ?? [null];
  const isLoopback = command.ticket === undefined && paths.every((path) => path === null);
  return {
    streams: command.streams,
    bytes: command.size ?? [fileSize ?? (isLoopback ? LOCAL_BYTES : REMOTE_BYTES)],
    directions: command.direction,
    congestion: command.cc,
    datagramBytes: command.datagramSize,
    windowBytes: command.window,
    paths,
    baseline: command.baseline !== undefined,
  };
}

/** What the other side would have to do, and does not for strangers. @throws CliError. */
function refuse(command: MeasureCommand, cells: readonly CellSettings[]): void {
  if (command.ticket === undefined) return;
  if (command.baseline !== undefined)
    throw new CliError(ExitCode.USAGE, '--baseline needs --local: weir serve speaks QUIC alone');
  if (cells.some((cell) => cell.direction === 'up' && cell.windowBytes !== null))
    throw new CliError(
      ExitCode.USAGE,
      "--window sets this side's windows, and with --direction up the other side receives: use --direction down, --local, or --window of weir serve",
    );
}

async function run(
  file: ExperimentFile,
  bench: ProcessBench,
  command: MeasureCommand,
  output: Output,
  interruption: Interruption,
): Promise<RunOutcome> {
  await using progress = new MeasureProgress(file.header, await openWeb(command.web, 'weir measure', output), output);
  await using _peers = bench;
  const { target } = file.header;
  let hasSucceeded = false;
  return await runExperiment({
    sink: file,
    bench,
    signal: interruption.signal,
    describe: (error) => failureOf(error, target).message,
    isHopeless: (error) => {
      const { exitCode } = failureOf(error, target);
      if (exitCode === ExitCode.UNTRUSTED || exitCode === ExitCode.INCOMPATIBLE) return true;
      return exitCode === ExitCode.UNREACHABLE && !hasSucceeded;
    },
    events: {
      onStart: (attempt, cell, unrecorded) => progress.start(attempt, cell, unrecorded),
      onLive: (live) => progress.follow(live),
      onRecord: (record, cell, state) => {
        hasSucceeded ||= record.status === 'complete';
        progress.done(record, cell, state);
      },
    },
  });
}

/** What is going to happen. */
function announce(file: ExperimentFile, output: Output): void {
  const { cells, warmup, untilInterval } = file.header;
  const rounds = roundsOf(file.header);
  const each = `${warmup > 0 ? `${warmup} warm-up${warmup === 1 ? '' : 's'} and ` : ''}${untilInterval === null ? '' : 'up to '}${rounds}`;
  const bytes = sum(cells.map((cell) => cell.bytes)) * (warmup + rounds);
  output.print(
    `${cells.length} cell${cells.length === 1 ? '' : 's'} of ${each} iteration${rounds === 1 ? '' : 's'} each: ${formatBytes(bytes)} in all, into ${file.path}`,
  );
  if (file.wasTorn) output.print('the last line broke off when it was written: its iteration is done again');
  if (file.earlier.length === 0) return;
  const failed = file.earlier.filter((record) => record.status === 'failed').length;
  const again = failed > 0 ? `, ${failed} failed and are done again` : '';
  output.print(`goes on: ${file.earlier.length - failed} iterations are there already${again}`);
}

function exitCodeOf(outcome: RunOutcome, target: string, output: Output): number {
  if (outcome.failed === 0) return ExitCode.OK;
  const { message, exitCode } = failureOf(outcome.lastError, target);
  const all = `${outcome.failed} of ${outcome.added} iterations failed, the last with: ${message}`;
  output.error(`${all}. The same command does them again`);
  return exitCode;
}

interface PayloadFile {
  readonly size: number;
  readonly bytes: Uint8Array;
}

async function readPayload(path: string): Promise<PayloadFile> {
  const file = await openSource(path);
  try {
    if (file.size === 0) throw new CliError(ExitCode.FILE, `${path} is empty: nothing can be measured with it`);
    const bytes = new Uint8Array(Math.min(file.size, MAX_PAYLOAD));
    await file.readAt(bytes, 0);
    return { size: file.size, bytes };
  } finally {
    await file.close();
  }
}
