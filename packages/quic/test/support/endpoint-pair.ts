import assert from 'node:assert/strict';
import type { Address } from '../../src/base/address.ts';
import { heapArena } from '../../src/base/arena.ts';
import { ReceiveBatch, TransmitBatch } from '../../src/base/batch.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { type Millis, NEVER } from '../../src/base/time.ts';
import type { Connection } from '../../src/connection/connection.ts';
import type { ConnectionEvent } from '../../src/connection/events.ts';
import type { ObservedPacket, QuicEvent } from '../../src/connection/observe.ts';
import { type ConnectionOptions, DEFAULT_TRANSPORT, type TransportOptions } from '../../src/connection/options.ts';
import type { CryptoEngine } from '../../src/crypto/engine.ts';
import { nodeCryptoEngine } from '../../src/crypto/node-engine.ts';
import { EndpointCounters } from '../../src/endpoint/counters.ts';
import { type ClientConnectionOptions, Endpoint, type ServerConnectionOptions } from '../../src/endpoint/endpoint.ts';
import { DEFAULT_LIMITS, type EndpointLimits } from '../../src/endpoint/limits.ts';
import { newReno } from '../../src/recovery/congestion/new-reno.ts';
import { SERVER_CERT, SERVER_KEY } from '../../src/sim/identity.ts';
import { loadIdentity, type TlsClientOptions, type TlsServerOptions } from '../../src/tls/options.ts';
import type { TlsSession } from '../../src/tls/session.ts';
import { createClientSession } from '../../src/tls/tls13/client.ts';
import { createServerSession } from '../../src/tls/tls13/server.ts';
import type { FrameHandler } from '../../src/wire/frame-handler.ts';
import { FrameReader } from '../../src/wire/frame-reader.ts';
import { QUIC_V1 } from '../../src/wire/versions.ts';

export const IDENTITY = loadIdentity(SERVER_CERT, SERVER_KEY);

export const SERVER_ADDRESS: Address = { family: 4, host: '192.0.2.1', port: 4433 };
export const CLIENT_ADDRESS: Address = { family: 4, host: '192.0.2.2', port: 50000 };

/** Changes a packet in the clear just before it is sealed: header at [start, payload), frames at [payload, end). */
export type Forger = (bytes: Uint8Array, start: number, payload: number, end: number) => void;

/** A datagram on its way. */
export interface InFlight {
  readonly at: Millis;
  readonly from: Side;
  readonly source: Address;
  readonly destination: Address;
  readonly bytes: Uint8Array;
  readonly ecn: number;
}

export interface PairOptions {
  readonly seed?: number;
  /** One way, in milliseconds. */
  readonly delay?: Millis;
  readonly client?: Partial<ConnectionOptions> & { token?: Uint8Array };
  readonly server?: Partial<Omit<ServerConnectionOptions, 'createTls'>>;
  readonly serverLimits?: Partial<EndpointLimits>;
  readonly clientTransport?: Partial<TransportOptions>;
  readonly serverTransport?: Partial<TransportOptions>;
  readonly clientTls?: Partial<TlsClientOptions>;
  readonly serverTls?: Partial<TlsServerOptions>;
  readonly alpn?: readonly string[];
  readonly ecnCapable?: boolean;
  /** What both ends know of the MTU of their interfaces. */
  readonly interfaceMtu?: number;
  /** Whether somebody has to answer `verify` events by hand. */
  readonly manualVerdict?: boolean;
  /** What seals and opens packets; default node:crypto. */
  readonly engine?: CryptoEngine;
  /** In place of both ends' TLS 1.3. */
  readonly createTls?: (role: 'client' | 'server', transportParameters: Uint8Array) => TlsSession;
}

/** What connections of tests start from. */
export const DEFAULTS: ConnectionOptions = {
  versions: [QUIC_V1],
  transport: DEFAULT_TRANSPORT,
  congestion: newReno,
  datagramSize: 1200,
  handshakeTimeout: 10_000,
  keepAlive: 0,
  initialRtt: 333,
  ecn: true,
};

