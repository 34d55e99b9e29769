import type { Command } from 'commander';
import { type CongestionName, connect, datapathChoice, QuicError, type QuicSession, type VerifyPeer } from 'weir-quic';
import { LiveDisplay } from '../../live/index.ts';
import { HANDSHAKE_TIMEOUT } from '../../peer/index.ts';
import {
  clientTransport,
  type LivePerf,
  MAX_PERF_STREAMS,
  PERF_ALPN,
  PERF_PORT,
  PerfError,
  type PerfErrorCode,
  type PerfPlan,
  runPerf,
} from '../../perf/index.ts';
import { describeEnvironment } from '../../results/index.ts';
import { hostPort } from '../../text/index.ts';
import { CliError, ExitCode, type Failure, failureOf, harmlessFailure } from '../exit-codes.ts';
import { LiveFeed, type LiveSource } from '../measuring/live-feed.ts';
import {
  PERF_SCHEMA,
  type PerfDocument,
  type PerfIterationResult,
  perfIteration,
  perfSummary,
  perfSummaryLines,
  perfTable,
  runSummary,
} from '../measuring/perf-result.ts';
import { readCaFile } from '../options/ca-file.ts';
import { addHistoryOption, type HistoryCommand, keepRun } from '../options/keep-run.ts';
import { parseListenAddress } from '../options/listen-address.ts';
import { addQlogOptions, type QlogCommand, qlogOptions } from '../options/qlog-option.ts';
import {
  CONGESTION_CHOICE,
  datagramSizeWarning,
  parseBytes,
  parseCongestion,
  parseDatagramSize,
  parseInteger,
  parseIterations,
  parseWindow,
} from '../options/session-settings.ts';
import type { Run } from '../run-command.ts';
import type { Interruption } from '../terminal/interruption.ts';
import type { Output } from '../terminal/output.ts';
import { VERSION } from '../version.ts';
import { addPerfServeCommand } from './perf-serve.ts';

/** `weir perf HOST`, parsed. */
export interface PerfClientCommand extends QlogCommand, HistoryCommand {
  /** HOST or HOST:PORT. */
  readonly server: string;
  readonly plan: PerfPlan;
  readonly iterations: number;
  readonly cc: CongestionName;
  readonly datagramSize: number | undefined;
  readonly windowBytes: number | undefined;
  readonly insecure: boolean;
  readonly pin: string | undefined;
  /** A file of root certificates. */
  readonly ca: string | undefined;
  readonly serverName: string | undefined;
}

/** How long a run is when nothing is said. Seconds. */
const DEFAULT_DURATION = 10;
const MOST_SECONDS = 86_400;

/** Adds `weir perf HOST` and `weir perf serve`. */
export function addPerfCommand(program: Command, run: Run): void {
  const perf = program
    .command('perf')
    .description('measure against any server of the public perf protocol (ALPN perf), or be one: weir perf serve')
    // Both have --json and others: what follows `serve` is its own.
    .enablePositionalOptions()
    .argument('<server>', `HOST or HOST:PORT; the port is ${PERF_PORT} unless it says otherwise`)
    .option(
      '--down [bytes]',
      'the server sends: so much over all streams, or for the duration (the default)',
      amount('--down'),
    )
    .option('--up [bytes]', 'this side sends', amount('--up'))
    .option('--duration <seconds>', `how long, where no bytes are given (default: ${DEFAULT_DURATION})`, parseSeconds)
    .option('--streams <n>', 'parallel streams', (text) => parseInteger('--streams', text, 1, MAX_PERF_STREAMS), 1)
    .option('--iterations <n>', 'measure so many times', parseIterations, 1)
    .option('--cc <name>', `congestion control of this side: ${CONGESTION_CHOICE}`, parseCongestion, 'cubic')
    .option(
      '--datagram-size <bytes>',
      'UDP payload of a full datagram (default: what the path carries)',
      parseDatagramSize,
    )
    .option('--window <bytes>', 'receive windows of this size (default: they grow)', (text) => parseWindow(text))
    .option('--pin <pin>', "the server's key must have this SHA-256, as weir perf serve prints it", parsePin)
    .option('--ca <file>', "verify the server's certificate by these root certificates (PEM)")
    .option('--server-name <name>', 'the name to ask for and to find in the certificate (default: the host)')
    .option('--insecure', "do not verify the server's certificate at all", false)
    .option('--json', 'one JSON document on standard output', false)
    .action((server: string, options, command: Command) => {
      const trust = [options.pin, options.ca, options.insecure || undefined].filter((each) => each !== undefined);
      if (trust.length > 1) command.error('error: --pin, --ca and --insecure exclude each other');
      return run(options.json, (output, interruption) =>
        perfClient({ ...options, server, plan: planOf(options), windowBytes: options.window }, output, interruption),
      );
    });

  addHistoryOption(addQlogOptions(perf));
  addPerfServeCommand(perf, run);
}

