import type { RecvStream } from '../stream/recv-stream.ts';
import type { SendStream } from '../stream/send-stream.ts';
import type { StreamStats } from '../stream/stream-stats.ts';
import { sendBody } from './body.ts';
import { limitOf } from './endpoint-limits.ts';
import { codeOf, QuicError, wireCode } from './errors.ts';
import { abandoned, Deferred, deliver, make, roomAgain, type StreamOwner, sessionEnded, Waiters } from './internal.ts';
import type { Body, BodyChunk, StreamPriority, WaitOptions } from './options.ts';
import type { QuicSession } from './session.ts';
import { readableOf, writableOf } from './web-streams.ts';
import { QuicStreamWriter } from './writer.ts';

export type { StreamStats } from '../stream/stream-stats.ts';

/** How much one turn of the async iterator takes, so that flow-control credit follows what is really consumed. Bytes. */
const READ_BATCH = 256 << 10;

const URGENCY: Record<StreamPriority, number> = { high: 1, default: 3, low: 5 };

/** What the session tells a stream. */
export type StreamEvent =
  | { readonly type: 'readable' }
  | { readonly type: 'writable' }
  | { readonly type: 'stopped'; readonly code: number }
  | { readonly type: 'reset'; readonly code: number }
  | { readonly type: 'send_done' };

/** One stream of a session (RFC 9000 §2): iterate to read, `writer` to write. */
export class QuicStream implements AsyncIterable<Uint8Array[]> {
  /** The stream ID: its lowest bit is the initiator, the next the direction (RFC 9000 §2.1). */
  readonly id: bigint;
  readonly session: QuicSession;
  /** `'bidi'` both sides send; `'uni'` only the initiator. */
  readonly direction: 'bidi' | 'uni';
  /** Whether this side opened it. */
  readonly isLocal: boolean;
  /** The sending side; on a unidirectional stream that the peer opened, one that is closed. */
  readonly writer: QuicStreamWriter;
  /** Resolved: a stream exists once it can be used. In the shape of node:quic. */
  readonly opened: Promise<void> = Promise.resolve();
  /**
   * Fulfilled when both directions are over: all that was sent is acknowledged and all that came has been read. Rejects
   * when either ended early by the peer's doing or the session's end (what has arrived can be read even then), or by
   * `destroy(error)`.
   */
  readonly closed: Promise<void>;
  /** Called with the error that `closed` will reject with. */
  onerror: ((error: unknown) => void) | undefined;

  readonly #number: number;
  readonly #owner: StreamOwner;
  readonly #sender: SendStream | undefined;
  readonly #receiver: RecvStream | undefined;
  readonly #closed = new Deferred<void>();
  readonly #readers = new Waiters<boolean>();
  /** Nothing more will be read. */
  #readOver: boolean;
  /** Nothing more will be sent, acknowledgements included. */
  #sendOver: boolean;
  /** Why reading failed; undefined after a clean end. */
  #readError: unknown;
  /** The first error of either direction. */
  #error: unknown;
  #iterating = false;
  #settled = false;
  #readable: ReadableStream<Uint8Array> | undefined;
  #writable: WritableStream<BodyChunk> | undefined;

  private constructor(
    session: QuicSession,
    owner: StreamOwner,
    id: number,
    isLocal: boolean,
    sender: SendStream | undefined,
    receiver: RecvStream | undefined,
  ) {
    this.session = session;
    this.#owner = owner;
    this.#number = id;
    this.id = BigInt(id);
    this.direction = (id & 2) === 0 ? 'bidi' : 'uni';
    this.isLocal = isLocal;
    this.#sender = sender;
    this.#receiver = receiver;
    this.writer = QuicStreamWriter[make](owner, sender);
    this.#sendOver = sender === undefined;
    this.#readOver = receiver === undefined;
    this.closed = this.#closed.promise;
  }

  /** Made by QuicSession only. @internal */
  static [make](
    session: QuicSession,
    owner: StreamOwner,
    id: number,
    isLocal: boolean,
    sender: SendStream | undefined,
    receiver: RecvStream | undefined,
  ): QuicStream {
    return new QuicStream(session, owner, id, isLocal, sender, receiver);
  }

