import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QuicStream } from '../../src/api/index.ts';
import type { SimDatapath } from '../../src/sim/index.ts';
import { CLIENT_HOST, contentOf, firstDifference, SERVER_HOST, withPair, withServer } from '../../src/sim/pair.ts';
import { next, readAll, rejection } from '../support/session-waits.ts';

const PATH = { rate: 1250, delay: 15, queue: 25 };

test('close waits for open streams, takes no new ones, and tells the peer', async () => {
  await withPair({ seed: 1, path: PATH }, async ({ local, remote }) => {
    const stream = await local.createUnidirectionalStream({ body: contentOf(1, 0, 100_000) });
    const closed = local.close();
    assert.ok(local.closing);
    assert.equal((await rejection(local.createUnidirectionalStream())).code, 'ERR_QUIC_SESSION_CLOSED');
    const received = await readAll(await next(remote));
    assert.equal(received.length, 100_000);
    await stream.closed;
    await closed;
    await remote.closed;
    assert.ok(local.destroyed && remote.destroyed);
  });
});

test('what arrived whole can be read after the session has ended', async () => {
  await withPair({ seed: 2, path: PATH }, async ({ local, remote }) => {
    await local.createUnidirectionalStream({ body: contentOf(2, 0, 50_000) });
    const unfinished = await local.createUnidirectionalStream();
    await unfinished.writer.write('half');
    const streams: QuicStream[] = [];
    remote.onstream = (stream) => streams.push(stream);
    while (streams.length < 2 || streams[0]!.readableBytes < 50_000)
      await new Promise((resolve) => setImmediate(resolve));
    local.destroy();
    await remote.closed;
    assert.equal(firstDifference(2, 0, await readAll(streams[0]!)), -1);
    assert.equal((await rejection(readAll(streams[1]!))).code, 'ERR_QUIC_SESSION_CLOSED');
  });
});

test('an application error code and its reason reach the peer', async () => {
  await withPair({ seed: 3, path: PATH }, async ({ local, remote }) => {
    const stream = await local.createBidirectionalStream();
    await stream.writer.write('x');
    const peer = await next(remote);
    const own = rejection(local.close({ code: 42, reason: 'out of tea' }));
    stream.destroy();
    const error = await rejection(remote.closed);
    assert.equal(error.code, 'ERR_QUIC_APPLICATION_ERROR');
    assert.equal(error.type, 'application');
    assert.equal(error.errorCode, 42n);
    assert.equal(error.reason, 'out of tea');
    assert.equal((await own).errorCode, 42n);
    await rejection(peer.closed);
  });
});

test('destroy ends everything at once, with the given error', async () => {
  await withPair({ seed: 4, path: PATH }, async ({ local, remote }) => {
    const heard: unknown[] = [];
    local.onerror = (error) => heard.push(error);
    const stream = await local.createBidirectionalStream();
    const reading = assert.rejects(readAll(stream), /enough/);
    local.destroy(new Error('enough'));
    await assert.rejects(local.closed, /enough/);
    assert.equal(heard.length, 1);
    await reading;
    await remote.closed;
  });
});

test('a silent peer is given up at the idle timeout', async () => {
  const transportParams = { maxIdleTimeout: 5_000 };
  await withPair({ seed: 5, path: PATH, client: { transportParams } }, async ({ world, local, remote }) => {
    world.network.tap = () => 'drop';
    const waiting = local.createUnidirectionalStream().then((stream) => stream.wait());
    const started = world.now;
    assert.equal((await rejection(local.closed)).code, 'ERR_QUIC_IDLE_TIMEOUT');
    assert.ok(world.now - started < 6_000);
    await waiting;
    assert.equal((await rejection(remote.closed)).code, 'ERR_QUIC_IDLE_TIMEOUT');
  });
});

test('keep-alive outlives the idle timeout', async () => {
  const transportParams = { maxIdleTimeout: 5_000 };
  await withPair({ seed: 6, path: PATH, client: { transportParams, keepAlive: 2_000 } }, async ({ world, local }) => {
    await world.sleep(60_000);
    assert.equal(local.destroyed, false);
    await local.close();
  });
});

