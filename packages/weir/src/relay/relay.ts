import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIPv6 } from 'node:net';
import { type Millis, NEVER } from 'weir-quic/sim';
import { ReceiveFailures } from 'weir-quic/system';
import { type Alarm, PreciseAlarm } from './alarm.ts';
import { kernelDrops } from './kernel-drops.ts';
import { type Direction, type DirectionCounters, PathEmulator } from './path-emulator.ts';
import type { PathSettings } from './path-spec.ts';

/** A host, numeric or a name, and a UDP port. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** How a relay is made. */
export interface RelayOptions {
  /** Where clients send to; port 0 is any free one. */
  readonly listen: HostAndPort;
  /** The server that they mean. A name is resolved once. */
  readonly to: HostAndPort;
  readonly path: PathSettings;
  /** Of losses, jitter and the like. */
  readonly seed: number;
  /** Clients at a time. Default 256: one more takes the place of the one that has been silent longest. */
  readonly maxClients?: number;
  /** Milliseconds of silence, both ways, after which a client is forgotten. Default two minutes. */
  readonly clientTimeout?: Millis;
  /** Default: the process's clock. Tests have their own. */
  readonly alarm?: Alarm;
}

/** Everything that a relay counts. */
export interface RelayCounters {
  readonly up: DirectionCounters;
  readonly down: DirectionCounters;
  /** Clients now, and all there ever were. */
  readonly clients: number;
  readonly clientsSeen: number;
  /** Answers that no program listens at the target (ICMP port unreachable). */
  readonly unreachable: number;
  /** Datagrams that the kernel would not take. */
  readonly unsent: number;
  /** Datagrams that the kernel dropped because the relay did not read them in time; null where the system does not tell (not Linux). */
  readonly kernelDrops: number | null;
}

/** A relay that runs. */
export interface Relay {
  /** Where it listens. */
  readonly address: HostAndPort;
  /** Where it sends to, numeric. */
  readonly target: HostAndPort;
  readonly counters: RelayCounters;
  /** Fulfilled when it is closed; rejects when its socket failed. */
  readonly closed: Promise<void>;
  /** Stops. What is on its way is lost. Resolves when the sockets are closed. */
  close(): Promise<void>;
}

/** Bytes asked for in the kernel; it may give less. */
const SOCKET_BUFFER = 8 << 20;
const MAX_CLIENTS = 256;
const CLIENT_TIMEOUT: Millis = 120_000;
/** Datagrams that wait for a new client's socket to be connected, which takes a turn of the event loop. */
const MOST_WAITING = 256;
/** Datagrams that libuv may hold for one socket when the kernel takes no more. */
const MOST_UNSENT = 4096;

/**
 * Starts a relay: whatever a client sends to `listen` goes through an emulated path to `to`, and the answers back. Each client's
 * address gets a socket of its own towards the server; all share one path, as hosts behind one bottleneck do. For any UDP protocol;
 * ECN bits are lost, since node:dgram cannot see them.
 * @throws the socket's error (EADDRINUSE, EACCES, EADDRNOTAVAIL; ENETUNREACH when there is no route to the target, with `syscall` connect), or the
 * resolver's (ENOTFOUND)
 */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const target = await lookup(options.to.host);
  await assertRoute(target.address, target.family, options.to.port);
  const local = await lookup(options.listen.host);
  const socket = newSocket(local.family);
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ address: local.address, port: options.listen.port, exclusive: true }, () => {
      socket.off('error', reject);
      resolve();
    });
  });
  enlargeBuffers(socket);
  const to = { host: target.address, port: options.to.port };
  if (isSame(socket.address(), to)) {
    socket.close();
    throw new Error('a relay to itself would never end: --to must be another address than --listen');
  }
  return new UdpRelay(options, socket, to);
}

