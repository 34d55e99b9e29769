import { basename } from 'node:path';
import type { Command } from 'commander';
import {
  type CongestionName,
  type ConnectOptions,
  connect,
  datapathChoice,
  type QuicSession,
  type VerifyPeer,
} from 'weir-quic';
import { Sampler } from '../../gauge/sampler.ts';
import type { Series } from '../../gauge/series.ts';
import { LiveDisplay } from '../../live/index.ts';
import {
  HANDSHAKE_TIMEOUT,
  KEEP_ALIVE,
  MAX_STREAM_READINGS,
  MAX_STREAMS,
  ordinal,
  parseTicket,
  SENDER_TRANSPORT,
  type Ticket,
} from '../../peer/index.ts';
import {
  describeEnvironment,
  iterationResult,
  iterationTable,
  makeResult,
  type ResultDocument,
  summaryTable,
} from '../../results/index.ts';
import { type RunSummary, summaryOf } from '../../runs/index.ts';
import { hostPort } from '../../text/index.ts';
import {
  ALPN,
  type IterationReport,
  type Offer,
  openSource,
  type SourceFile,
  sendFile,
  type TransferReport,
} from '../../transfer/index.ts';
import { CliError, ExitCode, failureOf } from '../exit-codes.ts';
import { LiveFeed, transferSource } from '../measuring/live-feed.ts';
import { connectionSetup } from '../measuring/result-parts.ts';
import { readCaFile } from '../options/ca-file.ts';
import { addHistoryOption, keepRun } from '../options/keep-run.ts';
import { addQlogOptions, type QlogCommand, qlogOptions } from '../options/qlog-option.ts';
import {
  CONGESTION_CHOICE,
  datagramSizeWarning,
  parseChunk,
  parseCongestion,
  parseDatagramSize,
  parseIterations,
  parseStreams,
  parseWait,
  WAIT_SECONDS,
} from '../options/session-settings.ts';
import { addWebOption, openWeb } from '../options/web-option.ts';
import type { Run } from '../run-command.ts';
import type { Interruption } from '../terminal/interruption.ts';
import type { Output } from '../terminal/output.ts';
import { VERSION } from '../version.ts';

/** `weir send`, parsed. */
export interface SendCommand extends QlogCommand {
  readonly file: string;
  readonly ticket: string;
  readonly streams: number;
  readonly iterations: number;
  readonly chunkBytes: number | undefined;
  readonly datagramSize: number | undefined;
  readonly cc: CongestionName;
  /** A file with root certificates: the chain is verified in place of the pin. */
  readonly ca: string | undefined;
  readonly insecure: boolean;
  /** Seconds to stand in line where the receiver is busy; default none. */
  readonly wait?: number | undefined;
  /** Follow it on a local page. */
  readonly web?: boolean | undefined;
}

/** Iterations whose course is kept: a document of hundreds of them would be hundreds of megabytes. */
const MAX_SERIES = 10;

/** How a send ended. */
export interface SendOutcome {
  readonly exitCode: number;
  readonly result: ResultDocument;
  /** What a history says of it: the receiver and the file even where the result knows of none. */
  readonly summary: RunSummary;
}

/** Adds `weir send`. */
export function addSendCommand(program: Command, run: Run): void {
  const command = program
    .command('send')
    .description('send a file to a receiver')
    .argument('<file>', 'the file')
    .argument('<ticket>', "what 'weir serve' printed, in quotes")
    .option('--streams <n>', `parallel streams, 1 to ${MAX_STREAMS}`, parseStreams, 8)
    .option('--iterations <n>', 'send the whole file so many times', parseIterations, 1)
    .option('--cc <name>', `congestion control: ${CONGESTION_CHOICE}`, parseCongestion, 'cubic')
    .option(
      '--datagram-size <bytes>',
      'UDP payload of a full datagram (default: what the path is found to carry)',
      parseDatagramSize,
    )
    .option('--chunk <bytes>', 'size of a chunk, 1KiB to 1MiB (default: by the size of the file)', parseChunk)
    .option('--wait <seconds>', 'stand in line so long where a receiver is busy', parseWait, WAIT_SECONDS)
    .option('--ca <file>', 'verify the certificate by these root certificates (PEM) instead of the pin in the ticket')
    .option('--insecure', 'do not verify the certificate at all', false)
    .option('--json', 'one JSON document on standard output', false)
    .action(async (file: string, ticket: string, options) => {
      await run(options.json, async (output, interruption) => {
        const { exitCode, result, summary } = await send(
          { ...options, file, ticket, chunkBytes: options.chunk, ca: options.ca, datagramSize: options.datagramSize },
          output,
          interruption,
        );
        output.document(result, false);
        // What was no command never ran.
        if (exitCode !== ExitCode.USAGE) await keepRun({ kind: 'send', document: result, summary }, options, output);
        return exitCode;
      });
    });
  addHistoryOption(addQlogOptions(addWebOption(command)));
}

/** Sends one file. Says everything that there is to say, errors included, except for the JSON document, which it returns. */
export async function send(command: SendCommand, output: Output, interruption: Interruption): Promise<SendOutcome> {
  const run = new SendRun(command, output);
  let message: string | null = null;
  let exitCode: number = ExitCode.OK;
  let report: TransferReport | undefined;
  try {
    report = await run.transfer(interruption.signal);
    output.print(...summaryTable(run.result(exitCode, null, report.savedAs)));
    output.print(`sent ${report.offer.name}; the receiver keeps it as ${report.savedAs}`);
  } catch (error) {
    const failure = failureOf(error, run.where);
    exitCode = interruption.exitCode ?? failure.exitCode;
    message = interruption.exitCode === undefined ? failure.message : 'stopped';
    output.error(message);
    output.debug(error);
  }
  const result = run.result(exitCode, message, report?.savedAs ?? null);
  const summary = { ...summaryOf(result)!, target: run.where, subject: basename(command.file) };
  return { exitCode, result, summary };
}

