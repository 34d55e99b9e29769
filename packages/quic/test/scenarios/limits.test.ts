import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { QuicSession, QuicStream, ReceiveLimit, SendLimit } from '../../src/api/index.ts';
import { RECEIVE_LIMITS, SEND_LIMITS } from '../../src/api/index.ts';
import type { World } from '../../src/sim/index.ts';
import { type PairSettings, withPair } from '../../src/sim/pair.ts';
import { next, readAll } from '../support/session-waits.ts';

/** 50 Mbit/s, 20 ms there and back, a queue of about the bandwidth-delay product. */
const PATH = { rate: 6250, delay: 10, queue: 100 };
const MICROSECOND = 1e-3;
/** Milliseconds after which the congestion window is larger than the flow-control windows of these tests. */
const SLOW_START = 500;

function sum(times: readonly number[]): number {
  return times.reduce((total, time) => total + time, 0);
}

/** What an interval's time went to, in shares. */
class Shares {
  readonly #session: QuicSession;
  readonly #sending: readonly number[];
  readonly #receiving: readonly number[];
  readonly #since: number;

  constructor(session: QuicSession) {
    this.#session = session;
    this.#since = session.now();
    this.#sending = session.stats.sendLimitMs;
    this.#receiving = session.stats.receiveLimitMs;
  }

  send(...limits: SendLimit[]): number {
    const { sendLimitMs } = this.#session.stats;
    return this.#share(
      limits.map((limit) => SEND_LIMITS.indexOf(limit)),
      this.#sending,
      sendLimitMs,
    );
  }

  receive(limit: ReceiveLimit): number {
    return this.#share([RECEIVE_LIMITS.indexOf(limit)], this.#receiving, this.#session.stats.receiveLimitMs);
  }

  #share(indexes: readonly number[], before: readonly number[], after: readonly number[]): number {
    return sum(indexes.map((i) => after[i]! - before[i]!)) / (this.#session.now() - this.#since);
  }
}

/** The times of all sessions and of these streams add up to the time that has passed. */
function assertComplete(sessions: readonly QuicSession[], world: World): void {
  for (const { stats } of sessions) {
    for (const times of [stats.sendLimitMs, stats.receiveLimitMs]) {
      assert.ok(Math.abs(sum(times) - (world.now - stats.startedAt)) < MICROSECOND, `${times} of ${world.now}`);
      assert.ok(times.every((time) => time >= 0));
    }
    // Turns take no virtual time, and none is left open.
    assert.equal(stats.sendLimitMs[SEND_LIMITS.indexOf('event_loop')], 0);
  }
}

function streamShare(stream: QuicStream, ...limits: SendLimit[]): number {
  const times = stream.stats.sendLimitMs;
  return sum(limits.map((limit) => times[SEND_LIMITS.indexOf(limit)]!)) / sum(times);
}

async function send(session: QuicSession, bytes: number): Promise<QuicStream> {
  return session.createUnidirectionalStream({ body: new Uint8Array(bytes) });
}

/** Reads everything that comes as soon as it comes. */
function drain(session: QuicSession): void {
  session.onstream = async (stream) => void (await readAll(stream));
}

test('a link of 50 Mbit/s: the congestion window and the pacer, on the connection and each stream', async () => {
  await withPair({ seed: 1, path: PATH }, async ({ world, local, remote }) => {
    drain(remote);
    const shares = new Shares(local);
    const arriving = new Shares(remote);
    assert.equal(local.stats.slowStartEndedAt, -1);
    const began = world.now;
    const streams = await Promise.all([1, 2, 3].map(() => send(local, 4_000_000)));
    await Promise.all(streams.map((stream) => stream.closed));
    const bound = shares.send('congestion_window', 'pacing');
    assert.ok(bound >= 0.95, `${bound}`);
    for (const stream of streams) {
      assert.ok(streamShare(stream, 'congestion_window', 'pacing') >= 0.9, `${stream.stats.sendLimitMs}`);
      const { sendLimitMs, lastAckedAt } = stream.stats;
      assert.ok(Math.abs(sum(sendLimitMs) - (lastAckedAt - began)) < MICROSECOND);
    }
    assert.ok(arriving.receive('network') > 0.9, 'who reads at once waits for the network');
    const { slowStartEndedAt } = local.stats;
    assert.ok(slowStartEndedAt > began && slowStartEndedAt < began + 1000, `${slowStartEndedAt - began}`);
    assertComplete([local, remote], world);
  });
});

/** A window that does not grow, on a path that would carry more. */
function windows(connection: number, stream: number): PairSettings {
  const transportParams = {
    initialMaxData: connection,
    maxConnectionWindow: connection,
    initialMaxStreamDataUni: stream,
    maxStreamWindow: stream,
  };
  return { seed: 2, path: { rate: 12_500, delay: 50 }, server: { transportParams } };
}

