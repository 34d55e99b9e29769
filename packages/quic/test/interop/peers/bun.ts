// lsquic, through bun's own node:quic. Run with: bun peers/bun.ts server|client …
import { createPrivateKey } from 'node:crypto';
// @ts-expect-error: Node's types know no node:quic
import { connect, listen } from 'node:quic';
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

// The shape of node:quic, as far as it is used here.
interface Stream extends AsyncIterable<Uint8Array[]> {
  readonly direction: 'bidi' | 'uni';
  setBody(body: AsyncIterable<Uint8Array>): void;
  readonly closed: Promise<void>;
}
interface Session {
  readonly opened: Promise<{ protocol: string }>;
  readonly closed: Promise<void>;
  onstream: (stream: Stream) => void;
  createBidirectionalStream(): Promise<Stream>;
  createUnidirectionalStream(): Promise<Stream>;
  close(options: { code: bigint; type: 'application'; reason: string }): Promise<void>;
}

/** The defaults are too small for a fair measurement: a stream would wait for credit at every round trip. */
const transportParams = {
  maxIdleTimeout: 30n,
  initialMaxData: 24n << 20n,
  initialMaxStreamDataBidiLocal: 8n << 20n,
  initialMaxStreamDataBidiRemote: 8n << 20n,
  initialMaxStreamDataUni: 8n << 20n,
  initialMaxStreamsBidi: 1024n,
  initialMaxStreamsUni: 16n,
};

function wrap(stream: Stream): PeerStream {
  stream.closed.catch(() => undefined); // a failure is seen by whoever reads or writes
  return {
    bidirectional: stream.direction === 'bidi',
    send(chunks) {
      return new Promise((resolve, reject) => {
        async function* body(): AsyncGenerator<Uint8Array> {
          try {
            yield* chunks;
            resolve();
          } catch (error) {
            reject(error);
            throw error;
          }
        }
        stream.setBody(body());
      });
    },
    async *receive() {
      for await (const batch of stream) yield* batch;
    },
  };
}

class Connection implements PeerConnection {
  readonly alpn: string;
  readonly closed: Promise<CloseReport>;
  readonly #session: Session;

  constructor(session: Session, alpn: string) {
    this.#session = session;
    this.alpn = alpn;
    this.closed = session.closed.then(
      () => ({ code: 0, reason: '' }),
      (error: { errorCode?: bigint; message: string }) => ({
        code: Number(error.errorCode ?? -1),
        reason: error.message,
      }),
    );
  }

  async open(bidirectional: boolean): Promise<PeerStream> {
    const session = this.#session;
    return wrap(await (bidirectional ? session.createBidirectionalStream() : session.createUnidirectionalStream()));
  }

  async close(code: number): Promise<void> {
    await this.#session.close({ code: BigInt(code), type: 'application', reason: '' });
  }
}

const stack: PeerStack = {
  // Closed with acknowledgements still on their way to it, it answers those with a stateless reset, which may overtake
  // its own CONNECTION_CLOSE.
  quietTime: 50,

  async listen(options: PeerListenOptions, onStream, onConnection): Promise<PeerListener> {
    const endpoint = await listen(
      async (session: Session) => {
        // Streams may come before `opened` settles, and node:quic refuses those without a listener.
        const early: Stream[] = [];
        session.onstream = (stream) => void early.push(stream);
        const { protocol } = await session.opened;
        const connection = new Connection(session, protocol);
        onConnection(connection);
        session.onstream = (stream) => onStream(wrap(stream), connection);
        for (const stream of early) onStream(wrap(stream), connection);
      },
      {
        endpoint: { address: '127.0.0.1:0' },
        sni: { '*': { keys: [createPrivateKey(options.key)], certs: [Buffer.from(options.cert)] } },
        alpn: [options.alpn],
        transportParams,
      },
    );
    return { port: endpoint.address.port, close: () => endpoint.close() };
  },

  async connect(options: PeerConnectOptions, onStream: OnStream): Promise<PeerConnection> {
    const session: Session = await connect(`127.0.0.1:${options.port}`, {
      servername: options.serverName,
      alpn: options.alpn,
      ca: [Buffer.from(options.ca)],
      transportParams,
    });
    const early: Stream[] = [];
    session.onstream = (stream) => void early.push(stream);
    const { protocol } = await session.opened;
    const connection = new Connection(session, protocol);
    session.onstream = (stream) => onStream(wrap(stream), connection);
    for (const stream of early) onStream(wrap(stream), connection);
    return connection;
  },
};

await runProgram(stack, process.argv.slice(2));
