// quinn, through Deno.QuicEndpoint. Run with: deno run --unstable-net --allow-all peers/deno.ts server|client …
// deno-lint-ignore-file
import type {
  CloseReport,
  OnStream,
  PeerConnection,
  PeerConnectOptions,
  PeerListener,
  PeerListenOptions,
  PeerStack,
  PeerStream,
} from '../peer.ts';
import { runProgram } from '../program.ts';

/** More than any run opens at a time. */
const streamLimit = 1024;

function bidirectional(stream: Deno.QuicBidirectionalStream): PeerStream {
  return {
    bidirectional: true,
    send: (chunks) => sendAll(stream.writable, chunks),
    receive: () => stream.readable,
  };
}

async function sendAll(
  writable: WritableStream<Uint8Array>,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const writer = writable.getWriter();
  for await (const chunk of chunks) await writer.write(chunk);
  await writer.close();
}

const nothing = {
  send: () => Promise.reject(new Error('a stream of the other end is not for sending')),
  async *receive() {},
};

class Connection implements PeerConnection {
  readonly alpn: string;
  readonly closed: Promise<CloseReport>;
  #connection: Deno.QuicConn;

  constructor(connection: Deno.QuicConn) {
    this.#connection = connection;
    this.alpn = connection.protocol ?? '';
    this.closed = connection.closed.then(
      ({ closeCode, reason }) => ({ code: closeCode, reason }),
      (error) => ({ code: -1, reason: String(error) }),
    );
  }

  async open(both: boolean): Promise<PeerStream> {
    const options = { waitUntilAvailable: true };
    if (both) return bidirectional(await this.#connection.createBidirectionalStream(options));
    const writable = await this.#connection.createUnidirectionalStream(options);
    return { ...nothing, bidirectional: false, send: (chunks) => sendAll(writable, chunks) };
  }

  async accept(onStream: OnStream): Promise<void> {
    const both = async () => {
      for await (const stream of this.#connection.incomingBidirectionalStreams) onStream(bidirectional(stream), this);
    };
    const one = async () => {
      for await (const stream of this.#connection.incomingUnidirectionalStreams) {
        onStream({ ...nothing, bidirectional: false, receive: () => stream }, this);
      }
    };
    await Promise.allSettled([both(), one()]);
  }

  async close(code: number): Promise<void> {
    this.#connection.close({ closeCode: code, reason: '' });
    await this.closed;
  }
}

const stack: PeerStack = {
  async listen(options: PeerListenOptions, onStream, onConnection): Promise<PeerListener> {
    const endpoint = new Deno.QuicEndpoint({ hostname: '127.0.0.1', port: 0 });
    const listener = endpoint.listen({
      cert: options.cert,
      key: options.key,
      alpnProtocols: [options.alpn],
      maxConcurrentBidirectionalStreams: streamLimit,
      maxIdleTimeout: 30_000,
    });
    const accept = async () => {
      for await (const incoming of listener) {
        incoming.accept().then(
          (accepted) => {
            const connection = new Connection(accepted);
            onConnection(connection);
            connection.accept(onStream);
          },
          (error) => console.error(String(error)),
        );
      }
    };
    accept();
    return { port: endpoint.addr.port, close: async () => endpoint.close() };
  },

  async connect(options: PeerConnectOptions, onStream): Promise<PeerConnection> {
    const endpoint = new Deno.QuicEndpoint({ hostname: '127.0.0.1', port: 0 });
    const connection = new Connection(
      await Deno.connectQuic({
        hostname: '127.0.0.1',
        port: options.port,
        serverName: options.serverName,
        caCerts: [options.ca],
        alpnProtocols: [options.alpn],
        maxIdleTimeout: 30_000,
        endpoint,
      }),
    );
    connection.accept(onStream);
    return connection;
  },
};

await runProgram(stack, Deno.args);
