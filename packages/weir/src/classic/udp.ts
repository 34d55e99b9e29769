import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { ReceiveFailures } from 'weir-quic/system';

/** Bytes of the kernel's buffers, where it allows so much: without flow control, what they cannot hold is lost. */
const BUFFER = 4 << 20;

/** A host with the family of sockets that reach it. */
export interface ResolvedHost {
  readonly host: string;
  readonly family: 4 | 6;
}

/** Numeric hosts as they are, names by the system's resolver, IPv4 first: the original knows nothing else. @throws its error. */
export async function resolveHost(name: string): Promise<ResolvedHost> {
  const bare = name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name;
  const family = isIP(bare);
  if (family !== 0) return { host: bare, family: family === 6 ? 6 : 4 };
  const addresses = await lookup(bare, { all: true });
  const best = addresses.find((address) => address.family === 4) ?? addresses[0]!;
  return { host: best.address, family: best.family === 6 ? 6 : 4 };
}

/** A bound UDP socket: the only place of this layer that touches the network. */
export class UdpSocket {
  onDatagram: (datagram: Uint8Array, host: string, port: number) => void = () => {};
  /** A send that had to wait is through. */
  onWritable: () => void = () => {};
  onError: (error: Error) => void = () => {};
  /** The system would not send a datagram: no route, a firewall, … It is lost, and perhaps the others will be. */
  onUnsent: (error: Error) => void = () => {};
  readonly #socket: Socket;
  #isClosed = false;
  #isWaiting = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const failures = new ReceiveFailures();
    socket.on('message', (datagram, { address, port }) => {
      failures.reset();
      this.onDatagram(datagram, address, port);
    });
    socket.on('error', (error) => {
      if (failures.isFatal(error)) this.onError(error);
    });
  }

  /** @param port 0 for any free one. @throws the system's error: EADDRINUSE, EACCES, EADDRNOTAVAIL, … */
  static async bind({ host, family }: ResolvedHost, port: number): Promise<UdpSocket> {
    const socket = createSocket({
      type: family === 6 ? 'udp6' : 'udp4',
      // Only numeric hosts come here. The default lookup takes a tick, in which the caller's buffer may change.
      lookup: (numeric, _options, callback) => callback(null, numeric, family),
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind({ address: host, port, exclusive: true }, () => {
        socket.off('error', reject);
        resolve();
      });
    });
    for (const enlarge of [() => socket.setRecvBufferSize(BUFFER), () => socket.setSendBufferSize(BUFFER)]) {
      try {
        enlarge();
      } catch {
        // The system's own size works, too.
      }
    }
    return new UdpSocket(socket);
  }

  get address(): { readonly host: string; readonly port: number } {
    const { address, port } = this.#socket.address();
    return { host: address, port };
  }

  /**
   * Sends a datagram. False when the kernel is full: `datagram` must then stay as it is until `onWritable`. What cannot be
   * sent at all (no route) is lost, like any other datagram.
   */
  send(datagram: Uint8Array, length: number, host: string, port: number): boolean {
    if (this.#isClosed) return true;
    this.#socket.send(datagram, 0, length, port, host, this.#onSent);
    this.#isWaiting = this.#socket.getSendQueueCount() > 0;
    return !this.#isWaiting;
  }

  readonly #onSent = (error?: Error | null): void => {
    if (error && !this.#isClosed) this.onUnsent(error);
    if (!this.#isWaiting || this.#isClosed || this.#socket.getSendQueueCount() > 0) return;
    this.#isWaiting = false;
    this.onWritable();
  };

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }
}
