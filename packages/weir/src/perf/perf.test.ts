import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QuicError, type QuicSession, type QuicStream } from 'weir-quic';
import { type PairSettings, withPair } from 'weir-quic/sim';
import { collectGarbage } from 'weir-testing';
import { parsePath } from '../relay/path-spec.ts';
import { Capacity } from './capacity.ts';
import { type LivePerf, type PerfPlan, runPerf } from './client.ts';
import { encodeRequest, PERF_ALPN, PerfError, RequestReader } from './protocol.ts';
import { servePerf } from './server.ts';
import {
  CLIENT_PATIENCE,
  clientTransport,
  MAX_UNIDIRECTIONAL,
  SERVER_CAPACITY,
  SERVER_PATIENCE,
  serverTransport,
} from './settings.ts';

/** A simulated client and server, connected with the perf protocol's settings over a path as `weir relay` takes it. */
function perfPair(path: string, settings: Partial<PairSettings> = {}): PairSettings {
  const { up, down } = parsePath(path);
  return {
    seed: 5,
    up,
    down,
    ...settings,
    client: { alpn: PERF_ALPN, transportParams: clientTransport(), ...settings.client },
    server: { alpn: PERF_ALPN, transportParams: serverTransport(), ...settings.server },
  };
}

const plan = (direction: 'up' | 'down', streams: number, bytes: number): PerfPlan => ({
  direction,
  streams,
  amount: { bytes },
});

for (const direction of ['up', 'down'] as const) {
  test(`${direction}: every byte is counted once, in equal shares, and the rate is the path's`, async () => {
    await withPair(perfPair('delay=10ms,rate=50mbit,queue=100'), async ({ local, remote }) => {
      const tally = servePerf(remote);
      const bytes = 4_000_003;
      const report = await runPerf(local, plan(direction, 4, bytes));
      assert.equal(report.bytes, bytes);
      assert.deepEqual(
        report.streams.map((stream) => stream.bytes),
        [1_000_001, 1_000_001, 1_000_001, 1_000_000],
      );
      const mbits = (report.bytes * 8) / report.wallMs / 1000;
      // Headers of IP, UDP and QUIC take a little of the 50, slow start and the last round trip the rest.
      assert.ok(mbits > 42 && mbits < 49, `${mbits} Mbit/s`);
      assert.ok(report.connection.rttMinMs >= 20 && report.connection.rttMinMs < 24, `${report.connection.rttMinMs}`);
      const total = Object.values(report.connection.limitsMs).reduce((sum, ms) => sum + ms, 0);
      assert.ok(Math.abs(total - report.wallMs) < 1, `${total} of ${report.wallMs} ms are explained`);
      local.destroy();
      await remote.closed;
      assert.equal(direction === 'up' ? tally.bytesReceived : tally.bytesSent, bytes);
      assert.equal(direction === 'up' ? tally.bytesSent : tally.bytesReceived, 0);
      assert.equal(tally.requests, 4);
    });
  });

  test(`${direction}: a duration ends it, on all streams`, async () => {
    await withPair(perfPair('delay=5ms,rate=20mbit,queue=50'), async ({ local, remote }) => {
      servePerf(remote);
      let live: LivePerf | undefined;
      const onStart = (started: LivePerf) => {
        live = started;
      };
      const amount = { durationMs: 2000 };
      const report = await runPerf(local, { direction, streams: 3, amount }, { onStart });
      // Going up, what is buffered when the time is over still arrives.
      assert.ok(report.wallMs > 1999.9 && report.wallMs < (direction === 'up' ? 2700 : 2001), `${report.wallMs} ms`);
      const mbits = (report.bytes * 8) / report.wallMs / 1000;
      assert.ok(mbits > 16 && mbits < 20, `${mbits} Mbit/s`);
      assert.deepEqual(
        live!.bytesByStream,
        report.streams.map(({ bytes }) => bytes),
      );
      // The session is as good as new.
      assert.equal((await runPerf(local, plan(direction, 2, 1000))).bytes, 1000);
    });
  });
}