test('a transfer survives two seconds of darkness', async () => {
  await withPair(
    {
      seed: 7,
      path: {
        ...PATH,
        outages: [
          [2_000, 4_000],
          [9_000, 11_000],
        ],
      },
    },
    async ({ world, local, remote }) => {
      const stream = await local.createUnidirectionalStream({ body: contentOf(3, 0, 8_000_000) });
      const received = await readAll(await next(remote));
      assert.equal(firstDifference(3, 0, received), -1);
      await stream.closed;
      assert.ok(world.now < 20_000, `done at ${world.now} ms`);
    },
  );
});

test('a client behind a NAT that changes its mind goes on', async () => {
  await withServer({ seed: 8, path: PATH }, async ({ world, connect, accepted }) => {
    const host = world.host(CLIENT_HOST);
    let socket: SimDatapath | undefined;
    const watched = {
      ...host,
      bind: async (name: string, port: number) => (socket = (await host.bind(name, port)) as SimDatapath),
    };
    const local = await connect({ endpoint: { host: watched } });
    await world.sleep(50);
    const validated: string[] = [];
    accepted[0]!.onpathvalidation = (_result, _local, remote) => validated.push(`${remote.host}:${remote.port}`);
    const stream = await local.createUnidirectionalStream({ body: contentOf(4, 0, 1_000_000) });
    world.clock.book(world.now + 300, () => world.network.rebind(socket!, CLIENT_HOST, 61_000));
    const received = await readAll(await next(accepted[0]!));
    assert.equal(firstDifference(4, 0, received), -1);
    await stream.closed;
    assert.deepEqual(validated, [`${CLIENT_HOST}:61000`]);
    assert.equal(accepted[0]!.remoteAddress.port, 61_000);
  });
});

test('keys are updated while data flows, by either side', async () => {
  await withPair({ seed: 9, path: PATH }, async ({ world, local, remote }) => {
    const stream = await local.createUnidirectionalStream({ body: contentOf(5, 0, 3_000_000) });
    const reading = next(remote).then(readAll);
    await world.sleep(200);
    assert.equal(local.updateKey(), true);
    assert.equal(local.updateKey(), false, 'one at a time');
    // Old keys are kept for three probe timeouts, and no update may start before that.
    await world.sleep(1_000);
    assert.equal(remote.updateKey(), true);
    assert.equal(firstDifference(5, 0, await reading), -1);
    await stream.closed;
    assert.equal(local.stats.keyUpdates, 2);
    assert.equal(remote.stats.keyUpdates, 2);
  });
});

test('datagrams arrive as they were sent; too large ones are not', async () => {
  const client = { datagramSize: 1200 };
  const server = { transportParams: { maxDatagramFrameSize: 65_535 } };
  await withPair({ seed: 10, path: PATH, client, server }, async ({ world, local, remote }) => {
    const arrived: Uint8Array[] = [];
    assert.equal(await local.sendDatagram('early'), 1n);
    await world.sleep(100);
    remote.ondatagram = (bytes) => arrived.push(bytes);
    const largest = local.maxDatagramLength;
    assert.ok(largest > 1100 && largest < 1200);
    assert.equal(await local.sendDatagram(contentOf(6, 0, largest)), 2n);
    assert.equal(await local.sendDatagram(new Uint8Array(largest + 1)), 0n);
    await world.sleep(100);
    assert.deepEqual(
      arrived.map((bytes) => bytes.length),
      [5, largest],
    );
    assert.equal(firstDifference(6, 0, arrived[1]!), -1);
  });
});

test('a side that never asked for datagrams takes none', async () => {
  const heard: number[] = [];
  const client = { ondatagram: ({ length }: Uint8Array) => heard.push(length) };
  await withPair({ seed: 19, path: PATH, client }, async ({ world, local, remote }) => {
    assert.equal(local.maxDatagramLength, 0);
    assert.equal(await local.sendDatagram('nobody listens'), 0n);
    assert.equal(local.remoteTransportParams?.maxDatagramFrameSize, 0);
    assert.throws(() => {
      remote.ondatagram = () => {};
    }, /maxDatagramFrameSize/);
    remote.ondatagram = undefined;
    assert.equal(await remote.sendDatagram('somebody does'), 1n);
    await world.sleep(100);
    assert.deepEqual(heard, [13]);
  });
});

test('an endpoint resets a connection that it no longer knows, and the peer believes it', async () => {
  await withPair({ seed: 11, path: PATH }, async ({ world, local, remote }) => {
    await world.sleep(500);
    const stream = await local.createUnidirectionalStream();
    // The server ends the session, but nobody hears of it.
    world.network.tap = ({ from }) => (from.host === SERVER_HOST ? 'drop' : undefined);
    remote.destroy();
    await world.sleep(5_000);
    world.network.tap = undefined;
    await stream.writer.write(contentOf(1, 0, 1_000));
    assert.equal((await rejection(local.closed)).code, 'ERR_QUIC_STATELESS_RESET');
  });
});

