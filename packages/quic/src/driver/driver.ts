import type { Address } from '../base/address.ts';
import type { ReceiveBatch, TransmitBatch } from '../base/batch.ts';
import type { Random } from '../base/random.ts';
import { type Millis, NEVER } from '../base/time.ts';
import type { Connection } from '../connection/connection.ts';
import type { CryptoEngine } from '../crypto/engine.ts';
import { EndpointCounters } from '../endpoint/counters.ts';
import { type ClientConnectionOptions, Endpoint, type ServerConnectionOptions } from '../endpoint/endpoint.ts';
import type { EndpointLimits } from '../endpoint/limits.ts';
import type { Datapath } from './datapath.ts';
import type { Runtime, Timer } from './runtime.ts';
import { type Timed, TimerQueue } from './timer-queue.ts';

/** How many batches one connection may send before others, and input, get their turn. */
const BATCHES_PER_TURN = 4;
/** The least that a timer waits, in milliseconds. */
const GRANULARITY: Millis = 1;

export interface DriverParts {
  readonly datapath: Datapath;
  readonly runtime: Runtime;
  readonly random: Random;
  readonly engine: CryptoEngine;
  /** The MTU of the interface that leads to an address, where that is known. Default: unknown. */
  readonly interfaceMtu?: (remote: Address) => number | undefined;
  /** How much strangers may ask. Default: DEFAULT_LIMITS. */
  readonly limits?: EndpointLimits;
  /** Where to count. Default: counters of its own. */
  readonly counters?: EndpointCounters;
}

/** What the driver keeps of a connection. */
interface Entry extends Timed {
  readonly connection: Connection;
  /** Whether it waits in the list of connections to be looked after. */
  dirty: boolean;
}

/** Moves datagrams, deadlines and events between one datapath and the connections on it: one flush a turn, one timer. */
export class Driver {
  /** A client's first packet made a new connection. Set by the api. */
  onConnection: (connection: Connection) => void = () => {};
  /** The connection has events; the api drains `pollEvent`. */
  onEvents: (connection: Connection) => void = () => {};
  /** The socket failed for good. */
  onError: (error: Error) => void = () => {};
  /** What is sent to this address is refused, perhaps in the midst of sending. */
  onUnreachable: (to: Address, error: Error) => void = () => {};
  readonly #datapath: Datapath;
  readonly #runtime: Runtime;
  readonly #endpoint: Endpoint;
  readonly counters: EndpointCounters;
  readonly #batch: TransmitBatch;
  readonly #entries = new Map<Connection, Entry>();
  readonly #timers = new TimerQueue<Entry>();
  #dirty: Entry[] = [];
  #flushScheduled = false;
  #flushing = false;
  #timer: Timer | undefined;
  /** When #timer fires; NEVER without one. */
  #armedAt: Millis = NEVER;
  /** The kernel is full: nothing is sent until the datapath says so. */
  #blocked = false;
  #closed = false;

