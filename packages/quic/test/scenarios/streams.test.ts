import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QuicError, type QuicStream } from '../../src/api/index.ts';
import { contentOf, firstDifference, withPair } from '../../src/sim/pair.ts';
import { next, readAll, rejection } from '../support/session-waits.ts';

const PATH = { rate: 1250, delay: 15, queue: 25 };

async function textOf(stream: QuicStream): Promise<string> {
  return Buffer.from(await readAll(stream)).toString();
}

test('a request goes there and its answer comes back on one stream', async () => {
  await withPair({ seed: 1, path: PATH }, async ({ local, remote }) => {
    const stream = await local.createBidirectionalStream({ body: 'question' });
    const peer = await next(remote);
    assert.equal(peer.id, stream.id);
    assert.equal(peer.direction, 'bidi');
    assert.equal(await textOf(peer), 'question');
    await peer.setBody('answer');
    assert.equal(await textOf(stream), 'answer');
    await Promise.all([stream.closed, peer.closed]);
    assert.deepEqual([...local.streams, ...remote.streams], []);
  });
});

test('a body may be text, buffers, a Blob, iterables, a ReadableStream, nothing, or a promise', async () => {
  async function* later() {
    yield 'a';
    yield [new Uint8Array([98]), 'c'];
  }
  const bodies = [
    'abc',
    new Uint8Array([97, 98, 99]),
    new Uint8Array([97, 98, 99]).buffer,
    new DataView(new Uint8Array([97, 98, 99]).buffer),
    new Blob(['abc']),
    ['a', new Uint8Array([98, 99])],
    later(),
    new Blob(['abc']).stream(),
    Promise.resolve('abc'),
    null,
  ];
  await withPair({ seed: 2, path: PATH }, async ({ local, remote }) => {
    for (const body of bodies) {
      await local.createUnidirectionalStream({ body });
      assert.equal(await textOf(await next(remote)), body === null ? '' : 'abc');
    }
  });
});

test('a body that fails resets its stream', async () => {
  await withPair({ seed: 3, path: PATH }, async ({ local, remote }) => {
    let fail = () => {};
    async function* broken() {
      yield 'a';
      await new Promise<void>((resolve) => {
        fail = resolve;
      });
      throw new Error('the disk is gone');
    }
    const stream = await local.createUnidirectionalStream({ body: broken() });
    const peer = await next(remote);
    fail();
    await assert.rejects(stream.closed, /the disk is gone/);
    assert.equal((await rejection(peer.closed)).code, 'ERR_QUIC_STREAM_RESET');
  });
});

test('megabytes arrive whole and in order, and fill the path', async () => {
  await withPair({ seed: 4, path: PATH }, async ({ world, local, remote }) => {
    const size = 2_000_000;
    const started = world.now;
    const stream = await local.createUnidirectionalStream({ body: contentOf(1, 0, size) });
    const received = await readAll(await next(remote));
    assert.equal(received.length, size);
    assert.equal(firstDifference(1, 0, received), -1);
    await stream.closed;
    const ideal = size / PATH.rate;
    assert.ok(world.now - started < 1.35 * ideal, `${world.now - started} ms, ideally ${ideal}`);
    assert.equal(stream.stats.bytesSent, size);
    assert.equal(stream.stats.bytesAcked, size);
  });
});

test('a writer reports being full, its promise waits for room, and memory stays within the budget', async () => {
  await withPair({ seed: 5, path: PATH }, async ({ local, remote }) => {
    const stream = await local.createUnidirectionalStream({ budget: 10_000 });
    const writer = stream.writer;
    let taken = 0;
    while (writer.writeSync(contentOf(2, taken, 4_000))) taken += 4_000;
    assert.equal(taken, 12_000);
    assert.equal(writer.canWrite, false);
    assert.ok(writer.desiredSize! <= 0);
    let done = false;
    const waiting = writer.write(contentOf(2, taken, 4_000)).then(() => {
      done = true;
    });
    assert.equal(writer.writeSync(new Uint8Array(1)), false, 'a later write must not overtake one that waits');
    assert.equal(done, false);
    const ended = writer.end();
    await waiting;
    assert.equal(await ended, 16_000);
    const received = await readAll(await next(remote));
    assert.equal(firstDifference(2, 0, received), -1);
    assert.equal(received.length, 16_000);
    assert.equal(writer.desiredSize, null);
    await assert.rejects(writer.write('more'), { code: 'ERR_QUIC_STREAM_CLOSED' });
  });
});

