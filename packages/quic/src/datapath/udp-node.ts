import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { type Address, formatAddress } from '../base/address.ts';
import { Ecn, ReceiveBatch, TransmitBatch } from '../base/batch.ts';
import { BASE_DATAGRAM_SIZE } from '../base/datagram-size.ts';
import type { Datapath, DatapathCapabilities } from '../driver/datapath.ts';
import { packetArena } from '../native/arena.ts';
import { ReceiveFailures } from '../system/index.ts';

/** Where to bind, and how large the kernel's buffers should be. */
export interface UdpNodeOptions {
  /** Numeric host: `127.0.0.1`, `::`, … */
  readonly host: string;
  /** 0 lets the kernel choose. */
  readonly port: number;
  readonly family: 4 | 6;
  /** Bytes of the kernel's receive buffer; the kernel may give less. */
  readonly receiveBufferSize?: number;
  readonly sendBufferSize?: number;
}

const DEFAULT_BUFFER = 4 << 20;
/** Datagrams that are handed on together. libuv reads up to 32 in one go. */
const BATCH_DATAGRAMS = 64;
const BATCH_BYTES = 256 << 10;
const TRANSMIT_BYTES = 64 << 10;
/** How many addresses stay interned; strangers' datagrams must not fill memory. */
const MAX_ADDRESSES = 16_384;

/**
 * Binds a UDP socket of node:dgram: the datapath that runs everywhere. One system call a datagram, no ECN.
 * @throws the socket's error: EADDRINUSE, EACCES, EADDRNOTAVAIL, …
 */
export async function createUdpNodeDatapath(options: UdpNodeOptions): Promise<Datapath> {
  const socket = createSocket({
    type: options.family === 6 ? 'udp6' : 'udp4',
    // Addresses are numeric here. The default lookup answers a tick later, when the arena may hold other datagrams.
    lookup: (host, _options, callback) => callback(null, host, options.family),
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ address: options.host, port: options.port, exclusive: true }, () => {
      socket.off('error', reject);
      resolve();
    });
  });
  enlarge(() => socket.setRecvBufferSize(options.receiveBufferSize ?? DEFAULT_BUFFER));
  enlarge(() => socket.setSendBufferSize(options.sendBufferSize ?? DEFAULT_BUFFER));
  return new UdpNodeDatapath(socket, options.family);
}

/** A system that refuses a larger buffer still works with its own. */
function enlarge(set: () => void): void {
  try {
    set();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SOCKET_BUFFER_SIZE') throw error;
  }
}

class UdpNodeDatapath implements Datapath {
  readonly name = 'portable';
  readonly local: Address;
  readonly capabilities: DatapathCapabilities = { segmentation: false, ecn: false, maxDatagramSize: 65_507 };
  onReceive: (batch: ReceiveBatch) => void = () => {};
  onWritable: () => void = () => {};
  onError: (error: Error) => void = () => {};
  onUnreachable: (to: Address, error: Error) => void = () => {};
  readonly #socket: Socket;
  readonly #family: 4 | 6;
  readonly #batch = new ReceiveBatch(packetArena(BATCH_BYTES), BATCH_DATAGRAMS);
  /** Bytes of the batch's arena that are filled. */
  #filled = 0;
  #deliveryScheduled = false;
  /** Whether the kernel was full: libuv still holds views of the transmit arena. */
  #blocked = false;
  #closed = false;
  readonly #failures = new ReceiveFailures();
  /** Bytes of the last batch's last datagram. */
  #lastSize = 0;
  readonly #addresses = new Map<string, Address>();
  /** The address of the last datagram: most come from the same place. */
  #last: Address | undefined;