  constructor(parts: DriverParts) {
    const { datapath, runtime } = parts;
    this.#datapath = datapath;
    this.#runtime = runtime;
    this.#batch = datapath.createTransmitBatch();
    this.counters = parts.counters ?? new EndpointCounters();
    this.#endpoint = new Endpoint({
      random: parts.random,
      engine: parts.engine,
      local: datapath.local,
      ecnCapable: datapath.capabilities.ecn,
      maxDatagramSize: datapath.capabilities.maxDatagramSize,
      interfaceMtu: parts.interfaceMtu ?? (() => undefined),
      idleTime: runtime.idleTime?.bind(runtime),
      limits: parts.limits,
      counters: this.counters,
      onConnection: (connection) => {
        this.#track(connection);
        this.onConnection(connection);
      },
    });
    datapath.onReceive = (batch) => this.#onReceive(batch);
    datapath.onWritable = () => {
      this.#blocked = false;
      this.#flush();
    };
    datapath.onError = (error) => this.onError(error);
    datapath.onUnreachable = (to, error) => this.onUnreachable(to, error);
  }

  get local(): Address {
    return this.#datapath.local;
  }

  get datapath(): Datapath {
    return this.#datapath;
  }

  get connections(): Iterable<Connection> {
    return this.#entries.keys();
  }

  /** Starts a connection to `remote`. */
  connect(remote: Address, options: ClientConnectionOptions): Connection {
    const connection = this.#endpoint.connect(this.#runtime.now(), remote, options);
    this.#track(connection);
    this.wake(connection);
    return connection;
  }

  /** Accepts connections from now on; undefined stops it, and leaves the ones that are there. */
  listen(options: ServerConnectionOptions | undefined): void {
    this.#endpoint.listen(options);
  }

  /** To be called after every command on a connection: what it has to say is sent at the end of this turn. */
  wake(connection: Connection): void {
    const entry = this.#entries.get(connection);
    if (entry !== undefined) this.#mark(entry);
    this.#scheduleFlush();
  }

  /** Ends at once: what has been queued is sent as far as the kernel takes it, then the socket goes. */
  close(): Promise<void> {
    if (!this.#closed) {
      this.#flush();
      this.#closed = true;
      this.#timer?.cancel();
    }
    return this.#datapath.close();
  }

  #track(connection: Connection): void {
    this.#entries.set(connection, { connection, deadline: NEVER, place: -1, dirty: false });
  }

  #mark(entry: Entry): void {
    if (entry.dirty) return;
    entry.dirty = true;
    this.#dirty.push(entry);
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled || this.#flushing || this.#closed) return;
    this.#flushScheduled = true;
    this.#runtime.defer(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  #onReceive(batch: ReceiveBatch): void {
    this.#endpoint.handleDatagrams(this.#runtime.now(), batch, this.#touched);
    this.#flush();
  }

  readonly #touched = (connection: Connection): void => {
    const entry = this.#entries.get(connection);
    if (entry !== undefined) this.#mark(entry);
  };

  #onTimer(): void {
    this.#timer = undefined;
    this.#armedAt = NEVER;
    const now = this.#runtime.now();
    for (let entry = this.#timers.takeDue(now); entry !== undefined; entry = this.#timers.takeDue(now)) {
      entry.connection.handleTimeout(now);
      this.#mark(entry);
    }
    this.#flush();
  }

  /** Looks after every connection that something happened to. */
  #flush(): void {
    if (this.#flushing || this.#closed) return;
    this.#flushing = true;
    const turn = this.#dirty;
    this.#dirty = [];
    let attended = 0;
    try {
      this.#flushStateless();
      while (attended < turn.length) {
        const entry = turn[attended++]!;
        entry.dirty = false;
        this.#attend(entry);
      }
    } finally {
      // When a callback throws, the other connections must not be forgotten with it.
      while (attended < turn.length) this.#dirty.push(turn[attended++]!);
      this.#flushing = false;
      this.#arm();
      if (!this.#blocked && this.#dirty.length > 0) this.#scheduleFlush();
      else if (this.#dirty.length > 0) this.#pause();
    }
  }

  /** What still has to be looked after waits for the kernel. */
  #pause(): void {
    const now = this.#runtime.now();
    for (const { connection } of this.#dirty) connection.pauseTransmit(now, true);
  }

  #flushStateless(): void {
    while (!this.#blocked && this.#endpoint.pollStateless(this.#batch)) this.#send();
  }

  #attend(entry: Entry): void {
    const { connection } = entry;
    if (connection.hasEvents) this.onEvents(connection);
    // Read anew for each batch: sealing one takes long enough to show in round-trip times.
    let now = this.#runtime.now();
    let more = true;
    for (let i = 0; more && i < BATCHES_PER_TURN && !this.#blocked; i++, now = this.#runtime.now()) {
      more = connection.pollTransmit(now, this.#batch);
      if (more) this.#send();
    }
    if (more) connection.pauseTransmit(now, this.#blocked);
    if (connection.hasEvents) this.onEvents(connection);
    if (connection.state === 'closed') return this.#forget(entry);
    if (more) this.#mark(entry);
    // What is overdue right after a poll waits for something else (the kernel, the peer's address): look again shortly.
    const deadline = connection.pollTimeout();
    this.#timers.set(entry, deadline > now ? deadline : now + GRANULARITY);
  }

  #send(): void {
    this.counters.bytesSent += this.#batch.length;
    this.counters.packetsSent += this.#batch.count;
    if (!this.#datapath.send(this.#batch)) this.#blocked = true;
  }

  #forget(entry: Entry): void {
    this.#timers.remove(entry);
    this.#entries.delete(entry.connection);
    this.#endpoint.forget(entry.connection);
  }

  /** An armed timer that fires early costs less than re-arming at every change. */
  #arm(): void {
    const earliest = this.#timers.earliest;
    if (earliest >= this.#armedAt || this.#closed) return;
    this.#timer?.cancel();
    this.#armedAt = earliest;
    this.#timer = this.#runtime.setTimer(earliest, () => this.#onTimer());
  }
}
