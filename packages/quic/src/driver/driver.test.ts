import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLIENT_ADDRESS, DEFAULTS, IDENTITY, SERVER_ADDRESS } from '../../test/support/endpoint-pair.ts';
import type { Address } from '../base/address.ts';
import { heapArena } from '../base/arena.ts';
import { ReceiveBatch, TransmitBatch } from '../base/batch.ts';
import { SeededRandom } from '../base/random.ts';
import type { Millis } from '../base/time.ts';
import type { Connection } from '../connection/connection.ts';
import { nodeCryptoEngine } from '../crypto/node-engine.ts';
import { SendLimitIndex } from '../stream/limit-clock.ts';
import { createClientSession } from '../tls/tls13/client.ts';
import { createServerSession } from '../tls/tls13/server.ts';
import type { Datapath } from './datapath.ts';
import { Driver } from './driver.ts';
import type { Runtime } from './runtime.ts';

/** A clock and an event loop that move when told to. */
class ManualRuntime implements Runtime {
  time: Millis = 0;
  /** How much of it nothing ran. */
  idle: Millis = 0;
  readonly timers = new Set<{ at: Millis; callback: () => void }>();
  deferred: (() => void)[] = [];

  now(): Millis {
    return this.time;
  }

  idleTime(): Millis {
    return this.idle;
  }

  setTimer(at: Millis, callback: () => void): { cancel(): void } {
    const timer = { at, callback };
    this.timers.add(timer);
    return { cancel: () => void this.timers.delete(timer) };
  }

  defer(callback: () => void): void {
    this.deferred.push(callback);
  }

  /** Runs what is due until there is nothing more to do at this time. */
  turn(): void {
    for (;;) {
      const [callback] = this.deferred.splice(0, 1);
      const timer = [...this.timers].find(({ at }) => at <= this.time);
      if (callback === undefined && timer === undefined) return;
      if (callback !== undefined) callback();
      else {
        this.timers.delete(timer!);
        timer!.callback();
      }
    }
  }

  advance(by: Millis): void {
    const end = this.time + by;
    for (;;) {
      this.turn();
      const next = Math.min(...[...this.timers].map(({ at }) => at));
      if (!(next <= end)) break;
      this.#wait(next);
    }
    this.#wait(end);
    this.turn();
  }

  /** Something else keeps the process busy; timers fire late. */
  work(by: Millis): void {
    this.time += by;
  }

  #wait(until: Millis): void {
    if (until <= this.time) return;
    this.idle += until - this.time;
    this.time = until;
  }
}

/** Hands everything to the other one after a millisecond, unless its kernel is full. */
class MemoryDatapath implements Datapath {
  readonly name = 'memory';
  readonly capabilities = { segmentation: true, ecn: false, maxDatagramSize: 65_507 };
  readonly local: Address;
  readonly #runtime: ManualRuntime;
  other!: MemoryDatapath;
  /** How many batches are taken before the kernel is full. */
  room = Number.POSITIVE_INFINITY;
  batches = 0;
  onReceive: Datapath['onReceive'] = () => {};
  onWritable: Datapath['onWritable'] = () => {};
  onError: Datapath['onError'] = () => {};
  onUnreachable: Datapath['onUnreachable'] = () => {};

  constructor(local: Address, runtime: ManualRuntime) {
    this.local = local;
    this.#runtime = runtime;
  }

  createTransmitBatch(): TransmitBatch {
    return new TransmitBatch(heapArena(1 << 16));
  }

  address(): Address {
    return this.other.local;
  }

  send(batch: TransmitBatch): boolean {
    assert.ok(this.room > 0, 'nothing is sent while the kernel is full');
    this.batches++;
    this.room--;
    const received = new ReceiveBatch(heapArena(batch.length), batch.count);
    received.arena.bytes.set(batch.arena.bytes.subarray(0, batch.length));
    for (let at = 0; at < batch.length; at += batch.segmentSize) {
      const i = received.count++;
      received.start[i] = at;
      received.length[i] = Math.min(batch.segmentSize, batch.length - at);
      received.source[i] = this.local;
    }
    this.#runtime.setTimer(this.#runtime.time + 1, () => this.other.onReceive(received));
    return this.room > 0;
  }

