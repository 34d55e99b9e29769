/**
 * The same bytes over Node's TLS over TCP, which is what QUIC is compared with: the kernel does the transport, OpenSSL the same
 * cipher. A connection begins with a request of 9 bytes (direction, bytes to come) and carries its share in one direction; of what
 * a client has sent, the server answers when the first and the last byte came, two float64 on its clock.
 */
import { randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { makeSelfSigned } from 'weir-quic';
import { ExperimentError } from './errors.ts';

/** What QUIC negotiates here by default, so that the cipher is no difference. */
const CIPHER = 'TLS_AES_128_GCM_SHA256';
const SETTINGS = { minVersion: 'TLSv1.3', ciphers: CIPHER, noDelay: true } as const;
const NAME = 'weir';
const REQUEST_BYTES = 9;
const ANSWER_BYTES = 16;
const WRITE_BYTES = 256 << 10;

/** Where a baseline server is. */
export interface TlsAddress {
  readonly port: number;
  /** Its certificate, PEM: the only one that a client takes. */
  readonly cert: string;
}

/** What one iteration of the baseline is. */
export interface TlsIteration {
  readonly direction: 'up' | 'down';
  readonly connections: number;
  /** Over all connections. */
  readonly bytes: number;
}

/** Serves the baseline on loopback, on any free port, until the process ends. */
export async function startTlsServer(): Promise<TlsAddress> {
  const { certPem, keyPem } = await makeSelfSigned({ names: [NAME], days: 2 });
  const block = payload();
  const server = createServer({ ...SETTINGS, cert: certPem, key: keyPem }, (socket) => {
    socket.on('error', () => socket.destroy());
    answer(socket, block).catch(() => socket.destroy());
  });
  server.on('tlsClientError', () => undefined);
  server.listen({ host: '127.0.0.1', port: 0, backlog: 2048 });
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, cert: certPem };
}

/** Connections of one iteration, open and waiting. */
export class TlsClient {
  readonly #sockets: readonly TLSSocket[];
  readonly #settings: TlsIteration;

  private constructor(sockets: readonly TLSSocket[], settings: TlsIteration) {
    this.#sockets = sockets;
    this.#settings = settings;
  }

  /** @throws ExperimentError `peer` when a connection cannot be made; the signal's reason. */
  static async connect(to: TlsAddress, settings: TlsIteration, signal: AbortSignal): Promise<TlsClient> {
    const sockets = Array.from({ length: settings.connections }, () =>
      connect({ ...SETTINGS, host: '127.0.0.1', port: to.port, ca: to.cert, servername: NAME }),
    );
    const client = new TlsClient(sockets, settings);
    try {
      await Promise.all(sockets.map((socket) => once(socket, 'secureConnect', { signal })));
      return client;
    } catch (error) {
      client.close();
      signal.throwIfAborted();
      throw new ExperimentError('peer', 'the TLS server of the baseline cannot be reached', error);
    }
  }

  /** Moves the bytes. Gives the milliseconds from the receiver's first byte to its last, over all connections. */
  async run(signal: AbortSignal): Promise<number> {
    const close = () => this.close();
    signal.addEventListener('abort', close, { once: true });
    try {
      const block = payload();
      const times = await Promise.all(this.#sockets.map((socket, i) => this.#move(socket, this.#share(i), block)));
      const first = Math.min(...times.map(([at]) => at));
      return Math.max(...times.map(([, at]) => at)) - first;
    } catch (error) {
      signal.throwIfAborted();
      throw new ExperimentError('peer', 'a TLS connection of the baseline broke off', error);
    } finally {
      signal.removeEventListener('abort', close);
      this.close();
    }
  }

  close(): void {
    for (const socket of this.#sockets) {
      socket.on('error', () => undefined);
      socket.destroy();
    }
  }

  async #move(socket: TLSSocket, share: number, block: Uint8Array): Promise<Times> {
    const isUp = this.#settings.direction === 'up';
    const request = Buffer.alloc(REQUEST_BYTES);
    request[0] = isUp ? 1 : 0;
    request.writeDoubleBE(share, 1);
    socket.write(request);
    if (!isUp) return takeBytes(new Incoming(socket), share);
    const incoming = new Incoming(socket);
    const [answered] = await Promise.all([incoming.exactly(ANSWER_BYTES), writeBytes(socket, share, block)]);
    return [answered.readDoubleBE(0), answered.readDoubleBE(8)];
  }

  #share(index: number): number {
    const { bytes, connections } = this.#settings;
    return Math.floor(bytes / connections) + (index < bytes % connections ? 1 : 0);
  }
}

/** When the first and the last byte came. */
type Times = readonly [first: number, last: number];

/** The server's side of one connection. */
async function answer(socket: TLSSocket, block: Uint8Array): Promise<void> {
  const incoming = new Incoming(socket);
  const request = await incoming.exactly(REQUEST_BYTES);
  const share = request.readDoubleBE(1);
  if (!Number.isSafeInteger(share) || share < 0) throw new Error('no size');
  if (request[0] !== 1) return writeBytes(socket, share, block);
  const [first, last] = await takeBytes(incoming, share);
  const times = Buffer.alloc(ANSWER_BYTES);
  times.writeDoubleBE(first, 0);
  times.writeDoubleBE(last, 8);
  socket.write(times);
}

async function writeBytes(socket: TLSSocket, bytes: number, block: Uint8Array): Promise<void> {
  for (let left = bytes; left > 0; left -= block.length) {
    if (!socket.write(left >= block.length ? block : block.subarray(0, left))) await once(socket, 'drain');
  }
}

async function takeBytes(incoming: Incoming, bytes: number): Promise<Times> {
  let first = -1;
  let last = -1;
  for (let left = bytes; left > 0; ) {
    left -= (await incoming.some(left)).length;
    last = performance.now();
    if (first < 0) first = last;
  }
  // Without bytes, an instant.
  return first < 0 ? [performance.now(), performance.now()] : [first, last];
}

/** What a socket receives, piece by piece. */
class Incoming {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(socket: TLSSocket) {
    // Its end must not be the socket's: the answer comes after.
    this.#chunks = socket.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  }

  /** What has come, of at most so many bytes. @throws Error when there is nothing more. */
  async some(most: number): Promise<Buffer> {
    if (this.#rest.length === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) throw new Error('ended early');
      this.#rest = next.value;
    }
    const taken = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }

  async exactly(bytes: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let left = bytes; left > 0; left -= pieces.at(-1)!.length) pieces.push(await this.some(left));
    return Buffer.concat(pieces);
  }
}

function payload(): Uint8Array {
  return randomFillSync(new Uint8Array(WRITE_BYTES));
}