/** What the options say of the amount; `true` is an option without its value. */
interface AmountOptions {
  readonly up?: number | true;
  readonly down?: number | true;
  readonly duration?: number;
  readonly streams: number;
}

function planOf({ up, down, duration, streams }: AmountOptions): PerfPlan {
  if (up !== undefined && down !== undefined)
    throw new CliError(ExitCode.USAGE, '--up and --down exclude each other: measure one after the other');
  const bytes = up ?? down ?? true;
  if (bytes !== true && duration !== undefined)
    throw new CliError(ExitCode.USAGE, 'a number of bytes and --duration exclude each other');
  const direction = up === undefined ? 'down' : 'up';
  const amount = bytes === true ? { durationMs: (duration ?? DEFAULT_DURATION) * 1000 } : { bytes };
  return { direction, streams, amount };
}

function amount(option: string): (text: string) => number {
  return (text) => parseBytes(option, text);
}

/** A SHA-256, in hexadecimal or base64url. @throws CliError. */
function parsePin(text: string): string {
  if (/^[0-9a-f]{64}$/iu.test(text) || Buffer.from(text, 'base64url').length === 32) return text;
  throw new CliError(ExitCode.USAGE, `--pin must be a SHA-256 as 'weir perf serve' prints it, not '${text}'`);
}

function parseSeconds(text: string): number {
  const seconds = /^\d+(\.\d+)?s?$/u.test(text) ? Number.parseFloat(text) : Number.NaN;
  if (seconds >= 0.1 && seconds <= MOST_SECONDS) return seconds;
  throw new CliError(ExitCode.USAGE, `--duration must be seconds from 0.1 to ${MOST_SECONDS}, not '${text}'`);
}

/** Measures against a server of the `perf` protocol. Says everything, the JSON document included. Returns the exit code. */
async function perfClient(command: PerfClientCommand, output: Output, interruption: Interruption): Promise<number> {
  const { host, port } = parseListenAddress(command.server, PERF_PORT);
  if (host === '::' || port === 0)
    throw new CliError(ExitCode.USAGE, `'${command.server}' is no server: use HOST or HOST:PORT`);
  const run = new PerfClient(command, hostPort({ host, port }), output);
  let failure: Failure | undefined;
  try {
    await run.measure(host, port, interruption.signal);
  } catch (error) {
    failure =
      interruption.exitCode === undefined
        ? harmlessFailure(perfFailure(error, run.where))
        : { exitCode: interruption.exitCode, message: 'stopped' };
    output.error(failure.message);
    output.debug(error);
  }
  await run.report(failure);
  return failure?.exitCode ?? ExitCode.OK;
}

class PerfClient {
  readonly where: string;
  readonly #command: PerfClientCommand;
  readonly #output: Output;
  readonly #createdAt = new Date();
  readonly #iterations: PerfIterationResult[] = [];
  #connection: { cipher: string; congestionController: string; remoteAddress: string } | null = null;

  constructor(command: PerfClientCommand, where: string, output: Output) {
    this.#command = command;
    this.where = where;
    this.#output = output;
  }