test('losses do not change what is counted', async () => {
  await withPair(perfPair('delay=3ms,rate=50mbit,loss=2%'), async ({ local, remote }) => {
    servePerf(remote);
    const report = await runPerf(local, plan('up', 3, 2_000_000));
    assert.equal(report.bytes, 2_000_000);
    assert.ok(report.connection.packetsLost > 0);
    assert.ok(report.streams.some(({ retransmittedBytes }) => retransmittedBytes > 0));
  });
});

test('nothing at all is a request too', async () => {
  await withPair(perfPair('delay=1ms'), async ({ local, remote }) => {
    servePerf(remote);
    const report = await runPerf(local, plan('down', 2, 0));
    assert.equal(report.bytes, 0);
    assert.ok(report.wallMs >= 2);
  });
});

test('a server that allows few streams serves them one after the other, but not for a duration', async () => {
  const server = { transportParams: { ...serverTransport(), initialMaxStreamsBidi: 2 } };
  await withPair(perfPair('delay=1ms,rate=20mbit', { server }), async ({ local, remote }) => {
    servePerf(remote);
    const report = await runPerf(local, plan('down', 5, 50_000));
    assert.equal(report.bytes, 50_000);
    assert.ok(report.streams[4]!.openedAtMs > 0);
    await assert.rejects(
      runPerf(local, { direction: 'down', streams: 5, amount: { durationMs: 50 } }),
      (error) => error instanceof PerfError && error.code === 'stream_limit' && /use --streams 2/.test(error.message),
    );
  });
});

test('it can be given up', async () => {
  await withPair(perfPair('delay=5ms,rate=1mbit'), async ({ local, remote, world }) => {
    servePerf(remote);
    const controller = new AbortController();
    const run = runPerf(local, plan('down', 2, 1e9), { signal: controller.signal });
    const reason = new Error('enough');
    const ended = assert.rejects(run, reason);
    await world.sleep(300);
    controller.abort(reason);
    await ended;
  });
});

/** A server that does with each stream what the test says. */
function serveWith(
  remote: QuicSession,
  answer: (stream: QuicStream, wanted: number) => Promise<void>,
): Promise<void>[] {
  const answers: Promise<void>[] = [];
  remote.onstream = (stream) => {
    stream.closed.catch(() => undefined);
    answers.push(
      (async () => {
        const request = new RequestReader();
        while (request.wanted === undefined && (await stream.wait())) {
          for (let piece = stream.readSync(); piece !== undefined; piece = stream.readSync()) request.take(piece);
        }
        await answer(stream, request.wanted!);
      })(),
    );
  };
  return answers;
}

async function drain(stream: QuicStream): Promise<void> {
  for await (const _ of stream);
}

test('a server that answers before the FIN is as good', async () => {
  await withPair(perfPair('delay=5ms,rate=50mbit'), async ({ local, remote }) => {
    const answers = serveWith(remote, async (stream, wanted) => {
      await stream.writer!.write(new Uint8Array(wanted));
      await stream.writer!.end();
      await drain(stream);
    });
    assert.equal((await runPerf(local, plan('down', 2, 500_000))).bytes, 500_000);
    const up = await runPerf(local, plan('up', 2, 2_000_000));
    assert.equal(up.bytes, 2_000_000);
    assert.ok(up.wallMs > 320, `${up.wallMs} ms: until all has arrived, not until the early FIN`);
    await Promise.all(answers);
  });
});

