import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { connect, listen, QuicEndpoint, QuicError, type QuicStream } from '../../src/api/index.ts';
import { SERVER_CERT, SERVER_KEY, SERVER_PIN } from '../../src/sim/identity.ts';
import { World } from '../../src/sim/index.ts';
import { CLIENT_HOST, SERVER_HOST, SERVER_PORT, withPair, withServer } from '../../src/sim/pair.ts';
import { next, readAll, rejection } from '../support/session-waits.ts';

const PATH = { rate: 1250, delay: 15, queue: 25 };
const SERVER = `${SERVER_HOST}:${SERVER_PORT}`;

test('an endpoint that ends while a connect binds it ends the connect', async () => {
  for (const end of ['close', 'destroy'] as const) {
    for (const verifyPeer of ['strict', { pin: SERVER_PIN }] as const) {
      await withServer({ seed: 1, path: PATH }, async ({ world }) => {
        const endpoint = new QuicEndpoint({ host: world.host(CLIENT_HOST) });
        const attempt = connect(SERVER, { alpn: 'test', verifyPeer, endpoint });
        attempt.catch(() => {});
        await Promise.resolve();
        await Promise.resolve();
        await Promise.resolve();
        endpoint[end]();
        assert.equal((await rejection(attempt)).code, 'ERR_QUIC_ENDPOINT_CLOSED', `${end}`);
        await endpoint.closed;
      });
    }
  }
});

test('a listen on an endpoint that ends meanwhile says so', async () => {
  const world = new World({ seed: 1 });
  await world.run(async () => {
    const endpoint = new QuicEndpoint({ host: world.host(SERVER_HOST) });
    const listening = listen(() => {}, { alpn: 'test', identity: { cert: SERVER_CERT, key: SERVER_KEY }, endpoint });
    void endpoint.close();
    assert.equal((await rejection(listening)).code, 'ERR_QUIC_ENDPOINT_CLOSED');
    await endpoint.closed;
  });
});

test('an attempt ends when its signal aborts while the name is resolved', async () => {
  await withServer({ seed: 2, path: PATH }, async ({ world, connect: start }) => {
    const host = { ...world.host(CLIENT_HOST), resolve: () => new Promise<never>(() => {}) };
    const abort = new AbortController();
    const attempt = start({ endpoint: { host }, signal: abort.signal });
    abort.abort(new Error('enough'));
    await assert.rejects(attempt, /enough/);
  });
});

test('an onsession that rejects ends its session and no other', async () => {
  const world = new World({ seed: 3 });
  await world.run(async () => {
    const endpoint = await listen(
      async () => {
        throw new Error('no');
      },
      {
        alpn: 'test',
        identity: { cert: SERVER_CERT, key: SERVER_KEY },
        endpoint: { address: SERVER, host: world.host(SERVER_HOST) },
      },
    );
    const session = await connect(SERVER, {
      alpn: 'test',
      verifyPeer: { pin: SERVER_PIN },
      endpoint: { host: world.host(CLIENT_HOST) },
    });
    assert.equal((await rejection(session.closed)).errorName, 'INTERNAL_ERROR');
    await endpoint.close();
  });
});

test('an error callback that throws keeps nobody from hearing of the end', async () => {
  await withPair({ seed: 4, path: PATH }, async ({ local }) => {
    const first = await local.createBidirectionalStream();
    const second = await local.createBidirectionalStream();
    first.onerror = () => {
      throw new Error('mine');
    };
    local.destroy(new Error('enough'));
    await assert.rejects(second.closed, /enough/);
    await assert.rejects(local.closed, /enough/);
  });
});

test('a wait whose signal has aborted before does nothing', async () => {
  await withPair({ seed: 5, path: PATH }, async ({ local, remote }) => {
    const signal = AbortSignal.abort(new Error('too late'));
    const stream = await local.createBidirectionalStream();
    const writer = stream.writer;
    await assert.rejects(writer.write('x', { signal }), /too late/);
    await assert.rejects(writer.ready({ signal }), /too late/);
    await assert.rejects(writer.end({ signal }), /too late/);
    assert.equal(writer.bytesWritten, 0);
    await writer.write('y');
    const peer = await next(remote);
    await peer.wait();
    await assert.rejects(peer.wait(signal), /too late/);
    assert.equal(Buffer.from(peer.readSync()!).toString(), 'y');
    stream.destroy();
    peer.destroy();
  });
});

