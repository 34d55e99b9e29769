import type { ConnectionStats, LimitTimes, QuicSession, QuicStream } from 'weir-quic';
import { QuicError, RECEIVE_LIMITS, SEND_LIMITS } from 'weir-quic';
import { StallWatch } from '../peer/index.ts';
import { movedNow } from './moved-now.ts';
import { readPayload, writePayload } from './payload.ts';
import { encodeRequest, HEADER_BYTES, PerfError, UNLIMITED } from './protocol.ts';
import { CLIENT_PATIENCE } from './settings.ts';

/** Milliseconds of one look at whether it is quiet, at least; how many looks there are; and how many bytes still are quiet. */
const LEAST_QUIET = 5;
const MOST_QUIET_TURNS = 20;
const QUIET_BYTES = 1200;

/** What to measure. */
export interface PerfPlan {
  /** `up` the client sends, `down` the server. */
  readonly direction: 'up' | 'down';
  /** How many streams at the same time. */
  readonly streams: number;
  /** Payload over all streams, in equal shares; or for how long, in milliseconds. */
  readonly amount: { readonly bytes: number } | { readonly durationMs: number };
}

/** One stream of a run. Bytes of payload; milliseconds since the run began. */
export interface PerfStreamReport {
  /** From 1. */
  readonly stream: number;
  /** QUIC's number of it. */
  readonly id: number;
  readonly bytes: number;
  /** When the stream was there: later than 0 where the server allows only a few at a time. */
  readonly openedAtMs: number;
  /** When its FIN came (and everything sent on it was acknowledged); with a duration, when it was stopped. */
  readonly endedAtMs: number;
  /** Up: sent again because a packet was declared lost. */
  readonly retransmittedBytes: number;
}

/** The connection during a run: counts of the run, estimates as at its end. */
export interface PerfConnectionReport {
  readonly rttMinMs: number;
  readonly rttSmoothedMs: number;
  readonly congestionWindowBytes: number;
  readonly datagramBytes: number;
  readonly packetsSent: number;
  readonly packetsReceived: number;
  /** Of those sent by this side. What the server's packets suffered, only the server knows. */
  readonly packetsLost: number;
  readonly congestionEvents: number;
  /** UDP payload. */
  readonly wireBytesSent: number;
  readonly wireBytesReceived: number;
  /** Where this side's time went, by the names of SEND_LIMITS (up) or RECEIVE_LIMITS (down). */
  readonly limitsMs: Readonly<Record<string, number>>;
}

/** One measured run. */
export interface PerfReport {
  readonly direction: 'up' | 'down';
  /** Payload over all streams, without the requests' headers. */
  readonly bytes: number;
  /** From before the first stream was opened to the last stream's end. */
  readonly wallMs: number;
  readonly streams: readonly PerfStreamReport[];
  readonly connection: PerfConnectionReport;
}

/** A run under way. */
export interface LivePerf {
  /** Payload of each stream so far: acknowledged (up) or arrived (down). */
  readonly bytesByStream: readonly number[];
  /** Milliseconds since it began. */
  readonly elapsedMs: number;
}

/** Options of `runPerf`. */
export interface PerfRunOptions {
  /** Gives up; the session stays. */
  readonly signal?: AbortSignal;
  /** Called once, with what can be asked at any time. */
  readonly onStart?: (live: LivePerf) => void;
}

/**
 * Measures once over a session whose ALPN is `perf`, with any stack's server at the other end. Takes answers from servers that
 * wait for the FIN and from those that don't.
 * @throws PerfError when the server sends more or less than was asked for, allows too few streams for a duration, or lets nothing move for
 * CLIENT_PATIENCE; the session's or the stream's QuicError; the signal's reason.
 */
export async function runPerf(session: QuicSession, plan: PerfPlan, options: PerfRunOptions = {}): Promise<PerfReport> {
  const run = new PerfRun(session, plan);
  options.signal?.throwIfAborted();
  const onAbort = () => run.abandon(options.signal!.reason);
  options.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    options.onStart?.(run);
    return await run.finish();
  } finally {
    options.signal?.removeEventListener('abort', onAbort);
  }
}