test('a write that waits ends when its signal aborts, and none of it is sent', async () => {
  await withPair({ seed: 6, path: PATH }, async ({ local, remote }) => {
    const { writer } = await local.createUnidirectionalStream({ budget: 1_000 });
    assert.ok(writer.writeSync(new Uint8Array(5_000)));
    const stop = new AbortController();
    const given = writer.write(new Uint8Array(7), { signal: stop.signal });
    const kept = writer.write(new Uint8Array(11));
    stop.abort(new Error('no longer'));
    await assert.rejects(given, /no longer/);
    await kept;
    await writer.end();
    assert.equal((await readAll(await next(remote))).length, 5_011);
  });
});

test('what waits for room goes on when the budget grows', async () => {
  await withPair({ seed: 6, path: PATH }, async ({ local, remote }) => {
    const stream = await local.createUnidirectionalStream({ budget: 1_000 });
    assert.ok(stream.writer.writeSync(new Uint8Array(1_000)));
    assert.equal(stream.writer.writeSync(new Uint8Array(1)), false);
    const waiting = stream.writer.write(new Uint8Array(500));
    stream.budget = 2_000;
    assert.equal(stream.budget, 2_000);
    assert.equal(stream.writer.bytesWritten, 1_500);
    await waiting;
    assert.throws(() => {
      stream.budget = -1;
    }, /budget: -1/);
    await stream.writer.end();
    const peer = await next(remote);
    assert.equal(peer.budget, 0);
    assert.equal((await readAll(peer)).length, 1_500);
  });
});

test('a reset for a plain error has the code INTERNAL_ERROR, one without a reason 0', async () => {
  await withPair({ seed: 6, path: PATH }, async ({ local, remote }) => {
    for (const [reason, errorCode] of [
      [new Error('a defect'), 1n],
      [new QuicError('ERR_QUIC_STREAM_CLOSED', 'mine', { errorCode: 7 }), 7n],
      [undefined, 0n],
    ] as const) {
      const stream = await local.createUnidirectionalStream();
      await stream.writer.write('x');
      const peer = await next(remote);
      stream.writer.fail(reason);
      await assert.rejects(readAll(peer), { code: 'ERR_QUIC_STREAM_RESET', errorCode });
    }
  });
});

test('a reader that does not read holds the sender at the window, without loss of anything', async () => {
  const transportParams = { initialMaxStreamDataUni: 50_000, maxStreamWindow: 50_000 };
  await withPair({ seed: 7, path: { delay: 5 }, server: { transportParams } }, async ({ world, local, remote }) => {
    const stream = await local.createUnidirectionalStream({ body: contentOf(3, 0, 200_000) });
    const peer = await next(remote);
    await world.sleep(1000);
    assert.equal(stream.stats.bytesSent, 50_000);
    assert.equal(peer.readableBytes, 50_000);
    assert.ok(stream.stats.blockedByStreamMs >= 0);
    assert.equal(firstDifference(3, 0, await readAll(peer)), -1);
    await stream.closed;
    assert.ok(stream.stats.blockedByStreamMs > 900, `${stream.stats.blockedByStreamMs} ms blocked`);
  });
});

test('two thousand small streams pass through a limit of a hundred at once', async () => {
  await withPair({ seed: 8, path: PATH }, async ({ local, remote }) => {
    let answered = 0;
    remote.onstream = async (stream) => {
      const name = await textOf(stream);
      answered++;
      await stream.setBody(name);
    };
    const ask = async (i: number) => {
      const stream = await local.createBidirectionalStream({ body: `file ${i}` });
      assert.equal(await textOf(stream), `file ${i}`);
      await stream.closed;
    };
    await Promise.all(Array.from({ length: 2_000 }, (_, i) => ask(i)));
    assert.equal(answered, 2_000);
    assert.deepEqual([...local.streams], []);
  });
});