class SendRun {
  /** The receiver, for messages. */
  where = 'the receiver';
  readonly #command: SendCommand;
  readonly #output: Output;
  readonly #iterations: IterationReport[] = [];
  /** The course of the first iterations. */
  readonly #series: Series[] = [];
  readonly #createdAt = new Date();
  /** What carries it, once that is known. */
  #datapath = 'none';
  #offer: Offer | undefined;
  #setup: ReturnType<typeof connectionSetup> | undefined;

  constructor(command: SendCommand, output: Output) {
    this.#command = command;
    this.#output = output;
  }

  async transfer(signal: AbortSignal): Promise<TransferReport> {
    this.#checkReadings();
    const ticket = parseTicket(this.#command.ticket);
    this.where = hostPort(ticket);
    const verifyPeer = await this.#verifyPeer(ticket);
    const qlog = qlogOptions(this.#command, (message) => this.#output.error(message));
    this.#datapath = (await datapathChoice()).name;
    const file = await openSource(this.#command.file);
    try {
      const session = await this.#connect(ticket, { verifyPeer, ...qlog, signal });
      this.#setup = connectionSetup(session, await session.opened);
      return await this.#send(session, ticket, file, signal);
    } finally {
      await file.close();
    }
  }

  result(exitCode: number, message: string | null, savedAs: string | null): ResultDocument {
    return makeResult({
      version: VERSION,
      createdAt: this.#createdAt,
      role: 'sender',
      environment: describeEnvironment(this.#datapath),
      offer: this.#offer,
      connection: this.#setup,
      iterations: this.#iterations,
      senderSeries: this.#series,
      outcome: { status: exitCode === ExitCode.OK ? 'complete' : 'failed', exitCode, message, savedAs },
    });
  }

  #connect(ticket: Ticket, options: Omit<ConnectOptions, 'alpn'>): Promise<QuicSession> {
    const { cc, datagramSize } = this.#command;
    return connect(
      { host: ticket.host, port: ticket.port },
      {
        ...options,
        alpn: ALPN,
        cc,
        ...(datagramSize !== undefined && { datagramSize }),
        transportParams: SENDER_TRANSPORT,
        handshakeTimeout: HANDSHAKE_TIMEOUT,
        keepAlive: KEEP_ALIVE,
      },
    );
  }

  async #send(session: QuicSession, ticket: Ticket, file: SourceFile, signal: AbortSignal): Promise<TransferReport> {
    const { streams, iterations, chunkBytes } = this.#command;
    const web = await openWeb(this.#command.web, 'weir send', this.#output);
    const display = new LiveDisplay(this.#output.screen, { print: (line) => this.#output.print(line) });
    const progress = new LiveFeed(display, web);
    let sampler: Sampler | undefined;
    try {
      return await sendFile(session, {
        file,
        token: ticket.token,
        streams,
        iterations,
        ...(chunkBytes !== undefined && { chunkBytes }),
        software: `weir/${VERSION}`,
        signal,
        wait: (this.#command.wait ?? 0) * 1000,
        onWaiting: (position) => this.#output.print(`waiting, ${ordinal(position)} in line`),
        events: {
          onIterationStart: (live) => {
            if (this.#offer === undefined && live.offer.streams < streams)
              this.#output.print(`the receiver takes ${live.offer.streams} streams at most: sends on so many`);
            this.#offer = live.offer;
            if (live.number <= MAX_SERIES) {
              sampler = new Sampler(session, { side: 'sender', streams: live.streams });
              sampler.start();
            }
            progress.start(transferSource(live, session, 'sender'));
          },
          onIteration: (report) => {
            progress.stop();
            if (sampler !== undefined) this.#series.push(sampler.stop());
            sampler = undefined;
            this.#iterations.push(report);
            this.#output.print(...iterationTable(iterationResult(report), iterations));
          },
        },
      });
    } finally {
      progress.stop();
      sampler?.cancel();
      await web?.close();
      const warning = datagramSizeWarning(this.#command.datagramSize, session.stats.maxDatagramSize);
      if (warning !== undefined) this.#output.error(warning);
      this.#setup = connectionSetup(session, await session.opened);
    }
  }

  /** @throws CliError. */
  #checkReadings(): void {
    const { streams, iterations } = this.#command;
    if (streams * iterations <= MAX_STREAM_READINGS) return;
    const most = Math.floor(MAX_STREAM_READINGS / streams);
    throw new CliError(ExitCode.USAGE, `--iterations ${iterations} is too many with ${streams} streams: use ${most}`);
  }

  async #verifyPeer(ticket: Ticket): Promise<VerifyPeer> {
    const { ca, insecure } = this.#command;
    if (insecure) {
      this.#output.error('--insecure: anybody could be at the other end; the certificate is not looked at');
      return 'insecure';
    }
    if (ca !== undefined) return { ca: await readCaFile(ca) };
    return ticket.pin === undefined ? 'strict' : { pins: [ticket.pin] };
  }
}
