/** Ours behind the seam of peer.ts, through the public API only. */
import { env } from 'node:process';
import {
  connect,
  listen,
  QuicError,
  type QuicSession,
  type QuicStream,
  type SessionOptions,
} from '../../src/api/index.ts';
import type { CloseReport, OnStream, PeerConnection, PeerStack, PeerStream } from './peer.ts';

/** What the foreign stacks use on this path too. */
const usualDatagramSize = 1452;
/**
 * UDP payload of a full datagram in bytes; undefined leaves it to the library, as WEIR_DATAGRAM_SIZE=default says. The bench
 * sets this and WEIR_CIPHERS, cipher suites joined by colons. By hand there are WEIR_GROUPS too, joined by colons, and the
 * client's WEIR_VERSION.
 */
const datagramSize =
  env.WEIR_DATAGRAM_SIZE === 'default' ? undefined : Number(env.WEIR_DATAGRAM_SIZE ?? usualDatagramSize);
/** RFC 9369. */
const quicV2 = 0x6b3343cf;
/** More than any run opens at a time. */
const streamLimit = 1024;

/** Bytes that a stream of the perf protocol is read in. */
const readBytes = 64 << 10;

function wrap(stream: QuicStream, alpn: string): PeerStream {
  stream.closed.catch(() => undefined); // a failure is seen by whoever reads or writes
  return {
    bidirectional: stream.direction === 'bidi',
    send: (chunks) => sendAll(stream, chunks),
    receive: alpn === 'perf' ? () => copies(stream) : () => pieces(stream),
    drain: (head) => drain(stream, head),
  };
}

async function* pieces(stream: QuicStream): AsyncGenerator<Uint8Array> {
  for await (const batch of stream) yield* batch;
}

/** What has arrived, in memory that is used again and again, as an application would that only looks at it. */
async function* copies(stream: QuicStream): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(readBytes);
  while (await stream.wait()) {
    for (let count = stream.readInto(buffer); count > 0; count = stream.readInto(buffer)) {
      yield buffer.subarray(0, count);
    }
  }
}

/** Where streams are read to that nobody keeps anything of. */
const scratch = new Uint8Array(readBytes);

async function drain(stream: QuicStream, head: Uint8Array): Promise<number> {
  let bytes = 0;
  while (await stream.wait()) {
    for (let count = stream.readInto(scratch); count > 0; count = stream.readInto(scratch)) {
      if (bytes < head.length) head.set(scratch.subarray(0, Math.min(count, head.length - bytes)), bytes);
      bytes += count;
    }
  }
  return bytes;
}

async function sendAll(stream: QuicStream, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
  const writer = stream.writer;
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
    return wrap(
      await (bidirectional ? session.createBidirectionalStream() : session.createUnidirectionalStream()),
      this.alpn,
    );
  }

  updateKeys(): boolean {
    return this.#session.updateKey();
  }

  packets(): number {
    const { packetsSent, packetsReceived } = this.#session.stats;
    return packetsSent + packetsReceived;
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
    ...(datagramSize !== undefined && { datagramSize }),
    ...(env.WEIR_CIPHERS !== undefined && { ciphers: env.WEIR_CIPHERS }),
    ...(env.WEIR_GROUPS !== undefined && { groups: env.WEIR_GROUPS }),
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
        session.onstream = (stream) => onStream(wrap(stream, connection.alpn), connection);
      },
      {
        ...sessionOptions(options.alpn),
        address: { host: '127.0.0.1', port: 0 },
        identity: { cert: options.cert, key: options.key },
        versions: [1, quicV2],
        onhandshakeerror: (error) => console.error(`handshake failed: ${error.message}`),
      },
    );
    return { port: endpoint.address?.port ?? 0, close: () => endpoint.close() };
  },

  async connect(options, onStream: OnStream) {
    const session = await connect(
      { host: '127.0.0.1', port: options.port },
      {
        ...sessionOptions(options.alpn),
        ...(env.WEIR_VERSION !== undefined && { versions: [Number(env.WEIR_VERSION)] }),
        servername: options.serverName,
        verifyPeer: { ca: options.ca },
      },
    );
    const { protocol } = await session.opened;
    const connection = new Connection(session, protocol);
    session.onstream = (stream) => onStream(wrap(stream, connection.alpn), connection);
    return connection;
  },
};
