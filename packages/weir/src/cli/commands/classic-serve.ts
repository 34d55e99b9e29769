import { type Command, Option } from 'commander';
import {
  CLASSIC_PORT,
  CLASSIC_REPLY_PORT,
  type ClassicReception,
  type Iteration,
  ignoredLine,
  iterationLine,
  MAX_CLASSIC_FILE_BYTES,
  notebookLines,
  receivedIteration,
  receptionDocument,
  serveClassic,
  splitOf,
} from '../../classic/index.ts';
import { LiveDisplay } from '../../live/index.ts';
import { describeEnvironment, summaryTable } from '../../results/index.ts';
import { hostPort, messageOf, systemCode } from '../../text/index.ts';
import { TargetFolder } from '../../transfer/index.ts';
import { CliError, ExitCode, type Failure } from '../exit-codes.ts';
import { LiveFeed, type LiveSource, plainSource } from '../measuring/live-feed.ts';
import { isLoopback } from '../options/listen-address.ts';
import { parseBytes, parseInteger, parseIterations, parsePort } from '../options/session-settings.ts';
import type { Run } from '../run-command.ts';
import type { Interruption } from '../terminal/interruption.ts';
import type { Output } from '../terminal/output.ts';
import { VERSION } from '../version.ts';

/** Where it listens unless `--listen` says otherwise. */
const LOOPBACK = '127.0.0.1';

/** `weir classic serve`, parsed. Milliseconds, bytes. */
export interface ClassicServeCommand {
  readonly listen: string;
  readonly port: number;
  readonly replyPort: number;
  readonly iterations: number;
  readonly idle: number;
  readonly into?: string;
  readonly maxSize: number;
}

/** Adds `weir classic serve`. */
export function addClassicServeCommand(classic: Command, run: Run): void {
  classic
    .command('serve')
    .description('receive one run from an original sender, or from weir classic send')
    .option('--port <n>', 'UDP port to listen on; 0 for any free one', parsePort('--port', 0), CLASSIC_PORT)
    .option(
      '--reply-port <n>',
      "port on the sender's host for READY and FINISHED",
      parsePort('--reply-port', 1),
      CLASSIC_REPLY_PORT,
    )
    .option(
      '--listen <host>',
      'local address; 0.0.0.0 or :: for all. This machine alone by default: there is no authentication',
      LOOPBACK,
    )
    .option('--iterations <n>', 'iterations of the run', parseIterations, 5)
    .option(
      '--idle <ms>',
      'end an iteration when nothing has come for so long',
      (text) => parseInteger('--idle', text, 10, 600_000),
      1000,
    )
    .option('--into <folder>', 'put the file together in this folder (default: only measure)')
    .addOption(
      new Option('--max-size <bytes>', 'ignore larger files, e.g. 500MiB')
        .argParser((text) => parseBytes('--max-size', text))
        .default(MAX_CLASSIC_FILE_BYTES, '4 GiB, the most that can be announced'),
    )
    .option('--json', 'one JSON document on standard output', false)
    .action((options) => run(options.json, (output, interruption) => classicServe(options, output, interruption)));
}

/** Receives one run and says what there is to say. Returns the exit code. */
async function classicServe(command: ClassicServeCommand, output: Output, interruption: Interruption): Promise<number> {
  const { listen, port, replyPort, iterations, idle, maxSize } = command;
  const into = command.into === undefined ? undefined : new TargetFolder(command.into);
  const progress = new LiveFeed(new LiveDisplay(output.screen, { print: (line) => output.print(line) }));
  const createdAt = new Date();
  const done: Iteration[] = [];
  let reception: ClassicReception;
  try {
    reception = await serveClassic({
      host: listen,
      port,
      replyPort,
      iterations,
      idle,
      maxSize,
      ...(into !== undefined && { into }),
      signal: interruption.signal,
      events: {
        onListening: (local) => {
          const whose = `for one run of ${iterations} iterations, and answers to port ${replyPort}`;
          output.print(`weir ${VERSION} listens on ${hostPort(local)} (UDP) ${whose}`);
          output.print(reachLine(listen));
        },
        onIterationStart: (iteration, from) => {
          const { streams, size } = iteration.announcement;
          if (iteration.number === 1) output.print(`${from.host} announces ${size} bytes on ${streams} streams`);
          progress.start(progressOf(iteration, iterations, done));
        },
        onIteration: (iteration, soFar) => {
          progress.stop();
          done.push(iteration);
          const split = splitOf(soFar, iteration.announcement);
          output.print(iterationLine(receivedIteration(iteration, split, soFar), iterations));
        },
        onWarning: (text) => output.error(text),
      },
    });
  } catch (error) {
    throw socketFailure(error, `${listen}:${port}`);
  } finally {
    progress.stop();
  }
  return conclude(command, output, interruption, reception, createdAt);
}