  async measure(host: string, port: number, signal: AbortSignal): Promise<void> {
    const { plan, iterations } = this.#command;
    const session = await this.#connect(host, port, signal);
    // Each wait for the session's end is in runPerf.
    session.closed.catch(() => undefined);
    const feed = new LiveFeed(new LiveDisplay(this.#output.screen, { print: (line) => this.#output.print(line) }));
    try {
      for (let iteration = 1; iteration <= iterations; iteration++) {
        const onStart = (live: LivePerf) => feed.start(perfSource(live, session, plan, iteration, iterations));
        const result = perfIteration(iteration, await runPerf(session, plan, { signal, onStart }));
        feed.stop();
        this.#iterations.push(result);
        this.#output.print(...perfTable(result, plan.direction, iterations));
      }
    } finally {
      feed.stop();
      const warning = datagramSizeWarning(this.#command.datagramSize, session.stats.maxDatagramSize);
      if (warning !== undefined) this.#output.error(warning);
      // With code 0, as the protocol asks; what is left of an abandoned run goes with it.
      session.destroy(undefined, { code: 0 });
    }
  }

  /** The summary and the document. */
  async report(failure: Failure | undefined): Promise<void> {
    const { plan } = this.#command;
    const summary = perfSummary(this.#iterations);
    this.#output.print(...perfSummaryLines(summary));
    const document: PerfDocument = {
      schema: PERF_SCHEMA,
      weir: VERSION,
      createdAt: this.#createdAt.toISOString(),
      environment: describeEnvironment((await datapathChoice()).name),
      server: this.where,
      direction: plan.direction,
      streams: plan.streams,
      bytes: 'bytes' in plan.amount ? plan.amount.bytes : null,
      durationMs: 'durationMs' in plan.amount ? plan.amount.durationMs : null,
      connection: this.#connection,
      iterations: this.#iterations,
      summary,
      outcome: {
        status: failure === undefined ? 'complete' : 'failed',
        exitCode: failure?.exitCode ?? ExitCode.OK,
        message: failure?.message ?? null,
      },
    };
    this.#output.document(document, false);
    await keepRun({ kind: 'perf', document, summary: runSummary(document) }, this.#command, this.#output);
  }

  async #connect(host: string, port: number, signal: AbortSignal): Promise<QuicSession> {
    const { cc, datagramSize, windowBytes, serverName } = this.#command;
    const session = await connect(
      { host, port },
      {
        alpn: PERF_ALPN,
        verifyPeer: await this.#verifyPeer(),
        cc,
        ...(datagramSize !== undefined && { datagramSize }),
        ...(serverName !== undefined && { servername: serverName }),
        ...qlogOptions(this.#command, (message) => this.#output.error(message)),
        transportParams: clientTransport(windowBytes),
        handshakeTimeout: HANDSHAKE_TIMEOUT,
        signal,
      },
    );
    const { cipher, remote } = await session.opened;
    const { congestionController } = session.stats;
    this.#connection = { cipher, congestionController, remoteAddress: hostPort(remote) };
    this.#output.print(`connected to ${hostPort(remote)} (${cipher}, ${congestionController})`, '');
    return session;
  }

  async #verifyPeer(): Promise<VerifyPeer> {
    const { ca, insecure, pin } = this.#command;
    if (insecure) {
      this.#output.error('--insecure: anybody could be at the other end; the certificate is not looked at');
      return 'insecure';
    }
    if (pin !== undefined) return { pin };
    if (ca === undefined) return 'strict';
    return { ca: await readCaFile(ca) };
  }
}

/** An iteration under way, for the display. With a duration, what it will carry is known from its course only. */
function perfSource(
  live: LivePerf,
  session: QuicSession,
  plan: PerfPlan,
  iteration: number,
  iterations: number,
): LiveSource {
  const { amount, direction } = plan;
  const isUp = direction === 'up';
  return {
    outline: { label: direction, iteration, iterations, totalBytes: 'bytes' in amount ? amount.bytes : 0 },
    sample() {
      const { stats } = session;
      const streamBytes = live.bytesByStream;
      const soFar = streamBytes.reduce((total, bytes) => total + bytes, 0);
      return {
        streamBytes,
        ...('durationMs' in amount && {
          totalBytes: Math.round(
            (soFar * amount.durationMs) / Math.min(amount.durationMs, Math.max(1, live.elapsedMs)),
          ),
        }),
        rttMs: stats.rttSmoothed < 0 ? null : stats.rttSmoothed,
        congestionWindowBytes: isUp ? stats.congestionWindow : null,
        bytesInFlight: isUp ? stats.bytesInFlight : null,
        packetsLost: isUp ? stats.packetsLost : null,
        limitMs: null,
      };
    },
  };
}

const PERF_EXIT: Readonly<Record<PerfErrorCode, number>> = {
  protocol: ExitCode.INCOMPATIBLE,
  stream_limit: ExitCode.REFUSED,
  stalled: ExitCode.LOST,
};

/** What to say of a failure; the usual words speak of receivers and tickets. */
function perfFailure(error: unknown, where: string): Failure {
  if (error instanceof PerfError) {
    return { exitCode: PERF_EXIT[error.code], message: `${where}: ${error.message}` };
  }
  const failure = failureOf(error, where);
  if (!(error instanceof QuicError)) return failure;
  if (error.code === 'ERR_QUIC_HANDSHAKE_TIMEOUT') {
    const message = `no answer from ${where}: check that a perf server runs there and that UDP passes every firewall between`;
    return { ...failure, message };
  }
  if (error.alert === 120)
    return { ...failure, message: `${where} does not speak the perf protocol (ALPN ${PERF_ALPN})` };
  if (failure.exitCode === ExitCode.UNTRUSTED) {
    const because = error.reason === '' ? '' : ` (${error.reason})`;
    return {
      ...failure,
      message: `the certificate of ${where} is not trusted${because}: use --pin, --ca or --insecure`,
    };
  }
  return failure;
}