class PerfRun implements LivePerf {
  readonly #session: QuicSession;
  readonly #plan: PerfPlan;
  readonly #startedAt: number;
  readonly #before: ConnectionStats;
  readonly #streams: readonly PerfStream[];
  readonly #abandoned = new AbortController();

  constructor(session: QuicSession, plan: PerfPlan) {
    this.#session = session;
    this.#plan = plan;
    this.#before = session.stats;
    this.#startedAt = session.now();
    const { direction, streams, amount } = plan;
    this.#streams = Array.from({ length: streams }, (_, i) => {
      const bytes = 'bytes' in amount ? share(amount.bytes, streams, i) : Number.POSITIVE_INFINITY;
      return new PerfStream(session, direction, bytes, this.#abandoned.signal);
    });
  }

  get bytesByStream(): readonly number[] {
    return this.#streams.map(({ bytes }) => bytes);
  }

  get elapsedMs(): number {
    return this.#session.now() - this.#startedAt;
  }

  async finish(): Promise<PerfReport> {
    const { amount } = this.#plan;
    const timer =
      'durationMs' in amount
        ? this.#session.setTimer(this.#startedAt + amount.durationMs, () => this.#stop())
        : undefined;
    const watch = new StallWatch(this.#session, { ms: CLIENT_PATIENCE, progress: () => this.#moved() }, () =>
      this.#onStall(),
    );
    try {
      // The first to fail ends the others.
      await Promise.all(this.#streams.map((stream) => stream.run()));
    } catch (error) {
      this.abandon(error);
      throw this.#abandoned.signal.reason;
    } finally {
      timer?.cancel();
      watch.cancel();
    }
    const report = this.#report();
    if (timer !== undefined && report.direction === 'down') await this.#quiet();
    return report;
  }

  /**
   * Waits until the servers' answers that were stopped have died down: their last bytes are on the way for a round trip, longer when the
   * STOP_SENDING gets lost, and would take their share of whatever is measured next.
   */
  async #quiet(): Promise<void> {
    const session = this.#session;
    for (let turn = 0; turn < MOST_QUIET_TURNS && !session.destroyed && !this.#abandoned.signal.aborted; turn++) {
      const { bytesReceived, rttSmoothed } = session.stats;
      const at = session.now() + Math.max(LEAST_QUIET, rttSmoothed);
      await new Promise<void>((resolve) => session.setTimer(at, resolve));
      if (session.stats.bytesReceived - bytesReceived < QUIET_BYTES) return;
    }
  }

  /** Streams that were opened count, too: those that get their turn late have moved nothing before. */
  #moved(): number {
    return movedNow(this.#session) + this.#streams.filter(({ isOpen }) => isOpen).length;
  }

  #onStall(): void {
    const message = `the server is there, but nothing has moved for ${CLIENT_PATIENCE / 1000} seconds`;
    this.abandon(new PerfError('stalled', message));
  }

  abandon(reason: unknown): void {
    this.#abandoned.abort(reason);
    for (const stream of this.#streams) stream.abandon();
  }

  #stop(): void {
    const opened = this.#streams.filter(({ isOpen }) => isOpen).length;
    if (opened < this.#streams.length) {
      const message = `the server allows only ${opened} of ${this.#streams.length} streams at a time: use --streams ${opened}`;
      return this.abandon(new PerfError('stream_limit', message));
    }
    for (const stream of this.#streams) stream.stop();
  }

  #report(): PerfReport {
    const { direction } = this.#plan;
    const streams = this.#streams.map((stream, i) => stream.report(i + 1, this.#startedAt));
    return {
      direction,
      bytes: streams.reduce((total, { bytes }) => total + bytes, 0),
      wallMs: Math.max(...streams.map(({ endedAtMs }) => endedAtMs)),
      streams,
      connection: connectionReport(direction, this.#before, this.#session.stats),
    };
  }
}

/** One request with its answer. */
class PerfStream {
  readonly #session: QuicSession;
  readonly #direction: 'up' | 'down';
  /** Of payload; Infinity with a duration. */
  readonly #target: number;
  readonly #signal: AbortSignal;
  #stream: QuicStream | undefined;
  #openedAt = -1;
  #endedAt = -1;
  #sent = 0;
  #received = 0;
  #isStopped = false;