/** Clients would wait for a socket that cannot be connected. @throws the system's error when there is no route. */
async function assertRoute(host: string, family: number, port: number): Promise<void> {
  const socket = newSocket(family);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.connect(port, host, ((error?: Error) => (error ? reject(error) : resolve())) as () => void);
    });
  } finally {
    socket.close();
  }
}

/** A client and the socket that stands for it towards the server. */
class Client {
  readonly host: string;
  readonly port: number;
  readonly socket: Socket;
  lastSeen: Millis;
  /** What came before the socket was ready; undefined once it is. */
  waiting: Uint8Array[] | undefined = [];
  isGone = false;

  constructor(from: RemoteInfo, socket: Socket, now: Millis) {
    this.host = from.address;
    this.port = from.port;
    this.socket = socket;
    this.lastSeen = now;
  }
}

class UdpRelay implements Relay {
  readonly address: HostAndPort;
  readonly target: HostAndPort;
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #alarm: Alarm;
  readonly #emulator: PathEmulator<Client>;
  /** By `host port`, the one that was heard of longest ago first. */
  readonly #clients = new Map<string, Client>();
  readonly #maxClients: number;
  readonly #clientTimeout: Millis;
  #clientsSeen = 0;
  #unreachable = 0;
  #unsent = 0;
  /** Kernel drops of the sockets that are closed. */
  #earlierDrops = 0;
  #finalDrops: number | null = null;
  #isClosed = false;
  #settle!: { resolve: () => void; reject: (error: unknown) => void };
  /** The client of the last datagram: most come in runs. */
  #last: Client | undefined;