test('closing an endpoint lets its sessions end, then frees its address', async () => {
  await withPair({ seed: 12, path: PATH }, async ({ local, remote, server, world }) => {
    await local.createUnidirectionalStream({ body: new Uint8Array(10_000) });
    const closed = server.close();
    assert.equal((await readAll(await next(remote))).length, 10_000);
    await local.close();
    await closed;
    assert.ok(server.destroyed);
    world.network.bind(SERVER_HOST, 4433);
  });
});

test('a callback that throws ends its session and no other', async () => {
  await withServer({ seed: 13, path: PATH }, async ({ connect, accepted, world }) => {
    const [bad, good] = [await connect(), await connect()];
    await world.sleep(50);
    accepted[0]!.onstream = () => {
      throw new Error('a defect in the application');
    };
    await bad!.createUnidirectionalStream({ body: 'x' });
    assert.equal((await rejection(bad!.closed)).errorName, 'INTERNAL_ERROR');
    await assert.rejects(accepted[0]!.closed, /a defect in the application/);
    const stream = await good!.createUnidirectionalStream({ body: 'y' });
    await stream.closed;
  });
});

test('many clients share one server and one socket of their own', async () => {
  await withServer({ seed: 14, path: PATH, server: { onstream: echo } }, async ({ connect, world }) => {
    const { QuicEndpoint } = await import('../../src/api/index.ts');
    const endpoint = new QuicEndpoint({ host: world.host(CLIENT_HOST) });
    const ask = async (i: number) => {
      const session = await connect({ endpoint });
      const stream = await session.createBidirectionalStream({ body: contentOf(i, 0, 5_000) });
      assert.equal(firstDifference(i, 0, await readAll(stream)), -1);
      await session.close();
    };
    await Promise.all(Array.from({ length: 20 }, (_, i) => ask(i)));
    assert.equal(endpoint.stats.clientSessions, 20);
    await endpoint.close();
  });
});

function echo(stream: QuicStream): void {
  void readAll(stream).then((bytes) => stream.setBody(bytes));
}

test('a qlog is a sequence of records that tells of every packet', async () => {
  const chunks: string[] = [];
  const client = { qlog: true, onqlog: (text: string) => chunks.push(text) };
  await withPair({ seed: 15, path: PATH, client }, async ({ local, world }) => {
    const stream = await local.createUnidirectionalStream({ body: contentOf(7, 0, 20_000) });
    await stream.closed;
    await local.close();
    await world.sleep(2_000);
    const { packetsSent } = local.stats;
    const records = chunks
      .join('')
      .split('\u001e')
      .slice(1)
      .map((text) => JSON.parse(text));
    assert.equal(records[0].file_schema, 'urn:ietf:params:qlog:file:sequential');
    assert.equal(records[0].trace.vantage_point.type, 'client');
    const events = records.slice(1);
    assert.equal(events[0].name, 'quic:connection_started');
    assert.equal(events.filter(({ name }) => name === 'quic:packet_sent').length, packetsSent);
    assert.ok(events.every(({ time }, i) => i === 0 || time >= events[i - 1].time));
    const last = events.findLast(({ name }) => name === 'quic:connection_closed');
    assert.equal(last.data.trigger, 'application');
    const frames = events.filter(({ name }) => name === 'quic:packet_sent').flatMap(({ data }) => data.frames);
    const sent = frames
      .filter(({ frame_type }) => frame_type === 'stream')
      .reduce((sum, { raw }) => sum + raw.length, 0);
    assert.equal(sent, 20_000);
  });
});

test('the same seed gives the same run', async () => {
  const once = () =>
    withPair(
      { seed: 16, path: { ...PATH, loss: 0.05, jitter: 5, reorder: 0.05, reorderDelay: 20 } },
      async ({ world, local, remote }) => {
        const stream = await local.createUnidirectionalStream({ body: contentOf(8, 0, 300_000) });
        await readAll(await next(remote));
        await stream.closed;
        return { now: world.now, ...local.stats, bytesReceived: 0 };
      },
    );
  assert.deepEqual(await once(), await once());
});