  constructor(session: QuicSession, direction: 'up' | 'down', target: number, signal: AbortSignal) {
    this.#session = session;
    this.#direction = direction;
    this.#target = target;
    this.#signal = signal;
  }

  get isOpen(): boolean {
    return this.#stream !== undefined;
  }

  /** Payload so far. */
  get bytes(): number {
    if (this.#direction === 'down') return this.#received;
    return this.#endedAt >= 0 ? this.#sent : Math.max(0, (this.#stream?.stats.bytesAcked ?? 0) - HEADER_BYTES);
  }

  async run(): Promise<void> {
    const stream = await this.#session.createBidirectionalStream({ signal: this.#signal });
    this.#stream = stream;
    this.#openedAt = this.#session.now();
    stream.closed.catch(() => undefined);
    try {
      await Promise.all([this.#send(stream), this.#receive(stream)]);
      // A server that answers before the FIN has ended its side early: what was sent must still arrive.
      if (this.#direction === 'up') await stream.closed;
    } catch (error) {
      if (!(this.#isStopped && isStoppedHere(error))) throw error;
    }
    this.#endedAt = this.#session.now();
  }

  /** The time of a run with a duration is over. */
  stop(): void {
    this.#isStopped = true;
    if (this.#direction === 'down') this.#stream?.stopSending(0);
  }

  abandon(): void {
    this.#stream?.destroy();
  }

  report(number: number, startedAt: number): PerfStreamReport {
    return {
      stream: number,
      id: Number(this.#stream!.id),
      bytes: this.bytes,
      openedAtMs: this.#openedAt - startedAt,
      endedAtMs: this.#endedAt - startedAt,
      retransmittedBytes: this.#stream!.stats.bytesRetransmitted,
    };
  }

  async #send(stream: QuicStream): Promise<void> {
    const writer = stream.writer!;
    const isUp = this.#direction === 'up';
    await writer.write(encodeRequest(isUp ? 0n : Number.isFinite(this.#target) ? BigInt(this.#target) : UNLIMITED));
    if (isUp) this.#sent = await writePayload(writer, this.#target, () => this.#isStopped);
    await writer.end();
  }

  async #receive(stream: QuicStream): Promise<void> {
    const wanted = this.#direction === 'up' ? 0 : this.#target;
    await readPayload(stream, ({ length }) => {
      this.#received += length;
      if (this.#received > wanted)
        throw new PerfError('protocol', `the server sends more than the ${wanted} bytes that it was asked for`);
    });
    if (this.#received < wanted) {
      const asked = Number.isFinite(wanted) ? `${wanted}` : 'as many as there is time for';
      throw new PerfError(
        'protocol',
        `the server ended the stream after ${this.#received} bytes, asked for were ${asked}`,
      );
    }
  }
}

function isStoppedHere(error: unknown): boolean {
  return error instanceof QuicError && error.code === 'ERR_QUIC_STREAM_CLOSED';
}

/** Equal shares; the first streams get what is left over. */
function share(bytes: number, streams: number, i: number): number {
  return Math.floor(bytes / streams) + (i < bytes % streams ? 1 : 0);
}

function connectionReport(
  direction: 'up' | 'down',
  before: ConnectionStats,
  after: ConnectionStats,
): PerfConnectionReport {
  const isUp = direction === 'up';
  return {
    rttMinMs: after.rttMin,
    rttSmoothedMs: after.rttSmoothed,
    congestionWindowBytes: after.congestionWindow,
    datagramBytes: after.maxDatagramSize,
    packetsSent: after.packetsSent - before.packetsSent,
    packetsReceived: after.packetsReceived - before.packetsReceived,
    packetsLost: after.packetsLost - before.packetsLost,
    congestionEvents: after.congestionEvents - before.congestionEvents,
    wireBytesSent: after.bytesSent - before.bytesSent,
    wireBytesReceived: after.bytesReceived - before.bytesReceived,
    limitsMs: isUp
      ? difference(SEND_LIMITS, before.sendLimitMs, after.sendLimitMs)
      : difference(RECEIVE_LIMITS, before.receiveLimitMs, after.receiveLimitMs),
  };
}

function difference(names: readonly string[], before: LimitTimes, after: LimitTimes): Record<string, number> {
  return Object.fromEntries(names.map((name, i) => [name, after[i]! - before[i]!]));
}