  heedIcmp(): void {}
  async close(): Promise<void> {}
  ref(): void {}
  unref(): void {}
}

function make() {
  const runtime = new ManualRuntime();
  const random = new SeededRandom(5);
  const datapaths = [CLIENT_ADDRESS, SERVER_ADDRESS].map((address) => new MemoryDatapath(address, runtime));
  const [near, far] = datapaths as [MemoryDatapath, MemoryDatapath];
  near.other = far;
  far.other = near;
  const [client, server] = [near, far].map(
    (datapath) => new Driver({ datapath, runtime, random, engine: nodeCryptoEngine }),
  ) as [Driver, Driver];
  const accepted: Connection[] = [];
  server.onConnection = (connection) => accepted.push(connection);
  for (const driver of [client, server]) {
    driver.onEvents = (connection) => {
      for (let event = connection.pollEvent(); event !== undefined; event = connection.pollEvent()) {
        if (event.type === 'verify') connection.verdict(runtime.time, { ok: true });
      }
    };
  }
  server.listen({
    ...DEFAULTS,
    retry: 'never',
    createTls: (transportParameters) =>
      createServerSession({ random, alpn: ['t'], identity: IDENTITY, transportParameters }),
  });
  const connect = () =>
    client.connect(SERVER_ADDRESS, {
      ...DEFAULTS,
      createTls: (transportParameters) =>
        createClientSession({ random, alpn: ['t'], serverName: undefined, transportParameters }),
    });
  return { runtime, near, far, client, server, accepted, connect };
}

function send(runtime: ManualRuntime, driver: Driver, connection: Connection, size: number): number {
  const id = connection.streams.open(false);
  connection.streams.sender(id)!.write(runtime.time, new Uint8Array(size));
  driver.wake(connection);
  return id;
}

test('what is sent and received is counted, answers without a connection included', () => {
  const { runtime, near, client, connect } = make();
  connect();
  runtime.advance(1000);
  const before = { ...client.counters };
  assert.ok(before.packetsSent >= near.batches && before.bytesSent >= 2400, `${before.packetsSent} packets`);
  assert.ok(before.packetsReceived > 1 && before.bytesReceived >= 1200);
  const stray = new ReceiveBatch(heapArena(100), 1);
  stray.arena.bytes.fill(0x41);
  stray.count = 1;
  stray.length[0] = 100;
  stray.source[0] = SERVER_ADDRESS;
  near.onReceive(stray);
  assert.equal(client.counters.statelessResetCount, 1);
  assert.equal(client.counters.packetsSent, before.packetsSent + 1);
  assert.equal(client.counters.bytesReceived, before.bytesReceived + 100);
});

test('connects, transfers and forgets, with one timer for all connections', () => {
  const { runtime, client, server, accepted, connect } = make();
  const connections = [connect(), connect(), connect()];
  runtime.advance(100);
  assert.deepEqual(
    connections.map(({ state }) => state),
    ['established', 'established', 'established'],
  );
  const ids = connections.map((connection) => send(runtime, client, connection, 100_000));
  runtime.advance(1000);
  for (const [i, connection] of accepted.entries())
    assert.equal(connection.streams.receiver(ids[i]!)!.readable, 100_000);
  assert.ok(runtime.timers.size <= 2, 'one for each driver');
  for (const connection of connections) {
    connection.close(runtime.time, true, 0, '');
    client.wake(connection);
  }
  runtime.advance(1000);
  assert.deepEqual([[...client.connections].length, [...server.connections].length], [0, 0]);
  assert.equal(runtime.timers.size, 0);
});

test('a full kernel stops everything until it is writable', () => {
  const { runtime, near, client, accepted, connect } = make();
  const connection = connect();
  runtime.advance(100);
  near.room = 1;
  const id = send(runtime, client, connection, 200_000);
  runtime.advance(100);
  const received = accepted[0]!.streams.receiver(id)!.readable;
  assert.ok(received > 0 && received < 200_000);
  while (near.batches < 1000 && accepted[0]!.streams.receiver(id)!.readable < 200_000) {
    near.room = 1;
    near.onWritable();
    runtime.advance(1);
  }
  assert.equal(accepted[0]!.streams.receiver(id)!.readable, 200_000);
});