test('a stream beyond the limit waits, is refused when asked not to, and gives up with its signal', async () => {
  const transportParams = { initialMaxStreamsUni: 1 };
  await withPair({ seed: 9, path: PATH, server: { transportParams } }, async ({ local, remote }) => {
    const first = await local.createUnidirectionalStream();
    const refused = await rejection(local.createUnidirectionalStream({ waitUntilAvailable: false }));
    assert.equal(refused.code, 'ERR_QUIC_STREAM_LIMIT');
    const stop = new AbortController();
    const given = local.createUnidirectionalStream({ signal: stop.signal });
    stop.abort(new Error('no longer'));
    await assert.rejects(given, /no longer/);
    const second = local.createUnidirectionalStream({ body: 'two' });
    await first.setBody('one');
    assert.equal(await textOf(await next(remote)), 'one');
    await second;
    assert.equal(await textOf(await next(remote)), 'two');
  });
});

test('a reset reaches the reader with its code; stopSending reaches the writer', async () => {
  await withPair({ seed: 10, path: PATH }, async ({ local, remote }) => {
    const stream = await local.createBidirectionalStream();
    await stream.writer.write('partial');
    const peer = await next(remote);
    assert.ok(await peer.wait());
    stream.resetStream(7n);
    await assert.rejects(readAll(peer), { code: 'ERR_QUIC_STREAM_RESET', errorCode: 7n });
    stream.stopSending(9);
    const stopped = await rejection(peer.closed);
    assert.equal(stopped.code, 'ERR_QUIC_STREAM_RESET');
    await assert.rejects(peer.writer.write('x'), { code: 'ERR_QUIC_STREAM_STOPPED', errorCode: 9n });
    await stream.closed;
  });
});

test('a reader that leaves its loop stops the sender', async () => {
  await withPair({ seed: 11, path: PATH }, async ({ local, remote }) => {
    const stream = await local.createUnidirectionalStream({ body: new Uint8Array(1_000_000) });
    for await (const batch of await next(remote)) if (batch.length > 0) break;
    assert.equal((await rejection(stream.closed)).code, 'ERR_QUIC_STREAM_STOPPED');
  });
});

test('WHATWG streams pipe both ways', async () => {
  await withPair({ seed: 12, path: PATH }, async ({ local, remote }) => {
    const stream = await local.createBidirectionalStream();
    remote.onstream = (peer) => {
      void peer.readable!.pipeTo(peer.writable! as WritableStream<Uint8Array>);
    };
    const content = contentOf(4, 0, 300_000);
    const sent = new Blob([content as Uint8Array<ArrayBuffer>])
      .stream()
      .pipeTo(stream.writable! as WritableStream<Uint8Array>);
    const reader = stream.readable!.getReader({ mode: 'byob' });
    let at = 0;
    for (;;) {
      const { value, done } = await reader.read(new Uint8Array(10_000));
      if (value !== undefined) {
        assert.equal(firstDifference(4, at, value), -1);
        at += value.length;
      }
      if (done) break;
    }
    await sent;
    assert.equal(at, content.length);
    await stream.closed;
  });
});

test('cancelling a readable stops the peer; aborting a writable resets', async () => {
  await withPair({ seed: 13, path: PATH }, async ({ world, local, remote }) => {
    const stream = await local.createBidirectionalStream();
    const writer = stream.writable!.getWriter();
    await writer.write('x');
    const peer = await next(remote);
    await peer.readable!.cancel();
    await world.sleep(100);
    await assert.rejects(writer.write('y'), { code: 'ERR_QUIC_STREAM_STOPPED' });
    await peer.writable!.abort(new QuicError('ERR_QUIC_STREAM_CLOSED', 'never mind', { errorCode: 5 }));
    await assert.rejects(readAll(stream), { code: 'ERR_QUIC_STREAM_RESET', errorCode: 5n });
  });
});