test("a tight connection's window: connection flow control, for the connection and its streams", async () => {
  await withPair(windows(100_000, 1 << 20), async ({ world, local, remote }) => {
    drain(remote);
    const [one, two] = await Promise.all([send(local, 2_000_000), send(local, 2_000_000)]);
    await world.sleep(SLOW_START);
    const shares = new Shares(local);
    await Promise.all([one.closed, two.closed]);
    assert.ok(shares.send('connection_flow_control') > 0.95, `${shares.send('connection_flow_control')}`);
    assert.equal(shares.send('stream_flow_control'), 0);
    for (const stream of [one, two]) assert.ok(streamShare(stream, 'connection_flow_control') > 0.75);
    assertComplete([local, remote], world);
  });
});

test("a tight stream's window: stream flow control, also for the connection when nothing else is there to be sent", async () => {
  await withPair(windows(10 << 20, 100_000), async ({ world, local, remote }) => {
    drain(remote);
    const stream = await send(local, 4_000_000);
    const idle = await local.createUnidirectionalStream();
    await world.sleep(SLOW_START);
    const shares = new Shares(local);
    await stream.closed;
    assert.ok(shares.send('stream_flow_control') > 0.95, `${shares.send('stream_flow_control')}`);
    assert.equal(shares.send('connection_flow_control'), 0);
    assert.ok(streamShare(stream, 'stream_flow_control') > 0.75);
    assert.equal(streamShare(idle, 'application'), 1);
    assertComplete([local, remote], world);
  });
});

test('an application that sleeps 60% of the time', async () => {
  await withPair({ seed: 3, path: PATH }, async ({ world, local, remote }) => {
    drain(remote);
    const stream = await local.createUnidirectionalStream();
    const piece = new Uint8Array(2_000_000);
    // The window has grown when the measurement begins.
    await stream.writer.write(piece);
    while (stream.stats.bytesAcked < piece.length) await world.sleep(1);
    const shares = new Shares(local);
    for (let i = 1; i <= 5; i++) {
      const began = world.now;
      await stream.writer.write(piece);
      // Until the last byte has left: what is on its way while the application sleeps is the application's time.
      while (stream.stats.bytesSent < (i + 1) * piece.length) await world.sleep(0.1);
      await world.sleep(1.5 * (world.now - began));
    }
    const asleep = shares.send('application');
    assert.ok(Math.abs(asleep - 0.6) < 0.02, `${asleep}`);
    assert.ok(shares.send('congestion_window', 'pacing') > 0.38);
    assert.ok(streamShare(stream, 'application') > 0.5);
    assertComplete([local, remote], world);
  });
});

test('streams that wait for MAX_STREAMS; a wait that is given up counts no more', async () => {
  const settings = { seed: 4, path: { delay: 20 }, server: { transportParams: { initialMaxStreamsUni: 1 } } };
  await withPair(settings, async ({ world, local, remote }) => {
    drain(remote);
    const shares = new Shares(local);
    for (let i = 0; i < 10; i++) await send(local, 1000);
    assert.ok(shares.send('stream_limit') > 0.9, `${shares.send('stream_limit')}`);
    await world.sleep(1000);
    const held = await local.createUnidirectionalStream();
    await world.sleep(100);
    const waiting = new Shares(local);
    const abort = new AbortController();
    const refused = assert.rejects(local.createUnidirectionalStream({ signal: abort.signal }));
    await world.sleep(100);
    assert.equal(waiting.send('stream_limit'), 1);
    abort.abort();
    await refused;
    await world.sleep(100);
    assert.equal(waiting.send('stream_limit'), 0.5);
    assert.equal(waiting.send('application'), 0.5);
    held.resetStream();
    assertComplete([local, remote], world);
  });
});

test('what is all sent and not yet acknowledged is in delivery, then nothing is there to be sent', async () => {
  await withPair({ seed: 5, path: { delay: 50 } }, async ({ world, local, remote }) => {
    drain(remote);
    await world.sleep(500);
    const shares = new Shares(local);
    const stream = await send(local, 1000);
    await stream.closed;
    assert.ok(shares.send('delivery') > 0.999, `${shares.send('delivery')}`);
    await world.sleep(1000);
    assert.ok(shares.send('application') > 0.85);
    assert.ok(streamShare(stream, 'delivery') > 0.999, 'the clock of a stream that is over stands still');
    const { handshakeCompletedAt, startedAt, sendLimitMs } = local.stats;
    assert.ok(Math.abs(sendLimitMs[0]! - (handshakeCompletedAt - startedAt)) < MICROSECOND);
    assertComplete([local, remote], world);
  });
});

