import type { Command } from 'commander';
import { datapathChoice, listen, type QuicEndpoint, QuicError, type QuicSession } from 'weir-quic';
import { GAUGE_ALPN } from '../../gauge/index.ts';
import { LiveDisplay } from '../../live/index.ts';
import {
  CloseCode,
  clientOf,
  formatTicket,
  HANDSHAKE_TIMEOUT,
  MAX_STREAMS,
  Places,
  receiverTransport,
  Strangers,
  TransferError,
} from '../../peer/index.ts';
import { describeEnvironment, iterationResult, iterationTable, makeResult, summaryTable } from '../../results/index.ts';
import { formatBytes, hostPort, systemCode } from '../../text/index.ts';
import { ALPN, type IterationReport, type Offer, receiveFile, TargetFolder } from '../../transfer/index.ts';
import { ExitCode, type Failure, failureOf } from '../exit-codes.ts';
import { LiveFeed, transferSource } from '../measuring/live-feed.ts';
import { connectionSetup } from '../measuring/result-parts.ts';
import { addHistoryOption, type HistoryCommand, keepRun } from '../options/keep-run.ts';
import { type ListenAddress, parseListenAddress, reachableHosts } from '../options/listen-address.ts';
import { chooseIdentity, type IdentityOptions } from '../options/own-certificate.ts';
import { addQlogOptions, type QlogCommand, qlogOptions } from '../options/qlog-option.ts';
import { parseBytes, parseInteger, parseStall, parseWindow, STALL_SECONDS } from '../options/session-settings.ts';
import type { Run } from '../run-command.ts';
import { Guest } from '../serving/guest.ts';
import type { Identity } from '../serving/identity.ts';
import { GaugeDesk } from '../serving/serve-gauge.ts';
import { CONNECTIONS, placesFor, STRANGERS } from '../serving/serve-limits.ts';
import { StrangerLines } from '../serving/stranger-lines.ts';
import type { Interruption } from '../terminal/interruption.ts';
import type { Output } from '../terminal/output.ts';
import { VERSION } from '../version.ts';

/** Where a receiver listens when `--listen` doesn't say: everywhere, IPv6 and IPv4. */
const DEFAULT_LISTEN = '[::]:12345';

/** `weir serve`, parsed. */
export interface ServeCommand extends QlogCommand, HistoryCommand, IdentityOptions {
  readonly listen: string;
  readonly into: string;
  /** End after the first file. */
  readonly once: boolean;
  readonly overwrite: boolean;
  /** Whether a file is on the disk itself before it counts as received. */
  readonly sync: boolean;
  readonly maxStreams: number | undefined;
  readonly maxSize: number | undefined;
  /** Seconds without anything moving after which a transfer is given up. */
  readonly stall?: number | undefined;
  /** Bytes of the receive windows of connection and stream; undefined lets them grow. */
  readonly window?: number | undefined;
}

/** Adds `weir serve`. */
export function addServeCommand(program: Command, run: Run): void {
  const command = program
    .command('serve')
    .description('receive files; prints the ticket that a sender needs')
    .option('--listen <address>', 'where to listen, HOST:PORT or [IPV6]:PORT', DEFAULT_LISTEN)
    .option('--into <folder>', 'where received files go', './received')
    .option('--once', 'end after one file', false)
    .option('--overwrite', 'replace a file of the same name (default: keep both, as NAME (1).EXT)', false)
    .option(
      '--no-sync',
      'end when the system has a file in memory: faster where the disk is slow, but a power cut may damage it',
    )
    .option('--max-streams <n>', 'refuse more streams than this', (text) =>
      parseInteger('--max-streams', text, 1, MAX_STREAMS),
    )
    .option('--max-size <bytes>', 'refuse larger files, e.g. 500MiB', (text) => parseBytes('--max-size', text))
    .option('--stall <seconds>', 'give a transfer up when nothing of it moves for so long', parseStall, STALL_SECONDS)
    .option('--window <bytes>', 'fix the receive windows at this size (default: they grow)', (text) =>
      parseWindow(text),
    )
    .option('--new-ticket', 'make a new certificate and token; old tickets stop working', false)
    .option('--identity <file>', "the file of certificate, key and token (default: in the user's data folder)")
    .option('--cert <file>', 'show this certificate chain (PEM) in place of the self-signed one; with --key')
    .option('--key <file>', "the certificate's private key (PEM)")
    .option('--json', 'one JSON document for each file on standard output', false)
    .action(async (options, command: Command) => {
      if ((options.cert === undefined) !== (options.key === undefined))
        command.error('error: --cert and --key go together');
      await run(options.json, (output, interruption) => serve(options, output, interruption));
    });
  addHistoryOption(addQlogOptions(command));
}