/** One endpoint with its connections, in memory. */
export class Side {
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly limits: EndpointLimits;
  readonly counters = new EndpointCounters();
  readonly connections: Connection[] = [];
  readonly events = new Map<Connection, ConnectionEvent[]>();
  readonly observed: QuicEvent[] = [];
  /** Where its datagrams come from. */
  address: Address;
  /** Applied to every packet that it seals. */
  forge: Forger | undefined;
  /** Packets sent since the last datagram was taken, as text. */
  readonly sentPackets: string[] = [];

  constructor(
    name: string,
    address: Address,
    random: SeededRandom,
    pair: EndpointPair,
    limits: Partial<EndpointLimits> = {},
  ) {
    this.name = name;
    this.address = address;
    this.limits = { ...DEFAULT_LIMITS, ...limits };
    const sealing = pair.options.engine ?? nodeCryptoEngine;
    const engine: CryptoEngine = {
      name: 'forging',
      headerKey: (suite, hp) => sealing.headerKey(suite, hp),
      packetKey: (suite, key, iv) => {
        const inner = sealing.packetKey(suite, key, iv);
        return {
          open: (arena, start, headerLength, length, number) => inner.open(arena, start, headerLength, length, number),
          destroy: () => inner.destroy(),
          seal: (arena, start, headerLength, length, number) => {
            this.forge?.(arena.bytes, start, start + headerLength, start + headerLength + length);
            inner.seal(arena, start, headerLength, length, number);
          },
        };
      },
    };
    this.endpoint = new Endpoint({
      random,
      engine,
      local: address,
      ecnCapable: pair.options.ecnCapable ?? false,
      maxDatagramSize: 65_507,
      interfaceMtu: () => pair.options.interfaceMtu,
      limits: this.limits,
      counters: this.counters,
      onConnection: (connection) => this.adopt(connection),
    });
  }

  adopt(connection: Connection): void {
    this.connections.push(connection);
    this.events.set(connection, []);
    connection.observe = (_now, event) => {
      if (event.type === 'packet_sent') this.sentPackets.push(describePacket(event));
      else this.observed.push(event);
    };
  }

  /** Types of the events of the first connection, in order. */
  get eventTypes(): string[] {
    return this.events.get(this.connections[0]!)!.map(({ type }) => type);
  }

  eventsOf<T extends ConnectionEvent['type']>(type: T): Extract<ConnectionEvent, { type: T }>[] {
    const all = this.events.get(this.connections[0]!) ?? [];
    return all.filter((event): event is Extract<ConnectionEvent, { type: T }> => event.type === type);
  }

  /** Triggers of the packets that were dropped. */
  get drops(): string[] {
    return this.observed.flatMap((event) => (event.type === 'packet_dropped' ? [event.trigger] : []));
  }
}

/** Two endpoints joined in memory, in virtual time. */
export class EndpointPair {
  readonly options: PairOptions;
  now: Millis = 1000;
  readonly client: Side;
  server: Side;
  readonly delay: Millis;
  /** Datagrams on their way, in order of arrival. */
  readonly inFlight: InFlight[] = [];
  /** One line a datagram sent. */
  readonly log: string[] = [];
  /** Decides about each datagram when it is sent: false loses it. */
  filter: (datagram: InFlight) => boolean = () => true;
  /** Bytes that each side has sent, lost ones included. */
  readonly sentBytes = new Map<Side, number>();
  /** How often a connection's timeout was handled. */
  wakeups = 0;
  readonly #batch = new TransmitBatch(heapArena(1 << 16));
  readonly #startedAt = this.now;

  constructor(options: PairOptions = {}) {
    this.options = options;
    this.delay = options.delay ?? 10;
    this.client = new Side('client', CLIENT_ADDRESS, new SeededRandom(options.seed ?? 1), this);
    this.server = this.#makeServer();
  }

