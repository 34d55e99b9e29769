import { type Address, formatAddress } from '../base/address.ts';
import { heapArena } from '../base/arena.ts';
import { ReceiveBatch, TransmitBatch } from '../base/batch.ts';
import { SeededRandom } from '../base/random.ts';
import type { Datapath, DatapathCapabilities } from '../driver/datapath.ts';
import type { VirtualClock } from './clock.ts';
import { Link, type LinkSettings } from './link.ts';

/** Looks at each datagram as it is sent; `'drop'` takes it away. The bytes may be changed. */
export type Tap = (datagram: { from: Address; to: Address; bytes: Uint8Array }) => 'drop' | undefined;

/** How the network is made. */
export interface NetworkSettings {
  readonly seed: number;
  /** The path from one host to another, asked for once a pair. Default: perfect. */
  readonly path?: (from: string, to: string) => Partial<LinkSettings>;
  /** What hosts know of the MTU of their interfaces, in bytes with IP and UDP headers. Default: nothing. */
  readonly interfaceMtu?: number;
  /** Whether sockets mark and see ECN. Default true. */
  readonly ecn?: boolean;
}

const BATCH_BYTES = 65_536;
const FIRST_PORT = 50_000;

/** Sockets on simulated hosts, joined by links. Each ordered pair of hosts has a link of its own. */
export class SimNetwork {
  readonly clock: VirtualClock;
  tap: Tap | undefined;
  readonly #settings: NetworkSettings;
  readonly #random: SeededRandom;
  readonly #links = new Map<string, Link>();
  readonly #addresses = new Map<string, Address>();
  /** Bound sockets by address as the network sees it. */
  readonly #sockets = new Map<Address, SimDatapath>();
  #nextPort = FIRST_PORT;
  /** Datagrams on their way. */
  #inFlight = 0;

  constructor(clock: VirtualClock, settings: NetworkSettings) {
    this.clock = clock;
    this.#settings = settings;
    this.#random = new SeededRandom(settings.seed ^ 0x6e657477);
  }

  /** Datagrams on their way. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** The interned address. */
  address(family: 4 | 6, host: string, port: number): Address {
    const key = `${host} ${port}`;
    let address = this.#addresses.get(key);
    if (address === undefined) {
      address = { family, host, port };
      this.#addresses.set(key, address);
    }
    return address;
  }

  /** The link from one host to another. */
  link(from: string, to: string): Link {
    const key = `${from} ${to}`;
    let link = this.#links.get(key);
    if (link === undefined) {
      link = new Link(this.#settings.path?.(from, to) ?? {}, new SeededRandom(this.#random.uint32()));
      this.#links.set(key, link);
    }
    return link;
  }

  /** Binds a socket. Port 0 is a free one. Throws what the system would (EADDRINUSE). */
  bind(host: string, port: number): SimDatapath {
    const address = this.address(host.includes(':') ? 6 : 4, host, port === 0 ? this.#nextPort++ : port);
    if (this.#sockets.has(address)) {
      throw Object.assign(new Error(`bind EADDRINUSE ${formatAddress(address)}`), { code: 'EADDRINUSE' });
    }
    const socket = new SimDatapath(this, address, this.#settings.ecn ?? true);
    this.#sockets.set(address, socket);
    return socket;
  }

  /** The socket that was last bound on this host, to be rebound; undefined when there is none. */
  socketOf(host: string): SimDatapath | undefined {
    return [...this.#sockets.values()].findLast(({ local }) => local.host === host);
  }

  /** What a NAT does: from now on the socket's datagrams come from, and arrive by, another address. */
  rebind(socket: SimDatapath, host: string, port: number): void {
    this.#sockets.delete(socket.outside);
    socket.outside = this.address(host.includes(':') ? 6 : 4, host, port);
    this.#sockets.set(socket.outside, socket);
  }

  /** Internal: a socket sends one datagram, which the network keeps. */
  transmit(from: Address, to: Address, bytes: Uint8Array, ecn: number): void {
    if (this.tap?.({ from, to, bytes }) === 'drop') return;
    for (const arrival of this.link(from.host, to.host).send(this.clock.now, bytes, ecn)) {
      this.#inFlight++;
      this.clock.book(arrival.at, () => {
        this.#inFlight--;
        this.#sockets.get(to)?.arrive(from, arrival.bytes, arrival.ecn);
      });
    }
  }

  /** Internal: the socket is closed. */
  release(socket: SimDatapath): void {
    if (this.#sockets.get(socket.outside) === socket) this.#sockets.delete(socket.outside);
  }
}

/** A socket of the simulated network. */
export class SimDatapath implements Datapath {
  readonly name = 'simulated';
  readonly local: Address;
  readonly capabilities: DatapathCapabilities;
  /** The address that the network sees, which a NAT may change. */
  outside: Address;
  onReceive: (batch: ReceiveBatch) => void = () => {};
  onWritable: () => void = () => {};
  onError: (error: Error) => void = () => {};
  onUnreachable: (to: Address, error: Error) => void = () => {};
  readonly #network: SimNetwork;
  readonly #batch = new ReceiveBatch(heapArena(BATCH_BYTES), 1);
  #isClosed = false;

  /** Made by SimNetwork.bind only. */
  constructor(network: SimNetwork, local: Address, ecn: boolean) {
    this.#network = network;
    this.local = local;
    this.outside = local;
    this.capabilities = { segmentation: true, ecn, maxDatagramSize: 65_507 };
  }

  createTransmitBatch(): TransmitBatch {
    return new TransmitBatch(heapArena(BATCH_BYTES));
  }

  send(batch: TransmitBatch): boolean {
    const { arena, length, segmentSize, destination, ecn } = batch;
    for (let at = 0; at < length && !this.#isClosed; at += segmentSize) {
      const bytes = arena.bytes.slice(at, Math.min(at + segmentSize, length));
      this.#network.transmit(this.outside, destination!, bytes, this.capabilities.ecn ? ecn : 0);
    }
    return true;
  }

  address(family: 4 | 6, host: string, port: number): Address {
    return this.#network.address(family, host, port);
  }

  heedIcmp(): void {}

  /** Internal: a datagram has come. */
  arrive(from: Address, bytes: Uint8Array, ecn: number): void {
    const batch = this.#batch;
    batch.arena.bytes.set(bytes);
    batch.count = 1;
    batch.start[0] = 0;
    batch.length[0] = bytes.length;
    batch.ecn[0] = ecn;
    batch.source[0] = from;
    this.onReceive(batch);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#network.release(this);
  }

  ref(): void {}

  unref(): void {}
}