test('an endpoint that is closed has let go of its signal', async () => {
  const { signal } = new AbortController();
  await withServer({ seed: 10, path: PATH, server: { signal } }, async ({ server }) => {
    assert.equal(getEventListeners(signal, 'abort').length, 1);
    await server.close();
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });
});

test('an error code that cannot be sent is refused, and nothing ends', async () => {
  await withPair({ seed: 9, path: PATH }, async ({ local, remote }) => {
    const stream = await local.createBidirectionalStream();
    await stream.writer.write('x');
    const peer = await next(remote);
    const refusal = { code: 'ERR_QUIC_INVALID_ARGUMENT' };
    for (const code of [-1, 1.5, Number.NaN, 2 ** 53, 2n ** 62n]) {
      assert.throws(() => stream.resetStream(code), refusal);
      assert.throws(() => stream.stopSending(code), refusal);
      assert.throws(() => local.close({ code }), refusal);
      assert.throws(() => local.destroy(undefined, { code }), refusal);
    }
    assert.ok(!local.closing && !local.destroyed);
    stream.resetStream(Number.MAX_SAFE_INTEGER);
    assert.equal((await rejection(peer.closed)).errorCode, BigInt(Number.MAX_SAFE_INTEGER));
    // An error to pass on may have any.
    stream.destroy(new QuicError('ERR_QUIC_STREAM_STOPPED', 'by a third party', { errorCode: 2n ** 62n - 1n }));
  });
});

test('a port of 0 is none to connect to', async () => {
  await withServer({ seed: 6, path: PATH }, async ({ world }) => {
    const endpoint = { host: world.host(CLIENT_HOST) };
    const attempt = connect(`${SERVER_HOST}:0`, { alpn: 'test', verifyPeer: { pin: SERVER_PIN }, endpoint });
    assert.equal((await rejection(attempt)).code, 'ERR_QUIC_INVALID_ARGUMENT');
  });
});

test('a listen that fails can be tried again', async () => {
  await withServer({ seed: 7, path: PATH }, async ({ world, server }) => {
    const endpoint = new QuicEndpoint({ address: SERVER, host: world.host(SERVER_HOST) });
    const options = { alpn: 'test', identity: { cert: SERVER_CERT, key: SERVER_KEY }, endpoint };
    assert.equal((await rejection(listen(() => {}, options))).code, 'ERR_QUIC_SOCKET');
    assert.equal(endpoint.listening, false);
    await server.close();
    await listen(() => {}, options);
    await endpoint.close();
  });
});

test('an address beside an endpoint is refused', async () => {
  const world = new World({ seed: 8 });
  await world.run(async () => {
    const endpoint = new QuicEndpoint({ host: world.host(SERVER_HOST) });
    const listening = listen(() => {}, {
      alpn: 'test',
      identity: { cert: SERVER_CERT, key: SERVER_KEY },
      endpoint,
      address: SERVER,
    });
    assert.equal((await rejection(listening)).code, 'ERR_QUIC_INVALID_ARGUMENT');
    await endpoint.close();
  });
});

test('every wait on a stream or for one ends when what it waits on does', async () => {
  const server = { transportParams: { initialMaxStreamsUni: 1 } };
  for (const end of ['close', 'destroy'] as const) {
    await withPair({ seed: 11, path: PATH, server }, async ({ world, local, remote }) => {
      const stream = await local.createUnidirectionalStream();
      await stream.writer.write('x');
      const waiting = local.createUnidirectionalStream();
      await next(remote);
      const { now } = world;
      void local[end]()?.catch(() => {});
      assert.equal((await rejection(waiting)).code, 'ERR_QUIC_SESSION_CLOSED');
      assert.equal(world.now, now, 'at once');
      local.destroy();
    });
  }
  await withPair({ seed: 12, path: PATH }, async ({ world, local }) => {
    const stream = await local.createBidirectionalStream();
    const reading = stream.wait();
    const { now } = world;
    stream.stopSending();
    assert.equal((await rejection(reading)).code, 'ERR_QUIC_STREAM_CLOSED');
    assert.equal(world.now, now, 'at once');
    local.destroy();
  });
});

