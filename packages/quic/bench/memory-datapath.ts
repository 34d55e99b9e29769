/** Sockets that are memory: what sending and receiving cost without the kernel. */
import type { Address } from '../src/base/address.ts';
import { type Arena, heapArena } from '../src/base/arena.ts';
import { ReceiveBatch, TransmitBatch } from '../src/base/batch.ts';
import type { Datapath } from '../src/driver/datapath.ts';
import { loadKoffi, nativeArena } from '../src/native/koffi.ts';

const batchBytes = 64 << 10;
/** Datagrams of the smallest size that fit. */
const mostDatagrams = Math.ceil(batchBytes / 20);
const firstPort = 50_000;

/** As the real datapaths have it: with koffi, native code can reach it. */
function arena(): Arena {
  return loadKoffi() === undefined ? heapArena(batchBytes) : nativeArena(batchBytes);
}

/** Sockets that reach each other. */
export class MemoryNetwork {
  readonly #addresses = new Map<string, Address>();
  readonly #sockets = new Map<Address, MemoryDatapath>();
  #nextPort = firstPort;

  /** Port 0 is a free one. */
  bind(host: string, port: number): MemoryDatapath {
    const local = this.address(4, host, port === 0 ? this.#nextPort++ : port);
    const socket = new MemoryDatapath(this, local);
    this.#sockets.set(local, socket);
    return socket;
  }

  address(family: 4 | 6, host: string, port: number): Address {
    const key = `${host} ${port}`;
    let address = this.#addresses.get(key);
    if (address === undefined) {
      address = { family, host: host === '0.0.0.0' ? '127.0.0.1' : host, port };
      this.#addresses.set(key, address);
      this.#addresses.set(`${address.host} ${port}`, address);
    }
    return address;
  }

  deliver(from: Address, batch: TransmitBatch): void {
    this.#sockets.get(batch.destination!)?.take(from, batch);
  }
}

/** One of them. Each batch is copied once, as the kernel would twice; it arrives in a later turn of the event loop. */
class MemoryDatapath implements Datapath {
  readonly name = 'memory';
  readonly local: Address;
  readonly capabilities = { segmentation: true, ecn: true, maxDatagramSize: 65_507 };
  onReceive: (batch: ReceiveBatch) => void = () => {};
  onWritable: () => void = () => {};
  onError: (error: Error) => void = () => {};
  onUnreachable: (to: Address, error: Error) => void = () => {};
  readonly #network: MemoryNetwork;
  /** Arrived, oldest first. */
  #inbox: ReceiveBatch[] = [];
  readonly #free: ReceiveBatch[] = [];

  constructor(network: MemoryNetwork, local: Address) {
    this.#network = network;
    this.local = local;
  }

  createTransmitBatch(): TransmitBatch {
    return new TransmitBatch(arena());
  }

  send(batch: TransmitBatch): boolean {
    this.#network.deliver(this.local, batch);
    return true;
  }

  /** Datagrams from another socket. */
  take(from: Address, { arena: source, length, segmentSize, ecn }: TransmitBatch): void {
    const batch = this.#free.pop() ?? new ReceiveBatch(arena(), mostDatagrams);
    batch.arena.bytes.set(source.bytes.subarray(0, length));
    batch.count = 0;
    for (let at = 0; at < length; at += segmentSize) {
      const i = batch.count++;
      batch.start[i] = at;
      batch.length[i] = Math.min(segmentSize, length - at);
      batch.ecn[i] = ecn;
      batch.source[i] = from;
    }
    this.#inbox.push(batch);
    if (this.#inbox.length === 1) setImmediate(() => this.#drain());
  }

  #drain(): void {
    const arrived = this.#inbox;
    this.#inbox = [];
    for (const batch of arrived) {
      this.onReceive(batch);
      this.#free.push(batch);
    }
  }

  address(family: 4 | 6, host: string, port: number): Address {
    return this.#network.address(family, host, port);
  }

  heedIcmp(): void {}

  async close(): Promise<void> {}

  ref(): void {}

  unref(): void {}
}