  constructor(options: RelayOptions, socket: Socket, target: HostAndPort) {
    const { address, port } = socket.address();
    this.address = { host: address, port };
    this.target = target;
    this.#socket = socket;
    this.#maxClients = options.maxClients ?? MAX_CLIENTS;
    this.#clientTimeout = options.clientTimeout ?? CLIENT_TIMEOUT;
    this.#alarm = options.alarm ?? new PreciseAlarm();
    this.closed = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.#emulator = new PathEmulator(
      options.path,
      options.seed,
      () => this.#alarm.now(),
      (direction, client, bytes) => this.#deliver(direction, client, bytes),
    );
    this.#alarm.ring = () => {
      this.#emulator.deliverDue();
      this.#alarm.set(this.#emulator.earliest);
    };
    const failures = new ReceiveFailures();
    socket.on('message', (bytes, from) => {
      failures.reset();
      this.#carry('up', this.#clientOf(from), bytes);
    });
    socket.on('error', (error) => {
      if (failures.isFatal(error)) void this.#close(error);
    });
  }

  get counters(): RelayCounters {
    return {
      up: this.#emulator.counters('up'),
      down: this.#emulator.counters('down'),
      clients: this.#clients.size,
      clientsSeen: this.#clientsSeen,
      unreachable: this.#unreachable,
      unsent: this.#unsent,
      kernelDrops: this.#countDrops(),
    };
  }

  close(): Promise<void> {
    void this.#close(undefined);
    return this.closed;
  }

  #carry(direction: Direction, client: Client, bytes: Uint8Array): void {
    client.lastSeen = this.#alarm.now();
    this.#emulator.send(direction, client, bytes);
    this.#alarm.set(this.#emulator.earliest);
  }

  #deliver(direction: Direction, client: Client, bytes: Uint8Array): void {
    if (client.isGone) return;
    const socket = direction === 'up' ? client.socket : this.#socket;
    // Errors of single datagrams are the network's business: without a callback they are losses.
    if (socket.getSendQueueCount() > MOST_UNSENT) this.#unsent++;
    else if (direction === 'down') socket.send(bytes, client.port, client.host);
    else if (client.waiting === undefined) socket.send(bytes);
    else if (client.waiting.length < MOST_WAITING) client.waiting.push(bytes);
    else this.#unsent++;
  }

  #clientOf(from: RemoteInfo): Client {
    const last = this.#last;
    if (last !== undefined && last.port === from.port && last.host === from.address && !last.isGone) return last;
    const key = keyOf(from);
    let client = this.#clients.get(key);
    if (client === undefined) {
      client = this.#adopt(from);
      this.#clients.set(key, client);
    }
    this.#last = client;
    return client;
  }

  #adopt(from: RemoteInfo): Client {
    this.#makeRoom();
    const socket = newSocket(isIPv6(this.target.host) ? 6 : 4);
    const client = new Client(from, socket, this.#alarm.now());
    this.#clientsSeen++;
    // What the server's host answers when nothing listens there (ICMP port unreachable).
    socket.on('error', () => this.#unreachable++);
    socket.on('message', (bytes) => this.#carry('down', client, bytes));
    const onConnected = (error?: Error) => {
      if (client.isGone) return;
      // The route is gone: what comes next tries again.
      if (error) return this.#forget(keyOf(from), client);
      enlargeBuffers(socket);
      for (const bytes of client.waiting ?? []) socket.send(bytes);
      client.waiting = undefined;
    };
    // node tells its callback of a failure, which its types don't know.
    socket.connect(this.target.port, this.target.host, onConnected as () => void);
    return client;
  }

  /** Forgets the clients that have been silent for long, and if that is not enough the one that has been for longest. */
  #makeRoom(): void {
    const silentSince = this.#alarm.now() - this.#clientTimeout;
    let oldest: [string, Client] | undefined;
    for (const [key, client] of this.#clients) {
      if (client.lastSeen < silentSince) this.#forget(key, client);
      else if (oldest === undefined || client.lastSeen < oldest[1].lastSeen) oldest = [key, client];
    }
    if (this.#clients.size >= this.#maxClients && oldest !== undefined) this.#forget(...oldest);
  }

  #forget(key: string, client: Client): void {
    this.#unsent += client.waiting?.length ?? 0;
    this.#earlierDrops += (client.waiting === undefined ? kernelDrops([client.socket.address()]) : 0) ?? 0;
    client.isGone = true;
    client.socket.close();
    this.#clients.delete(key);
  }

  #countDrops(): number | null {
    if (this.#isClosed) return this.#finalDrops;
    const ready = [...this.#clients.values()].filter(({ waiting }) => waiting === undefined);
    const drops = kernelDrops([this.#socket.address(), ...ready.map(({ socket }) => socket.address())]);
    return drops === null ? null : drops + this.#earlierDrops;
  }

  async #close(error: Error | undefined): Promise<void> {
    if (this.#isClosed) return;
    this.#finalDrops = this.#countDrops();
    this.#isClosed = true;
    this.#alarm.set(NEVER);
    this.#emulator.clear();
    const sockets = [this.#socket, ...[...this.#clients.values()].map(({ socket }) => socket)];
    for (const client of this.#clients.values()) client.isGone = true;
    await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
    if (error === undefined) this.#settle.resolve();
    else this.#settle.reject(error);
  }
}

function keyOf({ address, port }: RemoteInfo): string {
  return `${address} ${port}`;
}

function newSocket(family: number): Socket {
  const version = family === 6 ? 6 : 4;
  // Addresses are numeric here; the default lookup would answer a tick later, for each datagram.
  return createSocket({
    type: version === 6 ? 'udp6' : 'udp4',
    lookup: (host, _options, callback) => callback(null, host, version),
  });
}

/** A system that refuses larger buffers still works with its own. */
function enlargeBuffers(socket: Socket): void {
  for (const set of [() => socket.setRecvBufferSize(SOCKET_BUFFER), () => socket.setSendBufferSize(SOCKET_BUFFER)]) {
    try {
      set();
    } catch {
      // As above.
    }
  }
}

function isSame(own: { address: string; port: number }, target: HostAndPort): boolean {
  const isAny = own.address === '0.0.0.0' || own.address === '::';
  const isLoopback = target.host === '::1' || target.host.startsWith('127.');
  return own.port === target.port && (own.address === target.host || (isAny && isLoopback));
}
