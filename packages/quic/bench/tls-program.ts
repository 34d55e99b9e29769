/**
 * Node's own TLS over TCP behind the seam of the interop programs: what QUIC is measured against where the cipher is the
 * same and the kernel does the transport. A connection is one stream, opened by the client; FIN is close_notify.
 *
 * Arguments as in test/interop/program.ts. WEIR_CIPHERS: cipher suites joined by colons; default: Node's.
 */
import { once } from 'node:events';
import { argv, env } from 'node:process';
import { connect, createServer, type TLSSocket } from 'node:tls';
import type { CloseReport, PeerConnection, PeerStack, PeerStream } from '../test/interop/peer.ts';
import { runProgram } from '../test/interop/program.ts';

/** Both ends may end their direction first; as QUIC, nothing waits for more data before a small write is sent. */
const common = {
  allowHalfOpen: true,
  noDelay: true,
  minVersion: 'TLSv1.3',
  ...(env.WEIR_CIPHERS !== undefined && { ciphers: env.WEIR_CIPHERS }),
} as const;

function wrap(socket: TLSSocket): PeerStream {
  return {
    bidirectional: true,
    async send(chunks) {
      for await (const chunk of chunks) {
        if (!socket.write(chunk)) await once(socket, 'drain');
      }
      socket.end();
    },
    // Its end must not be the socket's: the other direction goes on.
    receive: () => socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>,
  };
}

class Connection implements PeerConnection {
  readonly alpn: string;
  readonly closed: Promise<CloseReport>;
  readonly #socket: TLSSocket;

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    this.alpn = socket.alpnProtocol || '';
    let reason = '';
    socket.on('error', (error) => {
      reason = error.message;
    });
    this.closed = new Promise((resolve) => {
      socket.once('close', () => resolve({ code: reason === '' ? 0 : -1, reason }));
    });
  }

  async open(): Promise<PeerStream> {
    return wrap(this.#socket);
  }

  async close(): Promise<void> {
    this.#socket.destroySoon();
    await this.closed;
  }
}

const tls: PeerStack = {
  async listen({ cert, key, alpn }, onStream, onConnection) {
    const server = createServer({ ...common, cert, key, ALPNProtocols: [alpn] }, (socket) => {
      const connection = new Connection(socket);
      onConnection(connection);
      onStream(wrap(socket), connection);
    });
    server.listen({ host: '127.0.0.1', port: 0, backlog: 2048 });
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return { port: address.port, close: async () => void server.close() };
  },

  async connect({ port, ca, serverName, alpn }) {
    const socket = connect({ ...common, host: '127.0.0.1', port, ca, servername: serverName, ALPNProtocols: [alpn] });
    await once(socket, 'secureConnect');
    return new Connection(socket);
  },
};

await runProgram(tls, argv.slice(2));