  /** The server loses all its state, but for its secrets. */
  restartServer(): void {
    this.server = this.#makeServer();
  }

  #makeServer(): Side {
    const random = new SeededRandom(500 + (this.options.seed ?? 1));
    const side = new Side('server', SERVER_ADDRESS, random, this, this.options.serverLimits);
    const { server, serverTransport, serverTls, alpn = ['test'], createTls } = this.options;
    side.endpoint.listen({
      ...DEFAULTS,
      retry: 'never',
      ...server,
      transport: { ...DEFAULT_TRANSPORT, ...serverTransport },
      createTls: (transportParameters) =>
        createTls?.('server', transportParameters) ??
        createServerSession({ random, alpn, identity: IDENTITY, ...serverTls, transportParameters }),
    });
    return side;
  }

  connect(overrides: Partial<ClientConnectionOptions> = {}): Connection {
    const { client, clientTransport, clientTls, alpn = ['test'], seed = 1, createTls } = this.options;
    const random = new SeededRandom(seed + 1000);
    const connection = this.client.endpoint.connect(this.now, SERVER_ADDRESS, {
      ...DEFAULTS,
      ...client,
      transport: { ...DEFAULT_TRANSPORT, ...clientTransport },
      createTls: (transportParameters) =>
        createTls?.('client', transportParameters) ??
        createClientSession({ random, alpn, serverName: 'server.test', ...clientTls, transportParameters }),
      ...overrides,
    });
    this.client.adopt(connection);
    return connection;
  }

  /** Connects and runs until both sides have settled. */
  established(): { client: Connection; server: Connection } {
    const client = this.connect();
    this.run(500);
    return { client, server: this.server.connections[0]! };
  }

  /** Lets `duration` milliseconds pass. */
  run(duration: Millis): void {
    const end = this.now + duration;
    for (;;) {
      this.flush();
      const next = Math.min(this.inFlight[0]?.at ?? NEVER, this.#nextTimeout());
      if (next > end) break;
      this.now = Math.max(this.now, next);
      this.#deliverDue();
      this.#expire();
    }
    this.now = end;
  }

  #nextTimeout(): Millis {
    let earliest = NEVER;
    for (const side of [this.client, this.server])
      for (const connection of side.connections) {
        const at = connection.pollTimeout();
        // What is due but waits for something else is looked at again a little later, as the driver does.
        if (at !== NEVER) earliest = Math.min(earliest, Math.max(at, this.now + 0.5));
      }
    return earliest;
  }

  #expire(): void {
    for (const side of [this.client, this.server])
      for (const connection of side.connections) {
        if (connection.pollTimeout() > this.now) continue;
        this.wakeups++;
        connection.handleTimeout(this.now);
      }
  }

  #deliverDue(): void {
    while (this.inFlight.length > 0 && this.inFlight[0]!.at <= this.now) {
      const { from, source, bytes, ecn } = this.inFlight.shift()!;
      this.deliver(from === this.client ? this.server : this.client, source, bytes, ecn);
    }
  }

  /** Hands a datagram over at once. */
  deliver(to: Side, source: Address, bytes: Uint8Array, ecn = 0): void {
    const batch = new ReceiveBatch(heapArena(bytes.length), 1);
    batch.arena.bytes.set(bytes);
    batch.count = 1;
    batch.length[0] = bytes.length;
    batch.source[0] = source;
    batch.ecn[0] = ecn;
    to.endpoint.handleDatagrams(this.now, batch, () => {});
  }

  /** Sends what there is to send and hands out events. */
  flush(): void {
    for (const side of [this.client, this.server]) {
      this.#drainEvents(side);
      while (side.endpoint.pollStateless(this.#batch)) this.#send(side, ['stateless']);
      for (const connection of side.connections) {
        while (connection.pollTransmit(this.now, this.#batch)) this.#send(side, side.sentPackets.splice(0));
      }
      this.#drainEvents(side);
    }
  }

  #drainEvents(side: Side): void {
    for (const connection of side.connections) {
      for (let event = connection.pollEvent(); event !== undefined; event = connection.pollEvent()) {
        side.events.get(connection)!.push(event);
        if (event.type === 'verify' && this.options.manualVerdict !== true) connection.verdict(this.now, { ok: true });
        if (event.type === 'closed') side.endpoint.forget(connection);
      }
    }
  }

  #send(side: Side, packets: readonly string[]): void {
    const { arena, length, segmentSize, count, destination, ecn } = this.#batch;
    this.sentBytes.set(side, (this.sentBytes.get(side) ?? 0) + length);
    for (let at = 0, i = 0; at < length; at += segmentSize, i++) {
      const bytes = arena.bytes.slice(at, Math.min(length, at + segmentSize));
      const what = count === 1 ? packets.join(' + ') : packets[i];
      const sent = {
        at: this.now + this.delay,
        from: side,
        source: side.address,
        destination: destination!,
        bytes,
        ecn,
      };
      const kept = this.filter(sent);
      this.log.push(`${this.now - this.#startedAt} ${side.name} ${bytes.length}${kept ? '' : ' lost'}: ${what}`);
      if (kept) this.inFlight.push(sent);
    }
    this.inFlight.sort((a, b) => a.at - b.at);
  }
}

const TYPES = ['Initial', '0-RTT', 'Handshake', 'Retry', 'Version Negotiation', '1-RTT'];
const reader = new FrameReader();

function describePacket({ packetType, packetNumber, bytes, payloadStart, payloadEnd }: ObservedPacket): string {
  const names: string[] = [];
  const recorder = new Proxy({} as FrameHandler, {
    get: (_, method: string) => () => {
      const name = method.slice(2);
      if (names.at(-1) !== name) names.push(name);
    },
  });
  reader.read(bytes, payloadStart, payloadEnd, packetType, recorder);
  return `${TYPES[packetType]} ${packetNumber} [${names.join(' ')}]`;
}

/**
 * Replaces the frames of the next 1-RTT packet of at least `frames.length` bytes by `frames` and PADDING; call it and then
 * send something that large.
 */
export function forgeOneRtt(side: Side, frames: Uint8Array): void {
  side.forge = (bytes, start, payload, end) => {
    if ((bytes[start]! & 0x80) !== 0 || end - payload < frames.length) return;
    bytes.fill(0, payload, end);
    bytes.set(frames, payload);
    side.forge = undefined;
  };
}

/** Sends `size` bytes on a new stream. */
export function send(pair: EndpointPair, connection: Connection, size: number): number {
  const id = connection.streams.open(false);
  const sender = connection.streams.sender(id)!;
  sender.write(pair.now, new Uint8Array(size).fill(1));
  sender.finish(pair.now);
  return id;
}

/** Reads all there is on a stream and returns how much it was. */
export function readAll(pair: EndpointPair, connection: Connection, id: number): number {
  const receiver = connection.streams.receiver(id);
  let total = 0;
  for (let piece = receiver?.read(pair.now); piece !== undefined; piece = receiver?.read(pair.now))
    total += piece.length;
  return total;
}

/** Puts `frames` in place of those of a 1-RTT packet of the side's first connection, sent now. */
export function sendForged(pair: EndpointPair, side: Side, frames: Uint8Array | readonly number[]): void {
  forgeOneRtt(side, Uint8Array.from(frames));
  assert.ok(side.connections[0]!.sendDatagram(new Uint8Array(1000)));
  pair.run(pair.delay + 1);
  assert.equal(side.forge, undefined, 'the packet was sent');
}

/** A frame as its writer makes it. */
export function frame(write: (bytes: Uint8Array) => number): Uint8Array {
  const bytes = new Uint8Array(200);
  return bytes.subarray(0, write(bytes));
}