test('a receiver behind gaps waits for reassembly, one that does not read for the application', async () => {
  await withPair({ seed: 6, path: PATH, up: { loss: 0.02 } }, async ({ world, local, remote }) => {
    const shares = new Shares(remote);
    const [stream, peer] = await Promise.all([send(local, 3_000_000), next(remote)]);
    await readAll(peer);
    await stream.closed;
    assert.ok(shares.receive('reassembly') > 0.15, `${shares.receive('reassembly')}`);
    assert.ok(Math.abs(sum(RECEIVE_LIMITS.map((limit) => shares.receive(limit))) - 1) < 1e-6);
    assert.ok(shares.receive('reassembly') <= peer.stats.reassemblyMs / 100, 'no more than the stream had gaps');
    assert.equal(shares.receive('application'), 0);
    const unread = new Shares(remote);
    const [, ignored] = await Promise.all([send(local, 1_000_000), next(remote)]);
    await world.sleep(2000);
    assert.ok(unread.receive('application') > 0.98, `${unread.receive('application')}`);
    ignored.stopSending(0);
    await world.sleep(1000);
    assert.ok(unread.receive('network') > 0.3, 'what nobody will read waits for nobody');
    assertComplete([local, remote], world);
  });
});

test('time stands still when the connection is over', async () => {
  await withPair({ seed: 7, path: PATH }, async ({ world, local }) => {
    const stream = await local.createUnidirectionalStream();
    await world.sleep(100);
    const { startedAt } = local.stats;
    local.destroy();
    const ended = world.now;
    await world.sleep(5000);
    for (const times of [local.stats.sendLimitMs, local.stats.receiveLimitMs])
      assert.ok(Math.abs(sum(times) - (ended - startedAt)) < MICROSECOND);
    assert.ok(Math.abs(sum(stream.stats.sendLimitMs) - 100) < MICROSECOND);
  });
});

/** Something random on a stream: what is written, and the pauses between. */
const STREAM = fc.record({
  pieces: fc.array(fc.record({ bytes: fc.integer({ min: 0, max: 60_000 }), pause: fc.integer({ min: 0, max: 40 }) }), {
    minLength: 1,
    maxLength: 5,
  }),
  ends: fc.constantFrom('finish', 'reset', 'open'),
  reads: fc.constantFrom('at once', 'late', 'never'),
});

const SCENARIO = fc.record({
  seed: fc.integer({ min: 1, max: 1e6 }),
  rate: fc.constantFrom(200, 2000, Number.POSITIVE_INFINITY),
  delay: fc.double({ min: 0, max: 80, noNaN: true }),
  jitter: fc.constantFrom(0, 3),
  loss: fc.constantFrom(0, 0.03),
  queue: fc.constantFrom(5, 100),
  connectionWindow: fc.constantFrom(20_000, 1 << 20),
  streamWindow: fc.constantFrom(5000, 1 << 20),
  maxStreams: fc.constantFrom(1, 2, 100),
  streams: fc.array(STREAM, { minLength: 1, maxLength: 6 }),
});

type Scenario = typeof SCENARIO extends fc.Arbitrary<infer T> ? T : never;

/** Runs a random scenario; checks at random times that everything adds up. */
async function checkSums({
  streams,
  maxStreams,
  connectionWindow,
  streamWindow,
  seed,
  ...path
}: Scenario): Promise<void> {
  const transportParams = {
    initialMaxData: connectionWindow,
    initialMaxStreamDataUni: streamWindow,
    initialMaxStreamsUni: maxStreams,
  };
  await withPair({ seed, path, server: { transportParams } }, async ({ world, local, remote }) => {
    const opened = new Map<QuicStream, number>();
    let accepted = 0;
    remote.onstream = async (stream) => {
      const { reads } = streams[accepted++ % streams.length]!;
      if (reads === 'never') return;
      if (reads === 'late') await world.sleep(100);
      await readAll(stream).catch(() => undefined);
    };
    const work = streams.map(async ({ pieces, ends }) => {
      const stream = await local.createUnidirectionalStream();
      opened.set(stream, world.now);
      for (const { bytes, pause } of pieces) {
        await stream.writer.write(new Uint8Array(bytes));
        await world.sleep(pause);
      }
      if (ends === 'finish') await stream.writer.end();
      else if (ends === 'reset') stream.resetStream(1);
    });
    const done = Promise.allSettled(work);
    for (let i = 0; i < 8; i++) {
      await Promise.race([done, world.sleep(37.3)]);
      assertComplete([local, remote], world);
      for (const [stream, since] of opened) {
        const { sendLimitMs, lastAckedAt } = stream.stats;
        const total = sum(sendLimitMs);
        const isOver = ![...local.streams].includes(stream);
        const until = isOver ? Math.max(lastAckedAt, since) : world.now;
        if (isOver) assert.ok(total >= until - since - MICROSECOND && total <= world.now - since + MICROSECOND);
        else assert.ok(Math.abs(total - (until - since)) < MICROSECOND, `${sendLimitMs}: ${until - since} ms`);
      }
      await world.sleep(11.7);
    }
  });
}

test('whatever happens, the times of connections and streams add up', async () => {
  await fc.assert(fc.asyncProperty(SCENARIO, checkSums), { seed: 50_017, numRuns: 40 });
});
