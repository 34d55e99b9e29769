import { QuicError } from 'weir-quic';
import type { SeededRandom } from 'weir-quic/random';
import type {
  CarrierSession,
  CarrierSessionStats,
  CarrierStream,
  CarrierStreamStats,
  CarrierWriter,
} from '../../src/peer/index.ts';

/** What a test may do to a stream's data on its way. */
export interface MemoryPath {
  /** Bytes of one stream are delivered in pieces of 1 to this many. */
  readonly pieceBytes: number;
  /** Changes a piece in place, or not. */
  readonly tamper?: (stream: bigint, offset: number, piece: Uint8Array) => void;
  /** Turns of the event loop that each piece of this stream takes: a slow stream. Default 1. */
  readonly delay?: (stream: bigint) => number;
}

/** Two ends of a session without a network: for tests of the transfer layer. */
export function memorySessions(
  random: SeededRandom,
  path: MemoryPath,
): { client: MemorySession; server: MemorySession } {
  const client = new MemorySession(random, path, 0);
  const server = new MemorySession(random, path, 1);
  client.peer = server;
  server.peer = client;
  return { client, server };
}

/** One end. */
export class MemorySession implements CarrierSession {
  readonly closed: Promise<void>;
  readonly streams: MemoryStream[] = [];
  peer!: MemorySession;
  destroyed = false;
  /** What `destroy` or the peer ended it with. */
  endCode: number | undefined;
  endError: QuicError | undefined;
  #onstream: ((stream: CarrierStream) => void) | undefined;
  #unclaimed: MemoryStream[] = [];
  #settle!: { resolve: () => void; reject: (error: unknown) => void };
  #next: number;
  readonly random: SeededRandom;
  readonly path: MemoryPath;
  /** Counts data on its way, as a clock that every event moves on. */
  #ticks = 0;

  constructor(random: SeededRandom, path: MemoryPath, parity: number) {
    this.random = random;
    this.path = path;
    this.#next = parity;
    this.closed = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.closed.catch(() => undefined);
  }

  get stats(): CarrierSessionStats {
    return {
      rttMin: 1,
      rttSmoothed: 2,
      congestionController: 'none',
      congestionWindow: 1 << 20,
      maxDatagramSize: 1200,
      packetsSent: this.#ticks,
      packetsReceived: this.#ticks,
      packetsLost: 0,
      bytesSent: 0,
      bytesReceived: 0,
      bytesLost: 0,
      spuriousLosses: 0,
      ptoCount: 0,
      congestionEvents: 0,
    };
  }

  now(): number {
    return ++this.#ticks;
  }

  /** No limit is ever reached here: the clock counts events, and the machine may be slow. */
  setTimer(): { cancel(): void } {
    return { cancel() {} };
  }

  get onstream(): ((stream: CarrierStream) => void) | undefined {
    return this.#onstream;
  }

  set onstream(listener: ((stream: CarrierStream) => void) | undefined) {
    this.#onstream = listener;
    for (const stream of this.#unclaimed.splice(0)) listener?.(stream);
  }

  createBidirectionalStream(): Promise<MemoryStream> {
    return this.#create('bidi');
  }

  createUnidirectionalStream(): Promise<MemoryStream> {
    return this.#create('uni');
  }

  async #create(direction: 'bidi' | 'uni'): Promise<MemoryStream> {
    if (this.endError !== undefined) throw this.endError;
    const id = BigInt(this.#next + (direction === 'uni' ? 2 : 0));
    this.#next += 4;
    const near = new MemoryStream(this, id, direction, true);
    const far = new MemoryStream(this.peer, id, direction, direction === 'bidi');
    near.peer = far;
    far.peer = near;
    this.streams.push(near);
    this.peer.#accept(far);
    return near;
  }

  #accept(stream: MemoryStream): void {
    this.streams.push(stream);
    if (this.#onstream === undefined) this.#unclaimed.push(stream);
    else this.#onstream(stream);
  }

  /** As the real one: what was sent arrives first. */
  async close(options: { code?: number; reason?: string } = {}): Promise<void> {
    const sending = this.streams.filter(({ writer }) => writer !== undefined);
    await Promise.allSettled(sending.map(({ closed }) => closed));
    this.destroy(undefined, options);
    return this.closed;
  }

  destroy(_error?: unknown, options: { code?: number; reason?: string } = {}): void {
    if (this.destroyed) return;
    const { code = 0, reason = '' } = options;
    this.end(code, reason, 'local');
    // A CONNECTION_CLOSE is behind the data that was sent before it, mostly.
    setImmediate(() => this.peer.end(code, reason, 'peer'));
  }

  /** The peer is gone without a word: what an idle timeout looks like. */
  vanish(): void {
    this.fail(new QuicError('ERR_QUIC_IDLE_TIMEOUT', 'the peer has been silent for the idle timeout'));
  }

  end(code: number, reason: string, who: string): void {
    const error =
      code === 0
        ? new QuicError('ERR_QUIC_SESSION_CLOSED', 'the session is closed')
        : new QuicError('ERR_QUIC_APPLICATION_ERROR', `${who}: ${reason}`, {
            type: 'application',
            errorCode: code,
            reason,
          });
    this.fail(error, code);
  }

  fail(error: QuicError, code = -1): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.endCode = code;
    this.endError = error;
    for (const stream of this.streams) stream.abandon(error);
    if (code === 0) this.#settle.resolve();
    else this.#settle.reject(error);
  }
}

