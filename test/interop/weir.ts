/** Ours behind the seam of peer.ts, through the public API only. */
import { env } from 'node:process';
import {
  connect,
  listen,
  QuicError,
  type QuicSession,
  type QuicStream,
  type SessionOptions,
} from '../../src/quic/api/index.ts';
import type { CloseReport, OnStream, PeerConnection, PeerStack, PeerStream } from './peer.ts';

/** UDP payload of a full datagram in bytes: what the foreign stacks use on this path too. */
const datagramSize = Number(env.WEIR_DATAGRAM_SIZE ?? 1452);
/** More than any run opens at a time. */
const streamLimit = 256;

function wrap(stream: QuicStream): PeerStream {
  stream.closed.catch(() => undefined); // a failure is seen by whoever reads or writes
  return {
    bidirectional: stream.direction === 'bidi',
    send: (chunks) => sendAll(stream, chunks),
    async *receive() {
      for await (const batch of stream) yield* batch;
    },
  };
}

async function sendAll(stream: QuicStream, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
  const writer = stream.writer;
  if (writer === undefined) throw new Error('a stream of the other end is not for sending');
  for await (const chunk of chunks) await writer.write(chunk);
  await writer.end();
}

class Connection implements PeerConnection {
  readonly alpn: string;
  readonly closed: Promise<CloseReport>;
  readonly #session: QuicSession;

  constructor(session: QuicSession, alpn: string) {
    this.#session = session;
    this.alpn = alpn;
    this.closed = session.closed.then(
      () => ({ code: 0, reason: '' }),
      (error: unknown) =>
        error instanceof QuicError && error.code === 'ERR_QUIC_APPLICATION_ERROR'
          ? { code: Number(error.errorCode), reason: error.reason }
          : { code: -1, reason: String(error) },
    );
  }

  async open(bidirectional: boolean): Promise<PeerStream> {
    const session = this.#session;
    return wrap(await (bidirectional ? session.createBidirectionalStream() : session.createUnidirectionalStream()));
  }

  updateKeys(): boolean {
    return this.#session.updateKey();
  }

  async close(code: number): Promise<void> {
    // A session that is closed lets its streams finish first. HTTP/3's control streams never do.
    if (this.alpn === 'h3') this.#session.destroy(undefined, { code });
    else await this.#session.close({ code });
  }
}

function sessionOptions(alpn: string): SessionOptions {
  return {
    alpn,
    datagramSize,
    transportParams: { maxIdleTimeout: 30_000, initialMaxStreamsBidi: streamLimit, initialMaxStreamsUni: 16 },
  };
}

/** The stack of this project. */
export const weir: PeerStack = {
  // Closed before the handshake is confirmed, it also sends the CONNECTION_CLOSE in a Handshake packet, as RFC 9000
  // §10.2.3 wants, where an application's code may not be told: the peer sees APPLICATION_ERROR if it reads that one first.
  quietTime: 50,

  async listen(options, onStream, onConnection) {
    const endpoint = await listen(
      (session) => {
        const connection = new Connection(session, options.alpn);
        onConnection(connection);
        session.onstream = (stream) => onStream(wrap(stream), connection);
      },
      {
        ...sessionOptions(options.alpn),
        address: { host: '127.0.0.1', port: 0 },
        identity: { cert: options.cert, key: options.key },
        onhandshakeerror: (error) => console.error(`handshake failed: ${error.message}`),
      },
    );
    return { port: endpoint.address?.port ?? 0, close: () => endpoint.close() };
  },

  async connect(options, onStream: OnStream) {
    const session = await connect(
      { host: '127.0.0.1', port: options.port },
      { ...sessionOptions(options.alpn), servername: options.serverName, verifyPeer: { ca: options.ca } },
    );
    const { protocol } = await session.opened;
    const connection = new Connection(session, protocol);
    session.onstream = (stream) => onStream(wrap(stream), connection);
    return connection;
  },
};