test('high priority goes first, low last', async () => {
  await withPair({ seed: 14, path: { rate: 125, delay: 15 } }, async ({ local, remote }) => {
    const order: string[] = [];
    const all: Promise<void>[] = [];
    remote.onstream = (stream) => {
      all.push(textOf(stream).then((text) => void order.push(text[0]!)));
    };
    // Nothing leaves before all three have their bodies: they start in the same tick.
    await Promise.all([
      local.createUnidirectionalStream({ priority: 'low', body: 'l'.repeat(100_000) }),
      local.createUnidirectionalStream({ priority: 'default', body: 'd'.repeat(100_000) }),
      local.createUnidirectionalStream({ priority: 'high', body: 'h'.repeat(100_000) }),
    ]);
    while (all.length < 3) await Promise.race([...all, new Promise((resolve) => setImmediate(resolve))]);
    await Promise.all(all);
    assert.equal(order.join(''), 'hdl');
  });
});

test('streams of the same priority share a path evenly', async () => {
  await withPair({ seed: 15, path: PATH }, async ({ world, local, remote }) => {
    const ended: number[] = [];
    const reading: Promise<unknown>[] = [];
    remote.onstream = (stream) => {
      reading.push(readAll(stream).then(() => ended.push(world.now)));
    };
    const streams = await Promise.all(
      Array.from({ length: 8 }, (_, i) => local.createUnidirectionalStream({ body: contentOf(i, 0, 250_000) })),
    );
    await Promise.all(streams.map((stream) => stream.closed));
    await Promise.all(reading);
    assert.equal(ended.length, 8);
    assert.ok(ended[7]! - ended[0]! < 250, `the first ended ${ended[7]! - ended[0]!} ms before the last`);
  });
});

test('a stream that is reset in the packet that opens it is heard of, before and after somebody listens', async () => {
  await withPair({ seed: 21, path: PATH }, async ({ local, remote, world }) => {
    for (const create of ['createUnidirectionalStream', 'createBidirectionalStream'] as const) {
      (await local[create]()).resetStream(7);
      await world.sleep(100);
      const waiting = await next(remote);
      assert.equal((await rejection(waiting.wait())).errorCode, 7n);
      waiting.destroy();
      const arriving = next(remote);
      (await local[create]()).resetStream(8);
      const reset = await rejection((await arriving).wait());
      assert.deepEqual([reset.code, reset.errorCode], ['ERR_QUIC_STREAM_RESET', 8n]);
      (await arriving).destroy();
      remote.onstream = undefined;
    }
    await world.sleep(200);
    assert.deepEqual([...remote.streams], []);
  });
});

test('streams that nobody takes are no more than may be open at once, however many are opened and reset', async () => {
  const server = { transportParams: { initialMaxStreamsUni: 10, initialMaxStreamsBidi: 5 } };
  await withPair({ seed: 22, path: PATH, server }, async ({ local, remote, world }) => {
    const open = async (create: 'createUnidirectionalStream' | 'createBidirectionalStream') => {
      for (let count = 0; ; count++) {
        const stream = await local[create]({ waitUntilAvailable: false }).catch(() => undefined);
        if (stream === undefined) return count;
        stream.destroy(new QuicError('ERR_QUIC_STREAM_CLOSED', 'unwanted', { errorCode: 9 }));
        await world.sleep(100);
      }
    };
    assert.deepEqual([await open('createUnidirectionalStream'), await open('createBidirectionalStream')], [10, 5]);
    const heard: QuicStream[] = [];
    remote.onstream = (stream) => heard.push(stream);
    assert.equal(heard.length, 15);
    for (const stream of heard) stream.destroy();
    await world.sleep(200);
    assert.deepEqual([...remote.streams], []);
    await local.createUnidirectionalStream({ waitUntilAvailable: false });
  });
});
