import type { QuicSession, QuicStream } from '../quic/api/index.ts';
import { readPayload, writePayload } from './payload.ts';
import { RequestReader } from './protocol.ts';
import { MAX_UNIDIRECTIONAL } from './settings.ts';

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
 * piece of memory over and over: a session costs its receive windows at most.
 */
export function servePerf(session: QuicSession): PerfTally {
  const service = new PerfService(session);
  session.onstream = (stream) => void service.serve(stream);
  return service.tally;
}

class PerfService {
  readonly tally: PerfTally = { requests: 0, bytesReceived: 0, bytesSent: 0 };
  readonly #session: QuicSession;
  /** Unidirectional requests being answered. */
  #answering = 0;
  readonly #turns: (() => void)[] = [];

  constructor(session: QuicSession) {
    this.#session = session;
  }

  /** Serves one stream. Never rejects: what goes wrong on it is the client's own doing. */
  async serve(stream: QuicStream): Promise<void> {
    stream.closed.catch(() => undefined);
    try {
      if (stream.direction === 'bidi') await this.#answer(stream, await this.#read(stream));
      else await this.#serveUnidirectional(stream);
    } catch {
      stream.destroy();
    }
  }

  /**
   * A client that sends requests and never lets the answers' streams be opened must not pile them up: it gets credit for more
   * requests only as they are read.
   */
  async #serveUnidirectional(stream: QuicStream): Promise<void> {
    if (this.#answering === MAX_UNIDIRECTIONAL) await new Promise<void>((resolve) => this.#turns.push(resolve));
    else this.#answering++;
    try {
      const wanted = await this.#read(stream);
      if (wanted !== undefined) await this.#answer(await this.#session.createUnidirectionalStream(), wanted);
    } finally {
      const next = this.#turns.shift();
      if (next === undefined) this.#answering--;
      else next();
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
    stream.closed.catch(() => undefined);
    try {
      if (wanted !== undefined) await writePayload(writer, wanted);
      await writer.end();
    } finally {
      this.tally.bytesSent += writer.bytesWritten;
      if (wanted !== undefined) this.tally.requests++;
    }
  }
}
