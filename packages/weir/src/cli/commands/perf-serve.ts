import { type CongestionName, listen, type QuicEndpoint, QuicError, type QuicSession } from 'weir-quic';
import { base64url, HANDSHAKE_TIMEOUT } from '../../peer/index.ts';
import { PERF_ALPN, PERF_PORT, type PerfTally, servePerf, serverTransport } from '../../perf/index.ts';
import { formatBytes, hostPort, systemCode } from '../../text/index.ts';
import { ExitCode, failureOf } from '../exit-codes.ts';
import { type ListenAddress, parseListenAddress, reachableHosts } from '../options/listen-address.ts';
import { chooseIdentity, type IdentityOptions } from '../options/own-certificate.ts';
import { type QlogCommand, qlogOptions } from '../options/qlog-option.ts';
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

/** Answers clients of the `perf` protocol until it is stopped. Returns the exit code. */
export async function perfServe(
  command: PerfServeCommand,
  output: Output,
  interruption: Interruption,
): Promise<number> {
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
  const at = (address: ListenAddress) =>
    listen((session) => onSession(session, output), {
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

function onSession(session: QuicSession, output: Output): void {
  const from = hostPort(session.remoteAddress);
  const startedAt = session.now();
  const tally = servePerf(session);
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
