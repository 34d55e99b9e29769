import type { QuicSession, QuicStream } from 'weir-quic';
import { Capacity, type Share } from './capacity.ts';
import { readPayload, writePayload } from './payload.ts';
import { RequestReader } from './protocol.ts';
import { FIRST_WINDOW, MAX_UNIDIRECTIONAL, SERVER_CAPACITY, SERVER_PATIENCE } from './settings.ts';
import { movedNow, StallWatch } from './stall-watch.ts';
import { Turns } from './turns.ts';

/** What one client did so far: a live object. Headers are not counted. */
export interface PerfTally {
  /** Requests answered in full, or as far as the client wanted. */
  requests: number;
  bytesReceived: number;
  bytesSent: number;
}

/**
 * Answers a client of the `perf` protocol until its session ends. Each request is answered after its FIN; one that ends before its
 * header is whole is closed without an answer, and one that breaks off is forgotten. Nothing is kept of what comes, and what goes is one
 * piece of memory over and over: a session costs its receive window and its streams at most. One on which nothing moves for SERVER_PATIENCE is
 * closed with code 0, so that nobody holds a place for nothing.
 * @param capacity what the sessions of one server share.
 */
export function servePerf(session: QuicSession, capacity = new Capacity(SERVER_CAPACITY)): PerfTally {
  const share = capacity.enter(() =>
    session.destroy(undefined, {
      reason: 'too many requests are under way here, and most of them are of this connection',
    }),
  );
  session.limitReceiveWindow(share.window);
  session.growReceiveWindow(Math.min(FIRST_WINDOW, share.window));
  const service = new PerfService(session, share);
  session.onstream = (stream) => void service.serve(stream);
  const watch = new StallWatch(
    session,
    SERVER_PATIENCE,
    () => service.moved(),
    () => session.destroy(undefined, { reason: `nothing has moved for ${SERVER_PATIENCE / 1000} seconds` }),
  );
  const end = () => {
    watch.cancel();
    capacity.leave(share);
  };
  session.closed.then(end, end);
  return service.tally;
}

class PerfService {
  readonly tally: PerfTally = { requests: 0, bytesReceived: 0, bytesSent: 0 };
  readonly #session: QuicSession;
  readonly #share: Share;
  /** Of unidirectional requests: a client that never lets the answers' streams be opened must not pile them up. */
  readonly #turns = new Turns(MAX_UNIDIRECTIONAL);

  constructor(session: QuicSession, share: Share) {
    this.#session = session;
    this.#share = share;
  }

  /** Whatever moves changes it. */
  moved(): number {
    const { requests, bytesReceived, bytesSent } = this.tally;
    return requests + bytesReceived + bytesSent + movedNow(this.#session);
  }

  /** Serves one stream. Never rejects: what goes wrong on it is the client's own doing. */
  async serve(stream: QuicStream): Promise<void> {
    this.#share.count(stream);
    try {
      if (stream.direction === 'bidi') await this.#answer(stream, await this.#read(stream));
      else await this.#serveUnidirectional(stream);
    } catch {
      stream.destroy();
    }
  }

  /** Not read before its turn: the client gets credit for more requests only as they are. One that is reset gives up its place in the queue. */
  async #serveUnidirectional(stream: QuicStream): Promise<void> {
    if (!(await this.#turns.take(stream.closed))) return;
    try {
      const wanted = await this.#read(stream);
      if (wanted === undefined) return;
      const answer = await this.#session.createUnidirectionalStream();
      this.#share.count(answer);
      await this.#answer(answer, wanted);
    } finally {
      this.#turns.release();
    }
  }

  /** Bytes wanted; undefined when there was no whole header. */
  async #read(stream: QuicStream): Promise<number | undefined> {
    const request = new RequestReader();
    await readPayload(stream, (piece) => {
      this.tally.bytesReceived += request.take(piece);
    });
    return request.wanted;
  }

  async #answer(stream: QuicStream, wanted: number | undefined): Promise<void> {
    const writer = stream.writer!;
    try {
      if (wanted !== undefined) await writePayload(writer, wanted);
      await writer.end();
    } finally {
      this.tally.bytesSent += writer.bytesWritten;
      if (wanted !== undefined) this.tally.requests++;
    }
  }
}