/** Receives files until it is stopped, or one with `--once`. Returns the exit code. */
async function serve(command: ServeCommand, output: Output, interruption: Interruption): Promise<number> {
  const address = parseListenAddress(command.listen);
  const identity = await chooseIdentity(command, (message) => output.error(message));
  const folder = new TargetFolder(command.into, { overwrite: command.overwrite, durable: command.sync });
  const server = new Server(command, output, interruption, identity, folder);
  return server.run(address);
}

class Server {
  readonly #command: ServeCommand;
  readonly #output: Output;
  readonly #interruption: Interruption;
  readonly #identity: Identity;
  readonly #folder: TargetFolder;
  readonly #progress: LiveFeed;
  readonly #gauges: GaugeDesk;
  /** Transfers and measurements under way, accepted or not. */
  readonly #transfers = new Set<Promise<void>>();
  readonly #places: Places;
  readonly #strangers = new Strangers(STRANGERS);
  /** Ends what is under way once there is nothing more to wait for: the one file is there. */
  readonly #over = new AbortController();
  /** Aborts when the user stops it, or when it is over. */
  readonly #stop: AbortSignal;
  /** Fulfilled when the folder can take files. */
  #prepared: Promise<void> = Promise.resolve();
  readonly #strangerLines: StrangerLines;
  #finish!: (exitCode: number) => void;
  readonly #finished = new Promise<number>((resolve) => {
    this.#finish = resolve;
  });

  constructor(
    command: ServeCommand,
    output: Output,
    interruption: Interruption,
    identity: Identity,
    folder: TargetFolder,
  ) {
    this.#command = command;
    this.#output = output;
    this.#interruption = interruption;
    this.#identity = identity;
    this.#folder = folder;
    this.#strangerLines = new StrangerLines(
      (line) => output.error(line),
      () => performance.now(),
    );
    this.#stop = AbortSignal.any([interruption.signal, this.#over.signal]);
    this.#places = new Places(placesFor('files', command.once ? 1 : undefined));
    this.#gauges = new GaugeDesk(output, {
      token: identity.token,
      maxStreams: command.maxStreams,
      maxBytes: command.maxSize,
      signal: this.#stop,
    });
    this.#progress = new LiveFeed(new LiveDisplay(output.screen, { print: (line) => output.print(line) }));
  }

  async run(address: ListenAddress): Promise<number> {
    const endpoint = await this.#listen(address);
    // A port that is taken leaves no folder behind.
    this.#prepared = this.#folder.prepare();
    try {
      await this.#prepared;
    } catch (error) {
      endpoint.destroy();
      throw error;
    }
    this.#printTickets(endpoint);
    // Also when it came while all this started.
    void this.#interruption.stopped.then(() => this.#finish(ExitCode.OK));
    endpoint.closed.catch((error) => {
      const failure = failureOf(error);
      this.#output.error(failure.message);
      this.#finish(failure.exitCode);
    });
    const exitCode = await this.#finished;
    this.#over.abort();
    await Promise.all(this.#transfers);
    await Promise.race([endpoint.close().catch(() => undefined), this.#interruption.stopped]);
    endpoint.unref();
    return this.#interruption.exitCode ?? exitCode;
  }

  async #listen(address: ListenAddress): Promise<QuicEndpoint> {
    const { certPem, keyPem } = this.#identity;
    const qlog = qlogOptions(this.#command, (message) => this.#output.error(message));
    const bind = (at: ListenAddress) =>
      listen((session) => this.#onSession(session), {
        endpoint: { address: at, ...CONNECTIONS },
        identity: { cert: certPem, key: keyPem },
        alpn: [ALPN, GAUGE_ALPN],
        transportParams: receiverTransport(this.#command.window),
        handshakeTimeout: HANDSHAKE_TIMEOUT,
        ...qlog,
      });
    try {
      return await bind(address);
    } catch (error) {
      const code = error instanceof QuicError ? systemCode(error.cause) : '';
      // A machine without IPv6.
      const hasNoIPv6 = address.host === '::' && (code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL');
      if (hasNoIPv6) return bind({ host: '0.0.0.0', port: address.port });
      throw error;
    }
  }

  #printTickets(endpoint: QuicEndpoint): void {
    const { host, port } = endpoint.address!;
    const { local, remote } = reachableHosts(host);
    const ticket = (name: string) =>
      `  ${formatTicket({ host: name, port, pin: this.#identity.pin, token: this.#identity.token })}`;
    this.#output.print(
      `weir ${VERSION} listens on ${hostPort(endpoint.address!)} (UDP) and receives into ${this.#folder.path}`,
    );
    if (local.length > 0) this.#output.print('', 'Ticket for senders on this machine:', ...local.map(ticket));
    if (remote.length > 0) this.#output.print('', 'Ticket for senders elsewhere:', ...remote.map(ticket));
    this.#output.print('', "Whoever has a ticket may send: weir send FILE 'TICKET'", '');
  }

  #onSession(session: QuicSession): void {
    const transfer = this.#attend(session).catch((error) => this.#output.error(failureOf(error).message));
    this.#transfers.add(transfer);
    void transfer.finally(() => this.#transfers.delete(transfer));
  }

  /** By what the client speaks: a file comes, or a measurement. */
  async #attend(session: QuicSession): Promise<void> {
    const { protocol } = await session.opened;
    const close = () => {
      const reason = 'it showed no ticket while many others came';
      session.destroy(new TransferError('connection', reason), { code: CloseCode.REFUSED, reason });
    };
    const onKnown = this.#strangers.add(clientOf(session.remoteAddress.host), close);
    const guest = new Guest(onKnown, this.#output, this.#strangerLines);
    try {
      await this.#prepared;
      await (protocol === GAUGE_ALPN ? this.#gauges.serve(session, guest) : this.#receive(session, guest));
    } finally {
      onKnown();
    }
  }

  async #receive(session: QuicSession, guest: Guest): Promise<void> {
    const from = hostPort(session.remoteAddress);
    const iterations: IterationReport[] = [];
    const createdAt = new Date();
    let offer: Offer | undefined;
    let savedAs: string | null = null;
    let failure: Failure | undefined;
    try {
      const report = await receiveFile(session, {
        token: this.#identity.token,
        store: this.#folder,
        software: `weir/${VERSION}`,
        ...(this.#command.maxStreams !== undefined && { maxStreams: this.#command.maxStreams }),
        ...(this.#command.maxSize !== undefined && { maxSize: this.#command.maxSize }),
        places: this.#places,
        client: clientOf(session.remoteAddress.host),
        onTrusted: () => guest.onTrusted(),
        stallTime: this.#command.stall === undefined ? undefined : this.#command.stall * 1000,
        signal: this.#stop,
        events: {
          onOffer: (accepted) => {
            offer = accepted;
            if (this.#command.once) this.#places.close('it takes one file, which is on its way already');
            const times = accepted.iterations > 1 ? `, ${accepted.iterations} times` : '';
            this.#output.print(
              `${from} sends ${accepted.name} (${formatBytes(accepted.size)}) on ${accepted.streams} streams${times}`,
            );
          },
          onIterationStart: (live) => this.#progress.start(transferSource(live, session, 'receiver')),
          onIteration: (iteration) => {
            this.#progress.stop();
            iterations.push(iteration);
            this.#output.print(...iterationTable(iterationResult(iteration), offer!.iterations));
          },
        },
      });
      savedAs = report.savedAs;
    } catch (error) {
      failure = this.#failure(error, from);
    } finally {
      this.#progress.stop();
    }
    // Who is still here when the one file is there is turned away without a word about it.
    if (failure !== undefined && !this.#over.signal.aborted) guest.error(failure.message);
    if (offer === undefined) return;
    const exitCode = failure?.exitCode ?? ExitCode.OK;
    const result = makeResult({
      version: VERSION,
      createdAt,
      role: 'receiver',
      environment: describeEnvironment((await datapathChoice()).name),
      offer,
      connection: connectionSetup(session, await session.opened),
      iterations,
      outcome: {
        status: failure === undefined ? 'complete' : 'failed',
        exitCode,
        message: failure?.message ?? null,
        savedAs,
      },
    });
    if (failure === undefined)
      this.#output.print(...summaryTable(result), `received ${savedAs}, complete and verified`, '');
    this.#output.document(result, !this.#command.once);
    await keepRun({ kind: 'serve', document: result }, this.#command, this.#output);
    if (this.#command.once) this.#finish(exitCode);
  }

  #failure(error: unknown, from: string): Failure {
    this.#output.debug(error);
    const { exitCode, message } = failureOf(error, from);
    const isOffer = error instanceof TransferError && error.code === 'offer_refused';
    const stopped = this.#interruption.exitCode;
    if (stopped !== undefined) return { exitCode: stopped, message: `stopped: nothing of the file of ${from} is kept` };
    return { exitCode, message: isOffer ? `refused ${from}: ${message}` : `nothing received from ${from}: ${message}` };
  }
}