/** Who can reach the port, and why nobody else by default. */
function reachLine(listen: string): string {
  const reason = 'the protocol has no encryption and no authentication';
  return isLoopback(listen)
    ? `only this machine can send: ${reason}; --listen 0.0.0.0 opens it to the network`
    : `whoever reaches this port can send: ${reason}`;
}

function progressOf(iteration: Iteration, iterations: number, done: readonly Iteration[]): LiveSource {
  const { streams, size } = iteration.announcement;
  return plainSource({ label: '', iteration: iteration.number, iterations, totalBytes: size }, () => {
    // In the first iteration it shows only late that the streams carry copies.
    const isCopies = iteration.bytes > size || (done.length > 0 && splitOf(done, iteration.announcement) === 'copies');
    return {
      totalBytes: isCopies ? size * streams : size,
      streamBytes: Array.from({ length: streams }, (_, i) => iteration.stream(i + 1)?.bytes ?? 0),
    };
  });
}

function conclude(
  command: ClassicServeCommand,
  output: Output,
  interruption: Interruption,
  reception: ClassicReception,
  createdAt: Date,
): number {
  const failure = failureOfRun(command, interruption, reception);
  const { outcome } = reception;
  const file = outcome !== undefined && 'file' in outcome ? outcome.file : undefined;
  const exitCode = failure?.exitCode ?? ExitCode.OK;
  const result = receptionDocument(reception, {
    version: VERSION,
    createdAt,
    environment: describeEnvironment('portable'),
    iterations: command.iterations,
    outcome: {
      status: failure === undefined ? 'complete' : 'failed',
      exitCode,
      message: failure?.message ?? null,
      savedAs: file?.name ?? null,
    },
  });
  if (result.iterations.length > 0) output.print(...notebookLines(result), ...summaryTable(result));
  const ignored = ignoredLine(result);
  if (ignored !== undefined) output.print(ignored);
  if (file !== undefined) {
    const source = file.how === 'copy' ? 'a complete copy' : `${reception.announcement!.streams} stripes joined`;
    output.print(`kept as ${file.name}: ${source}, iteration ${file.iteration}, SHA-256 ${file.sha256}`);
    if (file.wasContradicted)
      output.error('not all copies and iterations had the same content: some came out of order');
    else if (!file.isClean)
      output.error('datagrams of the kept file came out of order: compare the hash with the sender');
  }
  if (failure !== undefined) output.error(failure.message);
  output.document(result, false);
  return exitCode;
}

/** What went wrong with a run as a whole. Data that did not come is no failure of a measurement; it is one of a file. */
function failureOfRun(
  { into, iterations }: ClassicServeCommand,
  interruption: Interruption,
  { state, iterations: done, outcome }: ClassicReception,
): Failure | undefined {
  if (interruption.exitCode !== undefined) return { exitCode: interruption.exitCode, message: 'stopped' };
  if (outcome !== undefined && 'reason' in outcome) {
    switch (outcome.reason) {
      case 'disk':
        return { exitCode: ExitCode.FILE, message: `cannot write in ${into}: ${messageOf(outcome.error)}` };
      case 'undecided':
        return {
          exitCode: ExitCode.CORRUPT,
          message: 'the iterations have different contents, none more often than another: nothing is kept',
        };
      case 'incomplete':
        return {
          exitCode: ExitCode.CORRUPT,
          message: 'the file is in no iteration complete: nothing is kept; send it again more slowly',
        };
    }
  }
  if (state === 'abandoned') {
    return {
      exitCode: ExitCode.LOST,
      message: `the sender did not go on after iteration ${done.length} of ${iterations}`,
    };
  }
  return undefined;
}

/** Errors of the local socket have an exit code of their own, and so has a server that cannot be reached from here. */
export function socketFailure(error: unknown, address: string): unknown {
  const code = systemCode(error);
  const problems: Record<string, string> = {
    EADDRINUSE: `UDP port of ${address} is taken: end the other program, or choose another port`,
    EACCES: `no permission to use ${address}: choose a port above 1023`,
    EADDRNOTAVAIL: `${address} is no address of this machine`,
    EAFNOSUPPORT: `${address}: this machine has no such addresses`,
    EINVAL: `${address} cannot be used`,
  };
  const ways: Record<string, string> = {
    ENETUNREACH: `no route to ${address}: check the address and the network`,
    EHOSTUNREACH: `no way to ${address}: the host is off, or a router or firewall refuses`,
    EPERM: `this machine does not let datagrams to ${address} out: check its firewall`,
    EMSGSIZE: `the interface that leads to ${address} does not take datagrams of this size`,
    ENETDOWN: `the network interface that leads to ${address} is down`,
  };
  const way = ways[code];
  if (way !== undefined) return new CliError(ExitCode.UNREACHABLE, `${way} (${code})`);
  const problem = problems[code];
  if (problem !== undefined) return new CliError(ExitCode.ADDRESS, problem);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return new CliError(ExitCode.UNREACHABLE, `no such host: ${address}`);
  return error;
}