test('a callback that throws does not take the other connections along', () => {
  const { runtime, client, connect } = make();
  const connections = [connect(), connect()];
  runtime.advance(100);
  const drain = client.onEvents;
  let thrown = 0;
  client.onEvents = (connection) => {
    drain(connection);
    if (thrown++ === 0) throw new Error('the application');
  };
  for (const connection of connections) {
    connection.close(runtime.time, true, 0, '');
    client.wake(connection);
  }
  assert.throws(() => runtime.turn(), /the application/);
  runtime.advance(2000);
  assert.equal(connections[1]!.state, 'closed');
  assert.equal([...client.connections].includes(connections[1]!), false);
});

test('after close nothing is sent any more', async () => {
  const { runtime, near, client, connect } = make();
  const connection = connect();
  runtime.advance(100);
  connection.close(runtime.time, true, 0, '');
  const before = near.batches;
  client.wake(connection);
  await client.close();
  assert.equal(near.batches, before + 1, 'the last word is said');
  client.wake(connection);
  runtime.advance(1000);
  assert.equal(near.batches, before + 1);
});

/** What of the next steps' time went to which limit. */
function spent(runtime: ManualRuntime, connection: Connection, steps: () => void): (limit: number) => Millis {
  const before = connection.stats(runtime.time).sendLimitMs;
  const began = runtime.time;
  steps();
  const times = connection.stats(runtime.time).sendLimitMs.map((time, i) => time - before[i]!);
  const total = times.reduce((sum, time) => sum + time, 0);
  assert.ok(Math.abs(total - (runtime.time - began)) < 1e-9, 'all of the time is accounted for');
  return (limit) => Math.round(times[limit]! * 1000) / 1000;
}

test('what the process does between turns is its own time, waiting is that of the limit that holds', () => {
  const { runtime, client, connect } = make();
  const connection = connect();
  runtime.advance(1000);
  const quiet = spent(runtime, connection, () => {
    runtime.advance(50);
    runtime.work(30);
    runtime.advance(20);
  });
  assert.equal(quiet(SendLimitIndex.APPLICATION), 70);
  assert.equal(quiet(SendLimitIndex.EVENT_LOOP), 30);
  const id = send(runtime, client, connection, 100);
  runtime.advance(5);
  const stream = connection.streams.sender(id)!;
  stream.settle(runtime.time);
  const before = stream.stats.sendLimitMs;
  runtime.advance(7);
  runtime.work(8);
  stream.settle(runtime.time);
  const times = stream.stats.sendLimitMs.map((time, i) => time - before[i]!);
  assert.deepEqual([times[SendLimitIndex.APPLICATION], times[SendLimitIndex.EVENT_LOOP]], [7, 8]);
});

test('while the kernel is full, what could be sent waits for it, and what could not does not', () => {
  const { runtime, near, client, connect } = make();
  const [connection, idle] = [connect(), connect()];
  runtime.advance(1000);
  near.room = 1;
  const full = spent(runtime, connection, () => {
    // Less than the window, so that nothing else is in the way.
    send(runtime, client, connection, 10_000);
    runtime.advance(100);
    send(runtime, client, connection, 1000);
    runtime.advance(100);
  });
  assert.ok(full(SendLimitIndex.KERNEL) >= 99, `${full(SendLimitIndex.KERNEL)}`);
  const other = spent(runtime, idle, () => runtime.advance(100));
  assert.equal(other(SendLimitIndex.KERNEL), 0);
  assert.equal(other(SendLimitIndex.APPLICATION), 100);
  near.room = Number.POSITIVE_INFINITY;
  near.onWritable();
  const after = spent(runtime, connection, () => runtime.advance(100));
  assert.equal(after(SendLimitIndex.KERNEL), 0);
});