  /** Counters and times of this stream, one live object; milliseconds on the session's clock, -1 for what has not happened. */
  get stats(): StreamStats {
    const now = this.#owner.now();
    this.#sender?.settle(now);
    this.#receiver?.settle(now);
    return (this.#sender ?? this.#receiver)!.stats;
  }

  /** Whether everything that the peer sent has been read, up to its FIN. */
  get readEnded(): boolean {
    return this.#readOver && this.#readError === undefined;
  }

  /**
   * Bytes that the writer buffers before it reports being full; what waits for room goes on when it grows. 0 where this side does not send.
   * Setting it throws ERR_QUIC_INVALID_ARGUMENT for no integer from 0 on; 0 lets one chunk through at a time.
   */
  get budget(): number {
    return this.#sender?.highWaterMark ?? 0;
  }

  set budget(bytes: number) {
    const highWaterMark = Math.max(1, limitOf('budget', bytes));
    if (this.#sender === undefined) return;
    this.#sender.highWaterMark = highWaterMark;
    this.writer[roomAgain]();
  }

  /** Bytes that `readSync` could return now. */
  get readableBytes(): number {
    return this.#readOver ? 0 : this.#receiver!.readable;
  }

  /**
   * The next piece of what has arrived in order, or undefined when there is none now: then `wait`, or look at `readEnded`.
   * The piece is the caller's to keep. Reading is what gives the peer flow-control credit.
   * @throws what `wait` would reject with, once nothing is left to read.
   */
  readSync(): Uint8Array | undefined {
    if (!this.#mayRead()) return undefined;
    const piece = this.#receiver!.read(this.#owner.now());
    this.#afterRead(piece !== undefined);
    return piece;
  }

  /**
   * Copies what has arrived in order into `target`, as far as it has room, and returns how many bytes; 0 when there is nothing
   * now. Otherwise as `readSync`; for bulk data it is the cheaper one, since the transport keeps its memory.
   */
  readInto(target: Uint8Array): number {
    if (!this.#mayRead()) return 0;
    const count = this.#receiver!.readInto(this.#owner.now(), target);
    this.#afterRead(count > 0);
    return count;
  }

  #mayRead(): boolean {
    if (!this.#readOver) return true;
    if (this.#readError !== undefined) throw this.#readError;
    return false;
  }

  #afterRead(hasRead: boolean): void {
    if (hasRead || this.#receiver!.finished) {
      this.#owner.wake();
      if (this.#receiver!.finished) this.#endRead(undefined);
      return;
    }
    const sessionError = this.#owner.endError();
    if (sessionError === undefined) return;
    this.#endRead(sessionError);
    throw sessionError;
  }

  /**
   * Waits until `readSync` has something (true) or the peer's FIN has been read (false).
   * @throws QuicError ERR_QUIC_STREAM_RESET when the peer abandoned the stream, ERR_QUIC_STREAM_CLOSED after `stopSending`,
   * or the session's error; the signal's reason when it aborts.
   */
  async wait(signal?: AbortSignal): Promise<boolean> {
    signal?.throwIfAborted();
    for (;;) {
      if (this.#readOver) {
        if (this.#readError !== undefined) throw this.#readError;
        return false;
      }
      if (this.#receiver!.readable > 0) return true;
      // Taking the end off the transport's hands is what lets it forget the stream.
      if (this.#receiver!.finished) this.readSync();
      else if (this.#owner.endError() !== undefined) this.#endRead(this.#owner.endError());
      else await this.#readers.wait(signal);
    }
  }

  /** Yields what has arrived, a batch of pieces at a time, until the peer's FIN. One iterator a stream. Throws as `wait`. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array[], void, void> {
    if (this.#iterating) throw new QuicError('ERR_QUIC_INVALID_ARGUMENT', 'the stream is being read already');
    this.#iterating = true;
    try {
      while (await this.wait()) yield this.#readBatch();
    } finally {
      // Left early: the rest is not wanted.
      if (!this.#readOver) this.stopSending(0);
    }
  }

  #readBatch(): Uint8Array[] {
    const batch: Uint8Array[] = [];
    let bytes = 0;
    while (bytes < READ_BATCH && this.readableBytes > 0) {
      const piece = this.readSync();
      if (piece === undefined) break;
      bytes += piece.length;
      batch.push(piece);
    }
    return batch;
  }

  /** A WHATWG byte stream of what arrives; cancelling it is `stopSending(0)`. Undefined when this side only sends. */
  get readable(): ReadableStream<Uint8Array> | undefined {
    if (this.#receiver === undefined) return undefined;
    this.#readable ??= readableOf(this);
    return this.#readable;
  }

  /** A WHATWG stream onto `writer`: closing it ends the stream, aborting resets it. Undefined when this side only receives. */
  get writable(): WritableStream<BodyChunk> | undefined {
    if (this.#sender === undefined) return undefined;
    this.#writable ??= writableOf(this.writer);
    return this.#writable;
  }

  /**
   * Sends the whole body, then ends the stream. Resolves when the transport has taken all of it.
   * @throws what the source throws (after resetting the stream), or what `writer.write` does.
   */
  async setBody(body: Body | Promise<Body>, options: WaitOptions = {}): Promise<void> {
    await sendBody(this.writer, body, options.signal);
  }

  /** Which streams go first, as set at creation or by `setPriority`. */
  get priority(): { level: StreamPriority; incremental: boolean } | null {
    if (this.#sender === undefined) return null;
    const { urgency, incremental } = this.#sender;
    return { level: urgency < 3 ? 'high' : urgency > 3 ? 'low' : 'default', incremental };
  }

  /** Changes which streams go first when several have data to send. */
  setPriority(options: { level?: StreamPriority; incremental?: boolean }): void {
    if (this.#sender === undefined) return;
    if (options.level !== undefined) this.#sender.urgency = URGENCY[options.level];
    if (options.incremental !== undefined) this.#sender.incremental = options.incremental;
  }

  /**
   * Abandons sending: RESET_STREAM with this application error code (RFC 9000 §19.4). Nothing happens when it is over.
   * @throws QuicError ERR_QUIC_INVALID_ARGUMENT for a code that cannot be sent.
   */
  resetStream(code: number | bigint = 0): void {
    const wire = wireCode(code);
    if (this.#sendOver) return;
    this.#resetSender(wire, new QuicError('ERR_QUIC_STREAM_CLOSED', 'the stream was reset here'));
    this.#endSend(undefined);
  }

  /**
   * Reads no more and asks the peer to stop: STOP_SENDING with this application error code (RFC 9000 §19.5).
   * @throws QuicError ERR_QUIC_INVALID_ARGUMENT for a code that cannot be sent.
   */
  stopSending(code: number | bigint = 0): void {
    const wire = wireCode(code);
    if (this.#readOver) return;
    const error = new QuicError('ERR_QUIC_STREAM_CLOSED', 'reading was stopped here');
    this.#receiver!.stopSending(this.#owner.now(), wire);
    this.#owner.wake();
    this.#readOver = true;
    this.#readError = error;
    this.#readers.fail(error);
    this.#settleIfOver();
  }

  /**
   * Abandons both directions. With an error, `closed` rejects with it; the peer is told a QuicError's `errorCode`, 1 (INTERNAL_ERROR) for any
   * other, and 0 without one.
   */
  destroy(error?: unknown): void {
    const code = codeOf(error);
    if (error !== undefined) this.#error ??= error;
    this.stopSending(code);
    this.resetStream(code);
  }

  /** News from the connection. @internal */
  [deliver](event: StreamEvent): void {
    switch (event.type) {
      case 'readable':
        this.#readers.settle(true);
        return;
      case 'writable':
        this.writer[roomAgain]();
        return;
      case 'reset':
        this.#endRead(
          new QuicError('ERR_QUIC_STREAM_RESET', `the peer reset stream ${this.id} with code ${event.code}`, {
            type: 'application',
            errorCode: event.code,
          }),
        );
        return;
      case 'stopped': {
        const error = new QuicError(
          'ERR_QUIC_STREAM_STOPPED',
          `the peer stopped reading stream ${this.id} with code ${event.code}`,
          {
            type: 'application',
            errorCode: event.code,
          },
        );
        // The transport has answered with RESET_STREAM already, as RFC 9000 §3.5 demands.
        this.writer[abandoned](error);
        this.#endSend(error);
        return;
      }
      case 'send_done':
        this.#endSend(undefined);
    }
  }

  /**
   * The session is over. What has arrived can still be read; `closed` settles now, because nobody may ever read it.
   * @internal
   */
  [sessionEnded](error: unknown): void {
    this.writer[abandoned](error);
    this.#endSend(error);
    if (!this.#readOver && this.#receiver!.readable === 0) this.#endRead(this.#receiver!.finished ? undefined : error);
    if (!this.#readOver && this.#receiver!.state !== 'data_recvd') this.#error ??= error;
    this.#readers.settle(true);
    this.#settle();
  }

  #resetSender(code: number, error: QuicError): void {
    this.writer[abandoned](error);
    this.#sender!.reset(this.#owner.now(), code);
    this.#owner.wake();
  }

  #endRead(error: unknown): void {
    if (this.#readOver) return;
    this.#readOver = true;
    this.#readError = error;
    if (error === undefined) this.#readers.settle(false);
    else {
      this.#error ??= error;
      this.#readers.fail(error);
    }
    this.#settleIfOver();
  }

  #endSend(error: unknown): void {
    if (this.#sendOver) return;
    this.#sendOver = true;
    if (error !== undefined) this.#error ??= error;
    this.#settleIfOver();
  }

  #settleIfOver(): void {
    if (this.#readOver && this.#sendOver) this.#settle();
  }

  #settle(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#owner.forget(this.#number);
    if (this.#error === undefined) this.#closed.resolve();
    else {
      this.#closed.reject(this.#error);
      this.#owner.tell(this.onerror, this.#error);
    }
  }
}