test('a request without end asks for 2^64 - 1 bytes and is stopped with code 0', async () => {
  await withPair(perfPair('delay=5ms,rate=20mbit'), async ({ local, remote }) => {
    const headers: number[][] = [];
    const codes: bigint[] = [];
    remote.onstream = async (stream) => {
      stream.closed.catch(() => undefined);
      const pieces: number[] = [];
      for await (const batch of stream) for (const piece of batch) pieces.push(...piece);
      headers.push(pieces);
      try {
        for (;;) await stream.writer!.write(new Uint8Array(10_000));
      } catch (error) {
        assert.ok(error instanceof QuicError && error.code === 'ERR_QUIC_STREAM_STOPPED');
        codes.push(error.errorCode);
      }
    };
    await runPerf(local, { direction: 'down', streams: 2, amount: { durationMs: 500 } });
    local.destroy();
    await remote.closed;
    assert.deepEqual(headers, [new Array(8).fill(255), new Array(8).fill(255)]);
    assert.deepEqual(codes, [0n, 0n]);
  });
});

const broken: Record<string, [answer: (stream: QuicStream, wanted: number) => Promise<void>, expected: RegExp]> = {
  'sends too much': [
    async (stream, wanted) => {
      await stream.writer!.write(new Uint8Array(wanted + 1));
      await stream.writer!.end();
    },
    /more than the 1000 bytes/,
  ],
  'sends too little': [
    async (stream, wanted) => {
      await stream.writer!.write(new Uint8Array(wanted - 1));
      await stream.writer!.end();
    },
    /after 999 bytes, asked for were 1000/,
  ],
  'resets the stream': [async (stream) => stream.resetStream(7), /reset stream \d+ with code 7/],
  'closes the connection': [
    async (stream) => stream.session.destroy(undefined, { code: 3, reason: 'no' }),
    /application error 3: no/,
  ],
};
for (const [what, [answer, expected]] of Object.entries(broken)) {
  test(`a server that ${what} makes an error`, async () => {
    await withPair(perfPair('delay=2ms'), async ({ local, remote }) => {
      serveWith(remote, answer);
      await assert.rejects(runPerf(local, plan('down', 3, 3000)), expected);
    });
  });
}

test('a server that stops an upload makes an error', async () => {
  await withPair(perfPair('delay=2ms,rate=10mbit'), async ({ local, remote }) => {
    serveWith(remote, async (stream) => stream.stopSending(9));
    await assert.rejects(runPerf(local, plan('up', 1, 5_000_000)), /stopped reading stream \d+ with code 9/);
  });
});

/** What one hand-written request gets back. */
async function ask(local: QuicSession, ...pieces: Uint8Array[]): Promise<number> {
  const stream = await local.createBidirectionalStream();
  for (const piece of pieces) await stream.writer!.write(piece);
  await stream.writer!.end();
  let bytes = 0;
  for await (const batch of stream) for (const piece of batch) bytes += piece.length;
  return bytes;
}

test('a short request is answered with nothing, and harms nobody', async () => {
  await withPair(perfPair('delay=1ms'), async ({ local, remote }) => {
    const tally = servePerf(remote);
    assert.equal(await ask(local), 0);
    assert.equal(await ask(local, new Uint8Array(7).fill(255)), 0);
    assert.equal(await ask(local, encodeRequest(10n), new Uint8Array(5)), 10);
    assert.deepEqual(tally, { requests: 1, bytesReceived: 5, bytesSent: 10 });
    assert.equal(remote.destroyed, false);
  });
});

test('the answer waits for the FIN', async () => {
  await withPair(perfPair('delay=1ms'), async ({ local, remote, world }) => {
    servePerf(remote);
    const stream = await local.createBidirectionalStream();
    await stream.writer!.write(encodeRequest(10n));
    await world.sleep(1000);
    assert.equal(stream.readableBytes, 0);
    await stream.writer!.end();
    assert.ok(await stream.wait());
  });
});

