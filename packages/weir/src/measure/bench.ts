import { isIP } from 'node:net';
import { connectGauge, type GaugeOptions, type GaugeReport, type LiveGauge, type Payload } from '../gauge/index.ts';
import { parseTicket, type Ticket } from '../peer/index.ts';
import { type CellSettings, roundMs, sideResult } from '../results/index.ts';
import { ExperimentError } from './errors.ts';
import { PeerProcess } from './peer-process.ts';
import type { PathReport } from './peer-program.ts';
import type { Bench, Measurement } from './runner.ts';
import { type TlsAddress, TlsClient } from './tls-baseline.ts';

/** Lateness of one datagram in a hundred, in milliseconds, from which an emulated path is not the one that was asked for. */
const LATE = 2;

/** The other side of an experiment, and how to reach it. */
export interface BenchOptions {
  /** The ticket of a `weir serve`; undefined: a server of this machine, started and ended with the experiment. */
  readonly ticket: Ticket | undefined;
  /** How its certificate is judged. */
  readonly verifyPeer: NonNullable<GaugeOptions['verifyPeer']>;
  /** What is sent where this side does; default zeros. */
  readonly payload?: Payload | undefined;
  readonly software: string;
  /** More settings of the connections: qlog, how to stand in line. */
  readonly connection?: Pick<GaugeOptions, 'openQlog' | 'qlogDialect' | 'wait' | 'onWaiting'>;
}

/** Measures iterations for real, with the processes that this takes, which end with it. */
export class ProcessBench implements Bench<LiveGauge>, AsyncDisposable {
  readonly #options: BenchOptions;
  #server: PeerProcess | undefined;
  #relay: PeerProcess | undefined;
  #tls: { readonly peer: PeerProcess; readonly address: Promise<TlsAddress> } | undefined;
  /** Of the server of this machine: its tickets by its windows. */
  readonly #tickets = new Map<number | null, Promise<string>>();
  /** Iterations over emulated paths, and how many of them were emulated badly. */
  readonly #paths = { emulated: 0, late: 0, lossy: 0 };
  /** Datagram sizes that did not get through, and the least that was used in place of each. */
  readonly #smaller = new Map<number, number>();

  constructor(options: BenchOptions) {
    this.#options = options;
  }

  async measure(
    cell: CellSettings,
    options: { readonly seed: number; readonly signal: AbortSignal; readonly onLive?: (live: LiveGauge) => void },
  ): Promise<Measurement> {
    options.signal.throwIfAborted();
    if (cell.transport === 'tls-tcp') return this.#measureTls(cell, options.signal);
    const ticket = await this.#ticketFor(cell);
    if (cell.path === null) return this.#measureQuic(cell, ticket, ticket, options);
    this.#relay ??= new PeerProcess('the emulated path');
    // A path of its own for each iteration: the same losses when it is done again, and no queue left from the one before.
    const through = await this.#relay.call('openPath', { path: cell.path, to: ticket, seed: options.seed });
    try {
      return await this.#measureQuic(cell, ticket, through, options);
    } finally {
      const report = await this.#relay.call('closePath', null).catch(() => undefined);
      if (report !== undefined) this.#notePath(report);
    }
  }

