import type { Command } from 'commander';
import { MAX_ITERATIONS } from '../../peer/index.ts';
import { MAX_PERF_STREAMS, PERF_PORT, type PerfPlan } from '../../perf/index.ts';
import { perfClient } from '../commands/perf.ts';
import { perfServe } from '../commands/perf-serve.ts';
import { CliError, ExitCode } from '../exit-codes.ts';
import type { Interruption } from '../terminal/interruption.ts';
import type { Output } from '../terminal/output.ts';
import { addHistoryOption } from './keep-run.ts';
import { addQlogOptions } from './qlog-option.ts';
import { CONGESTION_CHOICE, parseBytes, parseCongestion, parseInteger, parseWindow } from './session-settings.ts';

/** Runs a command and turns its exit code into the process's. */
type Run = (isJson: boolean, command: (output: Output, interruption: Interruption) => Promise<number>) => Promise<void>;

/** How long a run is when nothing is said. Seconds. */
const DEFAULT_DURATION = 10;
const MOST_SECONDS = 86_400;

/** Connections at a time: each may make the server hold its receive windows, 16 MiB. */
const DEFAULT_CONNECTIONS = 32;

/** One address gets this part of them, so that one client alone does not keep all others out. */
const PART_PER_HOST = 1 / 4;

/** Of all connections, those of one address. */
function perHost(all: number): number {
  return Math.ceil(all * PART_PER_HOST);
}

const datagramSize = (text: string) => parseInteger('--datagram-size', text, 1200, 65_507);

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
    .option(
      '--iterations <n>',
      'measure so many times',
      (text) => parseInteger('--iterations', text, 1, MAX_ITERATIONS),
      1,
    )
    .option('--cc <name>', `congestion control of this side: ${CONGESTION_CHOICE}`, parseCongestion, 'cubic')
    .option('--datagram-size <bytes>', 'UDP payload of a full datagram (default: what the path carries)', datagramSize)
    .option('--window <bytes>', 'receive windows of this size (default: they grow)', (text) => parseWindow(text))
    .option('--pin <pin>', "the server's key must have this SHA-256, as weir perf serve prints it")
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
  addServeCommand(perf, run);
}

function addServeCommand(perf: Command, run: Run): void {
  const serve = perf
    .command('serve')
    .description('answer clients of the perf protocol, of any stack; anybody who reaches the port may use it')
    .option('--listen <address>', 'where to listen, HOST:PORT or [IPV6]:PORT', `[::]:${PERF_PORT}`)
    .option(
      '--max-connections <n>',
      'refuse more connections at a time',
      (text) => parseInteger('--max-connections', text, 1, 10_000),
      DEFAULT_CONNECTIONS,
    )
    .option(
      '--max-connections-per-host <n>',
      'refuse more of one address (default: a quarter of --max-connections)',
      (text) => parseInteger('--max-connections-per-host', text, 1, 10_000),
    )
    .option('--cc <name>', `congestion control of this side: ${CONGESTION_CHOICE}`, parseCongestion, 'cubic')
    .option('--datagram-size <bytes>', 'UDP payload of a full datagram (default: what the path carries)', datagramSize)
    .option('--window <bytes>', 'receive windows of this size (default: they grow)', (text) => parseWindow(text))
    .option('--identity <file>', "the file of certificate and key (default: in the user's data folder)")
    .option('--cert <file>', 'show this certificate chain (PEM) in place of the self-signed one; with --key')
    .option('--key <file>', "the certificate's private key (PEM)")
    .option('--json', 'JSON lines on standard output: where it listens, and each connection at its end', false)
    .action(async (options, command: Command) => {
      if ((options.cert === undefined) !== (options.key === undefined))
        command.error('error: --cert and --key go together');
      const maxPerHost = options.maxConnectionsPerHost ?? perHost(options.maxConnections);
      await run(options.json, (output, interruption) => perfServe({ ...options, maxPerHost }, output, interruption));
    });
  addQlogOptions(serve);
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

function parseSeconds(text: string): number {
  const seconds = /^\d+(\.\d+)?s?$/u.test(text) ? Number.parseFloat(text) : Number.NaN;
  if (seconds >= 0.1 && seconds <= MOST_SECONDS) return seconds;
  throw new CliError(ExitCode.USAGE, `--duration must be seconds from 0.1 to ${MOST_SECONDS}, not '${text}'`);
}
