import { type Command, Option } from 'commander';
import {
  CLASSIC_PORT,
  CLASSIC_REPLY_PORT,
  FileContent,
  iterationLine,
  MAX_CLASSIC_STREAMS,
  notebookLines,
  resolveHost,
  type SenderFailure,
  type SentIteration,
  type Split,
  sendClassic,
  sendingDocument,
  sentIteration,
} from '../../classic/index.ts';
import { LiveDisplay } from '../../live/index.ts';
import { describeEnvironment, summaryTable } from '../../results/index.ts';
import { CliError, ExitCode, type Failure } from '../exit-codes.ts';
import { LiveFeed, plainSource } from '../measuring/live-feed.ts';
import { parseInteger, parseIterations, parsePort } from '../options/session-settings.ts';
import type { Run } from '../run-command.ts';
import type { Interruption } from '../terminal/interruption.ts';
import type { Output } from '../terminal/output.ts';
import { VERSION } from '../version.ts';
import { socketFailure } from './classic-serve.ts';

/** `weir classic send`, parsed. */
export interface ClassicSendCommand {
  readonly file: string;
  readonly host: string;
  readonly port: number;
  readonly replyPort: number;
  readonly streams: number;
  readonly iterations: number;
  /** Bits per second. */
  readonly rate: number;
  readonly split: Split;
}

/** Adds `weir classic send`. */
export function addClassicSendCommand(classic: Command, run: Run): void {
  classic
    .command('send')
    .description('send a file to an original server, or to weir classic serve')
    .argument('<file>', 'the file, of less than 4 GiB')
    .argument('<host>', 'where the server runs')
    .option('--port <n>', "the server's UDP port", parsePort('--port', 1), CLASSIC_PORT)
    .option(
      '--reply-port <n>',
      'local port for READY and FINISHED; the original server knows only the default',
      parsePort('--reply-port', 0),
      CLASSIC_REPLY_PORT,
    )
    .option(
      '--streams <n>',
      `streams, 1 to ${MAX_CLASSIC_STREAMS}`,
      (text) => parseInteger('--streams', text, 1, MAX_CLASSIC_STREAMS),
      3,
    )
    .option('--iterations <n>', 'send the whole file so many times: as often as the server expects', parseIterations, 5)
    .addOption(
      new Option('--rate <bits/s>', 'UDP payload per second, e.g. 500k, 20M, 1G')
        .argParser(parseRate)
        .default(50e6, '50M'),
    )
    .option('--split <how>', 'copies: the whole file on each stream; stripes: a part on each', parseSplit, 'copies')
    .option('--json', 'one JSON document on standard output', false)
    .action((file: string, host: string, options) =>
      run(options.json, (output, interruption) => classicSend({ ...options, file, host }, output, interruption)),
    );
}

/** Sends one run and says what there is to say. Returns the exit code. */
async function classicSend(command: ClassicSendCommand, output: Output, interruption: Interruption): Promise<number> {
  const { port, replyPort, streams, iterations, split } = command;
  const where = `${command.host}:${port}`;
  const content = new FileContent(command.file, streams);
  const progress = new LiveFeed(new LiveDisplay(output.screen, { print: (line) => output.print(line) }));
  const createdAt = new Date();
  const done: SentIteration[] = [];
  try {
    const server = await resolveHost(command.host).catch((error) => {
      throw socketFailure(error, command.host);
    });
    const sending = await sendClassic({
      content,
      server,
      port,
      replyPort,
      streams,
      iterations,
      split,
      bitsPerSecond: command.rate,
      signal: interruption.signal,
      events: {
        onBound: (local) => {
          const what = `${content.size} bytes on ${streams} streams (${split}), ${iterations} times`;
          output.print(`sending ${content.name}, ${what}, to ${where}; answers are expected on port ${local.port}`);
        },
        onIterationStart: (iteration) => {
          const size = split === 'copies' ? content.size * streams : content.size;
          progress.start(
            plainSource({ label: content.name, iteration: iteration.number, iterations, totalBytes: size }, () => ({
              streamBytes: iteration.meters.map(({ bytes }) => bytes),
            })),
          );
        },
        onIteration: (iteration) => {
          progress.stop();
          done.push(iteration);
          const answer = iteration.reply ?? 'no answer';
          output.print(`${iterationLine(sentIteration(iteration, done), iterations)}, ${answer}`);
        },
      },
    }).catch((error) => {
      throw socketFailure(error, isOfSend(error) ? where : `port ${replyPort}`);
    });
    const failure = sending.wasStopped
      ? { exitCode: interruption.exitCode ?? ExitCode.INTERRUPTED, message: 'stopped' }
      : failureOfRun(sending.failure, where, sending.iterations.length, iterations);
    const exitCode = failure?.exitCode ?? ExitCode.OK;
    const result = sendingDocument(
      sending,
      content.name,
      { host: server.host, port },
      {
        version: VERSION,
        createdAt,
        environment: describeEnvironment('portable'),
        iterations,
        outcome: {
          status: failure === undefined ? 'complete' : 'failed',
          exitCode,
          message: failure?.message ?? null,
          savedAs: null,
        },
      },
    );
    output.print(...notebookLines(result), ...summaryTable(result));
    output.print('These are numbers of what was sent: only the server knows what arrived.');
    if (failure !== undefined) output.error(failure.message);
    output.document(result, false);
    return exitCode;
  } finally {
    progress.stop();
    content.close();
  }
}

/** Whether the system would not send to the server. */
function isOfSend(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.syscall === 'send';
}

function failureOfRun(
  failure: SenderFailure | undefined,
  where: string,
  done: number,
  all: number,
): Failure | undefined {
  switch (failure) {
    case undefined:
      return undefined;
    case 'no-answer':
      return {
        exitCode: ExitCode.UNREACHABLE,
        message: `no answer from ${where}: check that the server runs there, that it answers to this port, and that UDP passes every firewall between`,
      };
    case 'lost':
      return {
        exitCode: ExitCode.LOST,
        message: `${where} stopped answering: iteration ${done} of ${all} may not have arrived`,
      };
    case 'finished-early':
      return {
        exitCode: ExitCode.INCOMPATIBLE,
        message: `${where} finished after ${done} of ${all} iterations: give both sides the same --iterations`,
      };
    case 'wants-more':
      return {
        exitCode: ExitCode.INCOMPATIBLE,
        message: `${where} waits for more than ${all} iterations, or missed one: give both sides the same --iterations`,
      };
  }
}

const RATE_UNITS: Record<string, number> = { '': 1, k: 1e3, m: 1e6, g: 1e9 };

/** At less, gaps between datagrams come near to the second of silence that ends an iteration. */
const LEAST_RATE = 64e3;

/** Bits per second: `64k`, `20M`, `1.5G`, `20Mbit/s`. @throws CliError. */
export function parseRate(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmg]?)(?:bit\/s|bps)?$/iu.exec(text);
  const rate = match === null ? Number.NaN : Number(match[1]) * RATE_UNITS[match[2]!.toLowerCase()]!;
  if (rate >= LEAST_RATE && rate <= 100e9) return rate;
  throw new CliError(
    ExitCode.USAGE,
    `--rate must be bits per second from 64k to 100G, such as 500k, 20M or 1G, not '${text}'`,
  );
}

function parseSplit(text: string): 'stripes' | 'copies' {
  if (text === 'stripes' || text === 'copies') return text;
  throw new CliError(ExitCode.USAGE, `--split ${text} is not known: use copies or stripes`);
}