  /** What the user must know before trusting the paths: sentences, none when all is well. */
  get warnings(): string[] {
    const { emulated, late, lossy } = this.#paths;
    const because = 'this machine is too slow for it, or too busy';
    const found: string[] = [];
    if (late > 0)
      found.push(
        `in ${late} of ${emulated} iterations the emulated path was late, by over ${LATE} ms for 1%: ${because}`,
      );
    if (lossy > 0)
      found.push(`in ${lossy} of ${emulated} iterations the emulated path itself lost datagrams: ${because}`);
    for (const [wanted, used] of this.#smaller)
      found.push(`datagrams of ${wanted} bytes do not get through whole: down to ${used} bytes were used`);
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#server?.stop(), this.#relay?.stop(), this.#tls?.peer.stop()]);
  }

  async #measureQuic(
    cell: CellSettings,
    ticket: Ticket,
    at: { readonly host: string; readonly port: number },
    { signal, onLive }: { readonly signal: AbortSignal; readonly onLive?: (live: LiveGauge) => void },
  ): Promise<Measurement> {
    const { verifyPeer, payload, software, connection } = this.#options;
    const { direction, streams, bytes, cc, datagramBytes, windowBytes } = cell;
    const client = await connectGauge({
      ...connection,
      host: at.host,
      port: at.port,
      // Through an emulated path it is still that host's certificate.
      ...(at !== ticket && isIP(ticket.host) === 0 && { servername: ticket.host }),
      token: ticket.token,
      verifyPeer: ticket.pin === undefined ? verifyPeer : { pins: [ticket.pin] },
      datagramSize: datagramBytes ?? undefined,
      windowBytes: windowBytes ?? undefined,
      software,
      signal,
    });
    try {
      const cpu = await this.#cpuMeter(this.#server);
      const report = await client.run({ direction, streams, bytes, cc, payload }, { signal, onLive });
      const used = client.session.stats.maxDatagramSize;
      if (datagramBytes !== null && direction === 'up' && used < datagramBytes)
        this.#smaller.set(datagramBytes, Math.min(used, this.#smaller.get(datagramBytes) ?? used));
      return { ...quicMeasurement(report), cpuMs: await cpu() };
    } finally {
      await client.close();
    }
  }

  async #measureTls(cell: CellSettings, signal: AbortSignal): Promise<Measurement> {
    if (this.#tls === undefined) {
      const peer = new PeerProcess('the TLS server');
      this.#tls = { peer, address: peer.call('serveTls', null) };
    }
    const { direction, streams, bytes } = cell;
    const client = await TlsClient.connect(await this.#tls.address, { direction, connections: streams, bytes }, signal);
    try {
      const cpu = await this.#cpuMeter(this.#tls.peer);
      const wallMs = roundMs(await client.run(signal));
      return { ...NO_READINGS, bytes, wallMs, cpuMs: await cpu() };
    } finally {
      client.close();
    }
  }

  /** CPU from now on of this process, and of the other side's where that is known. */
  async #cpuMeter(peer: PeerProcess | undefined): Promise<() => Promise<number>> {
    const peerBefore = (await peer?.call('cpu', null)) ?? 0;
    const before = process.cpuUsage();
    return async () => {
      const { user, system } = process.cpuUsage(before);
      const peerAfter = (await peer?.call('cpu', null)) ?? 0;
      return Math.round(user + system + (peerAfter - peerBefore) * 1000) / 1000;
    };
  }

  async #ticketFor(cell: CellSettings): Promise<Ticket> {
    const { ticket } = this.#options;
    // The windows are the receiver's: here they are the server's.
    const windowBytes = cell.direction === 'up' ? cell.windowBytes : null;
    if (ticket !== undefined) {
      if (windowBytes === null) return ticket;
      throw new ExperimentError(
        'grid',
        "the windows of the other side are its own: --window is for --local, or for 'down'",
      );
    }
    this.#server ??= new PeerProcess('the server');
    let local = this.#tickets.get(windowBytes);
    if (local === undefined) {
      local = this.#server.call('serve', { windowBytes });
      this.#tickets.set(windowBytes, local);
    }
    return parseTicket(await local);
  }

  #notePath({ lateMs, lost }: PathReport): void {
    this.#paths.emulated++;
    if (lateMs > LATE) this.#paths.late++;
    if (lost > 0) this.#paths.lossy++;
  }
}

const NO_READINGS = { sender: null, receiver: null, senderSeries: null, receiverSeries: null } as const;

function quicMeasurement(report: GaugeReport): Omit<Measurement, 'cpuMs'> {
  const { settings, senderSeries, receiverSeries } = report;
  const sender = sideResult(report.sender, 'acknowledgements');
  const receiver = sideResult(report.receiver, 'arrivals');
  return {
    bytes: settings.bytes,
    wallMs: receiver.wallMs,
    sender,
    receiver,
    senderSeries: senderSeries ?? null,
    receiverSeries: receiverSeries ?? null,
  };
}
