import {
  FileContent,
  iterationLine,
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
import { ExitCode, type Failure } from '../exit-codes.ts';
import { LiveFeed, plainSource } from '../measuring/live-feed.ts';
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

/** Sends one run and says what there is to say. Returns the exit code. */
export async function classicSend(
  command: ClassicSendCommand,
  output: Output,
  interruption: Interruption,
): Promise<number> {
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