test('requests that break off and answers that are stopped leave nothing behind', async () => {
  await withPair(perfPair('delay=1ms,rate=10mbit'), async ({ local, remote, world }) => {
    servePerf(remote);
    const cut = await local.createBidirectionalStream();
    cut.closed.catch(() => undefined);
    await cut.writer!.write(encodeRequest(2n ** 64n - 1n));
    await world.sleep(20);
    cut.destroy();
    const stopped = await local.createBidirectionalStream();
    stopped.closed.catch(() => undefined);
    await stopped.writer!.write(encodeRequest(2n ** 64n - 1n));
    await stopped.writer!.end();
    assert.ok(await stopped.wait());
    stopped.stopSending(0);
    assert.equal(await ask(local, encodeRequest(100n)), 100);
    await world.sleep(100);
    assert.deepEqual([...remote.streams], []);
  });
});

test('a unidirectional request is answered on a new unidirectional stream', async () => {
  const client = { transportParams: { ...clientTransport(), initialMaxStreamsUni: 1 } };
  await withPair(perfPair('delay=1ms', { client }), async ({ local, remote }) => {
    servePerf(remote);
    const answered = new Promise<QuicStream>((resolve) => {
      local.onstream = resolve;
    });
    const request = await local.createUnidirectionalStream();
    await request.writer!.write(encodeRequest(5000n));
    await request.writer!.end();
    const answer = await answered;
    assert.equal(answer.direction, 'uni');
    let bytes = 0;
    for await (const batch of answer) for (const piece of batch) bytes += piece.length;
    assert.equal(bytes, 5000);
  });
});

/** What a client that allows no unidirectional streams can open at a time, and how often it does. */
const ROUNDS = 10;

test('requests that are opened and reset while they wait leave nothing behind', async () => {
  await withPair(perfPair('delay=1ms'), async ({ local, remote, world }) => {
    const tally = servePerf(remote);
    // These get their turn, and wait for a stream that this client never allows.
    for (let i = 0; i < MAX_UNIDIRECTIONAL; i++) {
      const request = await local.createUnidirectionalStream();
      await request.writer!.write(encodeRequest(1n));
      await request.writer!.end();
    }
    await world.sleep(20);
    const gone: WeakRef<QuicStream>[] = [];
    const { onstream } = remote;
    remote.onstream = (stream) => {
      gone.push(new WeakRef(stream));
      onstream!(stream);
    };
    for (let round = 0; round < ROUNDS; round++) {
      for (let i = 0; i < MAX_UNIDIRECTIONAL; i++) {
        const request = await local.createUnidirectionalStream();
        request.closed.catch(() => undefined);
        await request.writer!.write(new Uint8Array(1));
        await world.sleep(0.1);
        request.destroy();
      }
      await world.sleep(10);
    }
    assert.ok(gone.length >= (ROUNDS * MAX_UNIDIRECTIONAL) / 2, `${gone.length} streams were seen`);
    assert.deepEqual([...remote.streams], []);
    await collectGarbage();
    const kept = gone.filter((stream) => stream.deref() !== undefined).length;
    assert.ok(kept <= MAX_UNIDIRECTIONAL, `${kept} of ${gone.length} streams are kept`);
    assert.equal(await ask(local, encodeRequest(3n)), 3, 'others are served as ever');
    assert.equal(tally.requests, 1);
  });
});

test('a server that says nothing is given up, whatever it does not do', async () => {
  const silent: Record<string, (stream: QuicStream) => unknown> = {
    'reads nothing': () => undefined,
    'reads, and does not answer': drain,
    'begins an answer': (stream) => stream.writer!.write(new Uint8Array(10)),
  };
  const options = { client: { keepAlive: 1000 }, server: { transportParams: serverTransport(1 << 20) } };
  for (const [what, onstream] of Object.entries(silent)) {
    await withPair(perfPair('delay=1ms', options), async ({ local, remote, world }) => {
      remote.onstream = (stream) => {
        stream.closed.catch(() => undefined);
        void onstream(stream);
      };
      // Bytes that nobody asked for are another matter.
      for (const direction of what === 'begins an answer' ? (['down'] as const) : (['down', 'up'] as const)) {
        const began = world.now;
        const error = await runPerf(local, plan(direction, 2, 4_000_000)).catch((failure) => failure);
        assert.ok(error instanceof PerfError && error.code === 'stalled', `${what}, ${direction}: ${error}`);
        assert.ok(world.now - began < 2.1 * CLIENT_PATIENCE, `${world.now - began}`);
      }
    });
  }
});