  constructor(socket: Socket, family: 4 | 6) {
    this.#socket = socket;
    this.#family = family;
    const { address, port } = socket.address();
    this.local = { family, host: address, port };
    socket.on('message', (message, remote) => this.#onMessage(message, remote));
    socket.on('error', (error) => {
      if (this.#failures.isFatal(error)) this.onError(error);
    });
  }

  createTransmitBatch(): TransmitBatch {
    return new TransmitBatch(packetArena(TRANSMIT_BYTES));
  }

  address(family: 4 | 6, host: string, port: number): Address {
    assertZone(host);
    // A dual-stack socket knows IPv4 hosts by their mapped addresses (RFC 4291 §2.5.5.2).
    const numeric = family === 4 && this.#family === 6 ? `::ffff:${host}` : host;
    return this.#intern(numeric, port);
  }

  #intern(host: string, port: number): Address {
    const key = `${host} ${port}`;
    let address = this.#addresses.get(key);
    if (address === undefined) {
      if (this.#addresses.size >= MAX_ADDRESSES) this.#addresses.clear();
      address = { family: this.#family, host, port };
      this.#addresses.set(key, address);
    }
    return address;
  }

  #onMessage(message: Uint8Array, remote: RemoteInfo): void {
    this.#failures.reset();
    const batch = this.#batch;
    const length = message.length;
    if (batch.count === batch.capacity || this.#filled + length > BATCH_BYTES) this.#deliver();
    let source = this.#last;
    if (source === undefined || source.port !== remote.port || source.host !== remote.address) {
      source = this.#intern(remote.address, remote.port);
      this.#last = source;
    }
    const i = batch.count++;
    batch.arena.bytes.set(message, this.#filled);
    batch.start[i] = this.#filled;
    batch.length[i] = length;
    batch.ecn[i] = Ecn.NOT_ECT;
    batch.source[i] = source;
    this.#filled += length;
    if (this.#deliveryScheduled) return;
    // libuv reads on until the socket is empty or it has had 32: handing over after that makes a batch.
    this.#deliveryScheduled = true;
    setImmediate(() => {
      this.#deliveryScheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    if (this.#batch.count > 0 && !this.#closed) this.onReceive(this.#batch);
    this.#batch.count = 0;
    this.#filled = 0;
  }

  send(batch: TransmitBatch): boolean {
    if (this.#closed || batch.length === 0) return true;
    const { host, port } = batch.destination!;
    // Nobody can be there, and node throws; a datagram may come from port 0 all the same. Lost, like all that cannot be sent.
    if (port === 0) return true;
    const { bytes } = batch.arena;
    const { length, segmentSize } = batch;
    const socket = this.#socket;
    for (let at = 0; at < length; at += segmentSize) {
      const size = Math.min(segmentSize, length - at);
      // A datagram that cannot be sent is a lost one, which recovery deals with. The last one's error says why: they are alike.
      if (at + size < length) socket.send(bytes, at, size, port, host);
      else this.#sendLast(bytes, at, size, port, host);
    }
    this.#blocked = socket.getSendQueueCount() > 0;
    return !this.#blocked;
  }

  #sendLast(bytes: Uint8Array, at: number, size: number, port: number, host: string): void {
    this.#lastSize = size;
    this.#socket.send(bytes, at, size, port, host, this.#onSent);
  }

  readonly #onSent = (error?: Error | null): void => {
    if (error) this.#onSendError(error);
    // It may be an earlier batch's, told a tick late.
    if (!this.#blocked || this.#closed || this.#socket.getSendQueueCount() > 0) return;
    this.#blocked = false;
    this.onWritable();
  };

  #onSendError(error: NodeJS.ErrnoException & { address?: string; port?: number }): void {
    const { address, port } = error;
    if (this.#closed || address === undefined || port === undefined || !tellsOfPeer(error, this.#lastSize)) return;
    this.onUnreachable(this.#intern(address, port), error);
  }

  /** node:dgram has no way to hear of ICMP without binding the socket to one peer. */
  heedIcmp(): void {}

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await new Promise<void>((resolve) => this.#socket.close(resolve));
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }

  toString(): string {
    return `udp (node:dgram) ${formatAddress(this.local)}`;
  }
}

/** @throws ENXIO when an address names an interface that is not there: the send would say EINVAL, or on some systems nothing. */
function assertZone(host: string): void {
  const zone = host.split('%', 2)[1];
  if (zone === undefined || /^\d+$/u.test(zone) || zone in networkInterfaces()) return;
  throw Object.assign(new Error(`no interface ${zone}`), { code: 'ENXIO', syscall: 'if_nametoindex', address: host });
}

/** As in the batched datapath: a passing shortage tells nothing, nor does what is larger than every path must carry. */
function tellsOfPeer({ code }: NodeJS.ErrnoException, size: number): boolean {
  return code !== 'ENOBUFS' && code !== 'ENOMEM' && (code !== 'EMSGSIZE' || size <= BASE_DATAGRAM_SIZE);
}
