import { networkInterfaces } from 'node:os';
import type { Address } from '../base/address.ts';
import type { ReceiveBatch, TransmitBatch } from '../base/batch.ts';
import type { Datapath, DatapathCapabilities } from '../driver/datapath.ts';
import { createUdpNodeDatapath, type UdpNodeOptions } from './udp-node.ts';

type Interfaces = ReturnType<typeof networkInterfaces>;

/** More are a router's or a container host's: there one socket must do. */
const MAX_SOCKETS = 64;
/** Ports that the kernel chooses for the first address may be taken at another one. */
const MAX_TRIES = 10;

/**
 * Binds what a server needs where node:dgram does not tell which of this machine's addresses a datagram was sent to: one socket for each address when
 * the wildcard is asked for and there are several, so that answers leave from the one that was asked. Addresses that come up later are not served.
 * @throws as `createUdpNodeDatapath`.
 */
export async function createMultihomedDatapath(
  options: UdpNodeOptions,
  interfaces: Interfaces = networkInterfaces(),
): Promise<Datapath> {
  const hosts = hostsBehind(options.host, interfaces);
  if (hosts.length === 0) return createUdpNodeDatapath(options);
  for (let tries = 1; ; tries++) {
    try {
      return new MultihomedDatapath(options, await bindEach(options, hosts));
    } catch (error) {
      if (codeOf(error) !== 'EADDRINUSE' || options.port !== 0 || tries === MAX_TRIES) throw error;
    }
  }
}

/** The addresses that a wildcard stands for; none when one socket will do: then the kernel has no choice of address. */
function hostsBehind(wildcard: string, interfaces: Interfaces): string[] {
  if (wildcard !== '::' && wildcard !== '0.0.0.0') return [];
  const hosts: string[] = [];
  const outward = { IPv4: 0, IPv6: 0 };
  for (const [name, addresses] of Object.entries(interfaces)) {
    for (const { address, family, internal, scopeid } of addresses ?? []) {
      if (wildcard === '0.0.0.0' && family === 'IPv6') continue;
      const zone = process.platform === 'win32' ? `${scopeid}` : name;
      hosts.push(family === 'IPv6' && scopeid > 0 ? `${address}%${zone}` : address);
      if (!internal) outward[family]++;
    }
  }
  return hosts.length <= MAX_SOCKETS && Math.max(outward.IPv4, outward.IPv6) > 1 ? hosts : [];
}

async function bindEach(options: UdpNodeOptions, hosts: readonly string[]): Promise<Datapath[]> {
  const bound: Datapath[] = [];
  try {
    for (const host of hosts) {
      const port = bound[0]?.local.port ?? options.port;
      const one = await bindIfThere({ ...options, host, port, family: host.includes(':') ? 6 : 4 });
      if (one !== undefined) bound.push(one);
    }
    if (bound.length === 0) bound.push(await createUdpNodeDatapath(options));
    return bound;
  } catch (error) {
    await Promise.all(bound.map((each) => each.close()));
    throw error;
  }
}

/** An address may have gone since it was listed, or not be settled yet (RFC 4862 §5.4). */
async function bindIfThere(options: UdpNodeOptions): Promise<Datapath | undefined> {
  try {
    return await createUdpNodeDatapath(options);
  } catch (error) {
    if (codeOf(error) === 'EADDRNOTAVAIL') return undefined;
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/** Several sockets as one. */
class MultihomedDatapath implements Datapath {
  readonly name = 'portable';
  readonly local: Address;
  readonly capabilities: DatapathCapabilities;
  onReceive: (batch: ReceiveBatch) => void = () => {};
  onWritable: () => void = () => {};
  onError: (error: Error) => void = () => {};
  onUnreachable: (to: Address, error: Error) => void = () => {};
  readonly #sockets: readonly Datapath[];
  /** Which of them each remote address last sent to. */
  readonly #via = new WeakMap<Address, Datapath>();
  /** The one that is full. */
  #blocked: Datapath | undefined;

  constructor({ host, family }: UdpNodeOptions, sockets: readonly Datapath[]) {
    this.#sockets = sockets;
    this.local = { family, host, port: sockets[0]!.local.port };
    this.capabilities = sockets[0]!.capabilities;
    for (const socket of sockets) this.#join(socket);
  }

  #join(socket: Datapath): void {
    let last: Address | undefined;
    socket.onReceive = (batch) => {
      for (let i = 0; i < batch.count; i++) {
        const source = batch.source[i]!;
        // Each socket has address objects of its own: they never change hands.
        if (source !== last) this.#via.set(source, socket);
        last = source;
      }
      this.onReceive(batch);
    };
    socket.onWritable = () => {
      if (this.#blocked !== socket) return;
      this.#blocked = undefined;
      this.onWritable();
    };
    socket.onError = (error) => this.onError(error);
    socket.onUnreachable = (to, error) => this.onUnreachable(to, error);
  }

  createTransmitBatch(): TransmitBatch {
    return this.#sockets[0]!.createTransmitBatch();
  }

  send(batch: TransmitBatch): boolean {
    if (batch.length === 0) return true;
    const socket = this.#via.get(batch.destination!) ?? this.#socketFor(batch.destination!);
    const hasRoom = socket.send(batch);
    if (!hasRoom) this.#blocked = socket;
    return hasRoom;
  }

  address(family: 4 | 6, host: string, port: number): Address {
    const socket = this.#socketFor({ family, host, port });
    const address = socket.address(family, host, port);
    this.#via.set(address, socket);
    return address;
  }

  /** For whom nothing has come from: any of its family, which reaches what its address does. */
  #socketFor({ family, host }: Address): Datapath {
    const isLoopback = isInternal(host);
    const fitting = this.#sockets.filter(({ local }) => local.family === family);
    return fitting.find(({ local }) => isInternal(local.host) === isLoopback) ?? fitting[0] ?? this.#sockets[0]!;
  }

  heedIcmp(wanted: boolean): void {
    for (const socket of this.#sockets) socket.heedIcmp(wanted);
  }

  async close(): Promise<void> {
    await Promise.all(this.#sockets.map((socket) => socket.close()));
  }

  ref(): void {
    for (const socket of this.#sockets) socket.ref();
  }

  unref(): void {
    for (const socket of this.#sockets) socket.unref();
  }
}

function isInternal(host: string): boolean {
  return host === '::1' || host.startsWith('127.');
}
