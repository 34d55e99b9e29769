import { Deque } from '../base/deque.ts';
import type { SendStream } from '../stream/send-stream.ts';
import { codeOf, QuicError } from './errors.ts';
import { abandoned, make, roomAgain, type StreamOwner } from './internal.ts';
import type { BodyChunk, WaitOptions } from './options.ts';

/** Writes that wait for room, oldest first. */
interface PendingWrite {
  /** Empty for an `end()`, which waits behind the writes. */
  readonly chunks: readonly Uint8Array[];
  readonly ends: boolean;
  readonly resolve: (bytes: number) => void;
  readonly reject: (error: unknown) => void;
  unsubscribe: (() => void) | undefined;
  aborted: boolean;
}

/**
 * The sending side of a stream, in the shape of node:quic's `stream.writer`. One difference, on purpose: `write` and `writev`
 * wait for room where node:quic's reject.
 *
 * Chunks are kept by reference until the peer has acknowledged them: their bytes must not change after the call.
 */
export class QuicStreamWriter {
  readonly #owner: StreamOwner;
  /** Undefined on a stream that the peer opened to send only: then there is an error from the beginning. */
  readonly #sender: SendStream | undefined;
  readonly #pending = new Deque<PendingWrite>(4);
  /** Bytes taken by the transport. */
  #bytes = 0;
  /** Whether `end` has been called: no more writes are accepted. */
  #ended = false;
  /** Why no more can be written, once the stream is reset, stopped or its session gone. */
  #error: unknown;

  private constructor(owner: StreamOwner, sender: SendStream | undefined) {
    this.#owner = owner;
    this.#sender = sender;
    if (sender === undefined)
      this.#error = new QuicError('ERR_QUIC_STREAM_CLOSED', 'the peer opened this stream to send only');
  }

  /** Made by QuicStream only. @internal */
  static [make](owner: StreamOwner, sender: SendStream | undefined): QuicStreamWriter {
    return new QuicStreamWriter(owner, sender);
  }

  /** Whether a write would be taken at once. */
  get canWrite(): boolean {
    return !this.#ended && this.#error === undefined && this.#pending.length === 0 && this.#sender!.writable;
  }