/** One stream of it. Keeps order; buffers up to 64 KiB before writers wait. */
export class MemoryStream implements CarrierStream {
  readonly id: bigint;
  readonly direction: 'bidi' | 'uni';
  readonly writer: CarrierWriter | undefined;
  readonly closed: Promise<void>;
  readonly session: MemorySession;
  /** What `readInto` has handed out. */
  bytesRead = 0;
  peer!: MemoryStream;
  /** Arrived and not read. */
  #arrived: Uint8Array[] = [];
  #isFinished = false;
  #error: unknown;
  #stopped = false;
  #queue: Uint8Array[] = [];
  #queued = 0;
  #sent = 0;
  #ended = false;
  #pumping = false;
  #waiters: (() => void)[] = [];
  #room: (() => void)[] = [];
  #settle!: { resolve: () => void; reject: (error: unknown) => void };
  readonly #times = { first: -1, last: -1 };
  #packets = 0;
  #bytes = 0;

  constructor(session: MemorySession, id: bigint, direction: 'bidi' | 'uni', canSend: boolean) {
    this.session = session;
    this.id = id;
    this.direction = direction;
    const released = () => this.#sent;
    this.writer = canSend
      ? {
          writev: (chunks) => this.#writev(chunks),
          end: () => this.#end(),
          get bytesReleased() {
            return released();
          },
        }
      : undefined;
    this.closed = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.closed.catch(() => undefined);
  }

  get stats(): CarrierStreamStats {
    const { first, last } = this.#times;
    return {
      bytesSent: this.#bytes,
      bytesRetransmitted: 0,
      packetsSent: this.#packets,
      bytesAcked: this.#bytes,
      packetsAcked: this.#packets,
      firstSentAt: first,
      firstAckedAt: first,
      lastAckedAt: last,
      bytesReceived: this.#bytes,
      bytesDuplicate: 0,
      packetsReceived: this.#packets,
      firstReceivedAt: first,
      lastReceivedAt: last,
      blockedByStreamMs: 0,
      blockedByConnectionMs: 0,
      reassemblyMs: 0,
    };
  }

  readInto(target: Uint8Array): number {
    const piece = this.#arrived.shift();
    if (piece === undefined) {
      if (this.#error !== undefined) throw this.#error;
      return 0;
    }
    const count = Math.min(piece.length, target.length);
    target.set(piece.subarray(0, count));
    if (count < piece.length) this.#arrived.unshift(piece.subarray(count));
    this.bytesRead += count;
    return count;
  }

  async wait(): Promise<boolean> {
    for (;;) {
      if (this.#arrived.length > 0) return true;
      if (this.#isFinished) return false;
      if (this.#error !== undefined) throw this.#error;
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  stopSending(code: number): void {
    if (this.#isFinished || this.#error !== undefined) return;
    this.#stopped = true;
    this.abandon(new QuicError('ERR_QUIC_STREAM_CLOSED', 'reading was stopped here'));
    setImmediate(() =>
      this.peer.abandon(new QuicError('ERR_QUIC_STREAM_STOPPED', 'stopped', { type: 'application', errorCode: code })),
    );
  }

  resetStream(code: number): void {
    this.peer.abandon(new QuicError('ERR_QUIC_STREAM_RESET', 'reset', { type: 'application', errorCode: code }));
  }

  abandon(error: unknown): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    this.#settle.reject(error);
    for (const wake of [...this.#waiters.splice(0), ...this.#room.splice(0)]) wake();
  }

  async #writev(chunks: readonly Uint8Array[]): Promise<void> {
    while (this.#queued > 65_536 && this.#error === undefined)
      await new Promise<void>((resolve) => this.#room.push(resolve));
    if (this.#error !== undefined) throw this.#error;
    for (const chunk of chunks) {
      this.#queue.push(chunk);
      this.#queued += chunk.length;
    }
    this.#pump();
  }

  async #end(): Promise<number> {
    if (this.#error !== undefined) throw this.#error;
    this.#ended = true;
    this.#pump();
    return this.#sent;
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    this.#deliverNext(this.session.path.delay?.(this.id) ?? 1);
  }

  #deliverNext(turns: number): void {
    setImmediate(() => {
      if (this.#error !== undefined) return;
      if (turns > 1) return this.#deliverNext(turns - 1);
      const chunk = this.#queue.shift();
      if (chunk === undefined) {
        this.#pumping = false;
        if (this.#ended) {
          this.peer.#finish();
          this.#count(0);
          this.#settle.resolve();
        }
        return;
      }
      const length = Math.min(chunk.length, this.session.random.integer(1, this.session.path.pieceBytes));
      const piece = chunk.slice(0, length);
      if (length < chunk.length) this.#queue.unshift(chunk.subarray(length));
      this.session.path.tamper?.(this.id, this.#sent, piece);
      this.#sent += length;
      this.#queued -= length;
      this.#count(length);
      this.peer.#arrive(piece);
      for (const wake of this.#room.splice(0)) wake();
      this.#deliverNext(this.session.path.delay?.(this.id) ?? 1);
    });
  }

  #count(length: number): void {
    const now = this.session.now();
    if (this.#times.first < 0) this.#times.first = now;
    this.#times.last = now;
    this.#packets++;
    this.#bytes += length;
  }

  #arrive(piece: Uint8Array): void {
    if (this.#stopped) return;
    this.#count(piece.length);
    if (piece.length > 0) this.#arrived.push(piece);
    for (const wake of this.#waiters.splice(0)) wake();
  }

  #finish(): void {
    this.#isFinished = true;
    for (const wake of this.#waiters.splice(0)) wake();
    if (this.writer === undefined) this.#settle.resolve();
  }
}