test('a server that allows no streams is given up', async () => {
  const server = { transportParams: { ...serverTransport(), initialMaxStreamsBidi: 0 } };
  await withPair(perfPair('delay=1ms', { client: { keepAlive: 1000 }, server }), async ({ local }) => {
    await assert.rejects(runPerf(local, plan('down', 1, 1)), { code: 'stalled' });
  });
});

test('a client that is there and does nothing is sent away, one that is slow is not', async () => {
  await withPair(perfPair('delay=1ms', { client: { keepAlive: 1000 } }), async ({ local, remote, world }) => {
    servePerf(remote);
    const began = world.now;
    await local.closed;
    assert.ok(world.now - began < 2.1 * SERVER_PATIENCE);
    assert.ok(remote.destroyed);
  });
  // The answer's first 256 KiB take longer than anybody's patience.
  await withPair(perfPair('delay=20ms,rate=40kbit,queue=50'), async ({ local, remote }) => {
    servePerf(remote);
    assert.equal((await runPerf(local, plan('down', 1, 700_000))).bytes, 700_000);
  });
});

test('requests whose answers cannot be sent do not pile up', async () => {
  await withPair(perfPair('delay=1ms'), async ({ local, remote, world }) => {
    // This client lets the server open no stream at all.
    servePerf(remote);
    let opened = 0;
    try {
      for (; opened < 1000; opened++) {
        const request = await local.createUnidirectionalStream({ waitUntilAvailable: false });
        request.closed.catch(() => undefined);
        await request.writer!.write(encodeRequest(1n));
        await request.writer!.end();
        await world.sleep(5);
      }
    } catch (error) {
      assert.ok(error instanceof QuicError && error.code === 'ERR_QUIC_STREAM_LIMIT', `${error}`);
    }
    assert.ok(opened >= 100 && opened <= 300, `${opened} requests were taken`);
    assert.equal(await ask(local, encodeRequest(3n)), 3, 'others are served as ever');
  });
});

test('a client with more answers under way than a server has room for is sent away', async () => {
  const client = { transportParams: { ...clientTransport(), initialMaxStreamDataBidiLocal: 0 } };
  await withPair(perfPair('delay=5ms', { client }), async ({ world, local, remote }) => {
    const tally = servePerf(remote, new Capacity({ ...SERVER_CAPACITY, streams: 10 }));
    local.closed.catch(() => undefined);
    const ask = async () => {
      const stream = await local.createBidirectionalStream();
      stream.closed.catch(() => undefined);
      await stream.writer!.write(encodeRequest(1000n));
    };
    for (let i = 0; i < 10; i++) await ask();
    await world.sleep(100);
    assert.equal(remote.destroyed, false);
    await ask();
    await world.sleep(100);
    assert.equal(remote.destroyed, true);
    assert.equal(tally.requests, 0);
    assert.equal(local.destroyed, true);
  });
});

test("a client's window is what its share of the server allows", async () => {
  await withPair(perfPair('delay=50ms,rate=1gbit,queue=10000'), async ({ local, remote }) => {
    servePerf(remote, new Capacity({ ...SERVER_CAPACITY, windowBytes: 4 << 20 }));
    const report = await runPerf(local, plan('up', 1, 40_000_000));
    const mbits = (report.bytes * 8) / report.wallMs / 1000;
    // 2 MiB a round trip of 100 ms are 168 Mbit/s; the path has 1,000.
    assert.ok(mbits > 100 && mbits < 169, `${mbits} Mbit/s`);
  });
});