  /** Bytes of room left in the buffer; 0 or less when full; null when nothing can be written any more. */
  get desiredSize(): number | null {
    if (this.#ended || this.#error !== undefined) return null;
    return this.#sender!.highWaterMark - this.#sender!.unsent;
  }

  /** Bytes that the transport has taken so far. */
  get bytesWritten(): number {
    return this.#bytes;
  }

  /** Offset below which the transport needs no chunk any more, since all is acknowledged: their memory may be used again. */
  get bytesReleased(): number {
    return this.#sender?.released ?? 0;
  }

  /** Takes the whole chunk and returns true, or nothing and returns false when the buffer is full or the stream is over. */
  writeSync(chunk: BodyChunk): boolean {
    if (!this.canWrite) return false;
    this.#take(toBytes(chunk));
    this.#owner.wake();
    return true;
  }

  /** The same for several chunks: all or nothing. */
  writevSync(chunks: readonly BodyChunk[]): boolean {
    if (!this.canWrite) return false;
    const all = chunks.map(toBytes);
    for (const bytes of all) this.#take(bytes);
    this.#owner.wake();
    return true;
  }

  /**
   * Writes the chunk as soon as there is room, in the order of the calls.
   * @throws QuicError when the stream is ended, reset, stopped by the peer, or its session closed. The signal's reason when
   * it aborts before the chunk was taken; then none of it is sent.
   */
  write(chunk: BodyChunk, options: WaitOptions = {}): Promise<void> {
    return this.writev([chunk], options);
  }

  /** The same for several chunks, which are taken together. */
  async writev(chunks: readonly BodyChunk[], options: WaitOptions = {}): Promise<void> {
    this.#assertOpen();
    options.signal?.throwIfAborted();
    if (this.writevSync(chunks)) return;
    await this.#enqueue(chunks.map(toBytes), false, options.signal);
  }

  /** Ends the stream after what has been written; returns the bytes written in all, or -1 when writes are still waiting. */
  endSync(): number {
    if (this.#ended || this.#error !== undefined || this.#pending.length > 0) return -1;
    this.#ended = true;
    this.#finish();
    return this.#bytes;
  }

  /** Ends the stream behind all waiting writes and resolves to the bytes written in all. Delivery: see `stream.closed`. */
  async end(options: WaitOptions = {}): Promise<number> {
    this.#assertOpen();
    options.signal?.throwIfAborted();
    if (this.#pending.length === 0) return this.endSync();
    this.#ended = true;
    return this.#enqueue([], true, options.signal);
  }

  /** Resolves when a write would be taken at once. Rejects as `write` does. */
  async ready(options: WaitOptions = {}): Promise<void> {
    this.#assertOpen();
    options.signal?.throwIfAborted();
    if (!this.canWrite) await this.#enqueue([], false, options.signal);
  }

  /**
   * Abandons the stream: RESET_STREAM (RFC 9000 §3.1) with a QuicError's `errorCode`, 1 (INTERNAL_ERROR) for any other reason, and 0
   * without one.
   */
  fail(reason?: unknown): void {
    if (this.#error !== undefined) return;
    this[abandoned](reason ?? new QuicError('ERR_QUIC_STREAM_CLOSED', 'the stream was reset here'));
    this.#sender!.reset(this.#owner.now(), codeOf(reason));
    this.#owner.wake();
  }

  /** The transport has room again. @internal */
  [roomAgain](): void {
    let wrote = false;
    while (
      this.#pending.length > 0 &&
      (this.#pending.at(0)!.aborted || this.#pending.at(0)!.ends || this.#sender!.writable)
    ) {
      const next = this.#pending.shift()!;
      if (next.aborted) continue;
      next.unsubscribe?.();
      for (const chunk of next.chunks) this.#take(chunk);
      if (next.ends) this.#finish();
      wrote = true;
      next.resolve(this.#bytes);
    }
    if (wrote) this.#owner.wake();
  }

  /** Nothing can be written any more. Waiting writes reject with `error`. @internal */
  [abandoned](error: unknown): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) {
      next.unsubscribe?.();
      if (!next.aborted) next.reject(error);
    }
  }

  #assertOpen(): void {
    if (this.#error !== undefined) throw this.#error;
    if (this.#ended) throw new QuicError('ERR_QUIC_STREAM_CLOSED', 'write after end');
  }

  #take(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#bytes += bytes.length;
    this.#sender!.write(this.#owner.now(), bytes);
  }

  #finish(): void {
    this.#sender!.finish(this.#owner.now());
    this.#owner.wake();
  }

  #enqueue(chunks: readonly Uint8Array[], ends: boolean, signal: AbortSignal | undefined): Promise<number> {
    return new Promise((resolve, reject) => {
      const pending: PendingWrite = { chunks, ends, resolve, reject, unsubscribe: undefined, aborted: false };
      if (signal !== undefined) {
        const onAbort = () => {
          pending.aborted = true;
          if (ends) this.#ended = false;
          reject(signal.reason);
          // What waits behind it may go now.
          this[roomAgain]();
        };
        signal.addEventListener('abort', onAbort, { once: true });
        pending.unsubscribe = () => signal.removeEventListener('abort', onAbort);
      }
      this.#pending.push(pending);
    });
  }
}

const encoder = new TextEncoder();

/** The bytes of a chunk: a view of what it is given, except for strings, which are encoded as UTF-8. */
export function toBytes(chunk: BodyChunk): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (typeof chunk === 'string') return encoder.encode(chunk);
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  if (chunk instanceof ArrayBuffer || chunk instanceof SharedArrayBuffer) return new Uint8Array(chunk);
  throw new QuicError('ERR_QUIC_INVALID_ARGUMENT', `cannot send a ${typeof chunk}: strings, buffers and views only`);
}
