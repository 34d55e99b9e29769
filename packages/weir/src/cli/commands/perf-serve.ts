import type { Command } from 'commander';
import { type CongestionName, listen, type QuicEndpoint, QuicError, type QuicSession } from 'weir-quic';
import { base64url, HANDSHAKE_TIMEOUT } from '../../peer/index.ts';
import {
  Capacity,
  PERF_ALPN,
  PERF_PORT,
  type PerfTally,
  SERVER_CAPACITY,
  servePerf,
  serverTransport,
} from '../../perf/index.ts';
import { formatBytes, hostPort, systemCode } from '../../text/index.ts';
import { ExitCode, failureOf } from '../exit-codes.ts';
import { type ListenAddress, parseListenAddress, reachableHosts } from '../options/listen-address.ts';
import { chooseIdentity, type IdentityOptions } from '../options/own-certificate.ts';
import { addQlogOptions, type QlogCommand, qlogOptions } from '../options/qlog-option.ts';
import {
  CONGESTION_CHOICE,
  parseCongestion,
  parseDatagramSize,
  parseInteger,
  parseWindow,
} from '../options/session-settings.ts';
import type { Run } from '../run-command.ts';
import type { Identity } from '../serving/identity.ts';
import type { Interruption } from '../terminal/interruption.ts';
import type { Output } from '../terminal/output.ts';
import { VERSION } from '../version.ts';

/** `weir perf serve`, parsed. */
export interface PerfServeCommand extends QlogCommand, IdentityOptions {
  readonly listen: string;
  readonly maxConnections: number;
  /** From one address. */
  readonly maxPerHost: number;
  readonly cc: CongestionName;
  readonly datagramSize: number | undefined;
  readonly window: number | undefined;
}

/** Connections at a time: each may make the server hold its receive windows, 16 MiB. */
const DEFAULT_CONNECTIONS = 32;

/** One address gets this part of them, so that one client alone does not keep all others out. */
const PART_PER_HOST = 1 / 4;

/** Of all connections, those of one address. */
function perHost(all: number): number {
  return Math.ceil(all * PART_PER_HOST);
}

/** Adds `weir perf serve`. */
export function addPerfServeCommand(perf: Command, run: Run): void {
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
    .option(
      '--datagram-size <bytes>',
      'UDP payload of a full datagram (default: what the path carries)',
      parseDatagramSize,
    )
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

/** Answers clients of the `perf` protocol until it is stopped. Returns the exit code. */
async function perfServe(command: PerfServeCommand, output: Output, interruption: Interruption): Promise<number> {
  const identity = await chooseIdentity(command, (message) => output.error(message));
  const endpoint = await bind(command, identity, output);
  announce(endpoint, identity, output);
  const failed = endpoint.closed.then(
    () => undefined,
    (error) => failureOf(error),
  );
  const failure = await Promise.race([failed, interruption.stopped.then(() => undefined)]);
  if (failure !== undefined) {
    output.error(failure.message);
    return failure.exitCode;
  }
  // Every client is told with code 0; there is nothing to finish.
  endpoint.destroy();
  await endpoint.closed.catch(() => undefined);
  return interruption.exitCode ?? ExitCode.OK;
}

async function bind(command: PerfServeCommand, identity: Identity, output: Output): Promise<QuicEndpoint> {
  const { maxConnections, maxPerHost, datagramSize, window } = command;
  const qlog = qlogOptions(command, (message) => output.error(message));
  const capacity = new Capacity(SERVER_CAPACITY);
  const at = (address: ListenAddress) =>
    listen((session) => onSession(session, capacity, output), {
      ...qlog,
      endpoint: { address, maxConnectionsTotal: maxConnections, maxConnectionsPerHost: maxPerHost },
      identity: { cert: identity.certPem, key: identity.keyPem },
      alpn: PERF_ALPN,
      cc: command.cc,
      ...(datagramSize !== undefined && { datagramSize }),
      transportParams: serverTransport(window),
      handshakeTimeout: HANDSHAKE_TIMEOUT,
    });
  const address = parseListenAddress(command.listen, PERF_PORT);
  try {
    return await at(address);
  } catch (error) {
    const code = error instanceof QuicError ? systemCode(error.cause) : '';
    // A machine without IPv6.
    const hasNoIPv6 = address.host === '::' && (code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL');
    if (hasNoIPv6) return at({ host: '0.0.0.0', port: address.port });
    throw error;
  }
}

function announce(endpoint: QuicEndpoint, identity: Identity, output: Output): void {
  const { host, port } = endpoint.address!;
  const pin = base64url(identity.pin);
  const { local, remote } = reachableHosts(host);
  const how = (name: string) => `  weir perf ${hostPort({ host: name, port })} --pin ${pin}`;
  output.print(
    `weir ${VERSION} answers the perf protocol on ${hostPort(endpoint.address!)} (UDP, ALPN ${PERF_ALPN}); anybody may use it`,
    '',
    ...[...local, ...remote].map(how),
    '',
  );
  output.document({ event: 'listening', address: { host, port }, pin }, true);
}

function onSession(session: QuicSession, capacity: Capacity, output: Output): void {
  const from = hostPort(session.remoteAddress);
  const startedAt = session.now();
  const tally = servePerf(session, capacity);
  const end = (error: unknown) => {
    const ms = session.now() - startedAt;
    const reason = error === undefined ? null : failureOf(error, from).message;
    output.print(`${from}: ${tallyText(tally)} in ${(ms / 1000).toFixed(1)} s${reason === null ? '' : ` (${reason})`}`);
    output.document({ event: 'closed', client: from, ...tally, durationMs: Math.round(ms), error: reason }, true);
  };
  session.closed.then(() => end(undefined), end);
}

function tallyText({ requests, bytesReceived, bytesSent }: PerfTally): string {
  return `${requests} request${requests === 1 ? '' : 's'}, ${formatBytes(bytesReceived)} received, ${formatBytes(bytesSent)} sent`;
}