test('the memory of a chunk is its owner’s again when a WHATWG writer has taken it', async () => {
  await withPair({ seed: 13, path: PATH }, async ({ local, remote }) => {
    const stream = await local.createUnidirectionalStream();
    const writer = stream.writable!.getWriter();
    const chunk = new Uint8Array(1000);
    for (let i = 0; i < 50; i++) await writer.write(chunk.fill(i));
    await writer.close();
    const received = await readAll(await next(remote));
    assert.ok(received.every((byte, at) => byte === Math.floor(at / 1000)));
  });
});

test('of datagrams that nobody listens to yet, the last 64 KiB wait', async () => {
  const server = { transportParams: { maxDatagramFrameSize: 65_535 } };
  await withPair({ seed: 14, path: { delay: 1 }, server }, async ({ world, local, remote }) => {
    for (let i = 0; i < 100; i++) {
      assert.notEqual(await local.sendDatagram(new Uint8Array(768).fill(i)), 0n);
      await world.sleep(5);
    }
    const heard: number[] = [];
    remote.ondatagram = ([number]) => heard.push(number!);
    assert.deepEqual(
      heard,
      Array.from({ length: 64 }, (_, i) => 36 + i),
    );
  });
});

test('an endpoint that is closing takes nobody in', async () => {
  await withServer({ seed: 15, path: PATH }, async ({ connect: start, server }) => {
    const open = await start();
    const closed = server.close();
    await rejection(start({ handshakeTimeout: 500 }));
    assert.equal(server.stats.serverSessions, 1);
    await open.close();
    await closed;
  });
});

test('the socket of an attempt that failed is free again', async () => {
  await withServer({ seed: 16, path: PATH }, async ({ world, connect: start }) => {
    const own = { host: world.host(CLIENT_HOST), address: `${CLIENT_HOST}:5000` };
    await rejection(start({ endpoint: own, verifyPeer: { pin: new Uint8Array(32) } }));
    await world.sleep(5_000);
    await (await start({ endpoint: own })).close();
  });
});

test('a peer that never reads cannot keep a session or an endpoint from closing when the signal says so', async () => {
  await withPair({ seed: 41, path: PATH }, async ({ world, local, remote, server, connect: start }) => {
    const stream = await local.createUnidirectionalStream({ body: new Uint8Array(5_000_000) });
    const stop = new AbortController();
    const closed = local.close({ signal: stop.signal, code: 7 });
    await world.sleep(20_000);
    assert.equal(local.destroyed, false);
    stop.abort();
    assert.equal((await rejection(closed)).errorCode, 7n);
    assert.equal((await rejection(stream.closed)).errorCode, 7n);
    assert.equal((await rejection(remote.closed)).errorCode, 7n);
    const idle = await start();
    await world.sleep(100);
    const closing = server.close();
    await world.sleep(10_000);
    assert.equal(server.destroyed, false);
    assert.equal(server.close({ signal: AbortSignal.abort() }), closing);
    await closing;
    await idle.closed;
  });
});

test('a session that ends when it hears of a stream hears of no other', async () => {
  await withPair({ seed: 42, path: PATH }, async ({ world, local, remote }) => {
    const heard: QuicStream[] = [];
    remote.onstream = (stream) => {
      heard.push(stream);
      remote.destroy();
    };
    // Both in one packet.
    for (const body of ['a', 'b']) await local.createUnidirectionalStream({ body });
    await world.sleep(1000);
    assert.equal(heard.length, 1);
    await Promise.allSettled(heard.map(({ closed }) => closed));
    assert.deepEqual([...remote.streams], []);
  });
});
