import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { QuicError, SEND_LIMITS } from 'weir-quic';
import { CLIENT_HOST, SERVER_HOST } from 'weir-quic/sim';
import { GAUGE_TOKEN, type GaugePairSettings, withGauge, withGaugeSessions } from '../../test/support/gauge-pair.ts';
import { Places, PREAMBLE_BYTES, STALL_TIME, TransferError } from '../peer/index.ts';
import type { SideReading } from '../transfer/index.ts';
import { openGauge } from './client.ts';
import type { GaugeReport } from './iterations.ts';
import type { LiveGauge } from './live.ts';
import { MAX_SAMPLES } from './sampler.ts';
import type { Series } from './series.ts';
import { serveGauge } from './server.ts';
import { shareOf } from './settings.ts';

/** 50 Mbit/s, 20 ms there and back. */
const PATH: GaugePairSettings['path'] = { rate: 6250, delay: 10, queue: 100 };

const isError =
  (code: string, detail?: string) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof TransferError, String(error));
    assert.equal(error.code, code, error.message);
    if (detail !== undefined) assert.equal(error.detail, detail);
    assert.ok(!error.message.includes('\n'));
    return true;
  };

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

function assertSide({ settings, iteration }: GaugeReport, reading: SideReading): void {
  assert.equal(reading.iteration, iteration);
  assert.deepEqual(
    reading.streams.map(({ index, bytes, streamBytes }) => ({ index, bytes, streamBytes })),
    Array.from({ length: settings.streams }, (_, i) => ({
      index: i + 1,
      bytes: shareOf(settings, i + 1),
      streamBytes: shareOf(settings, i + 1) + PREAMBLE_BYTES,
    })),
  );
  // Little may come at one instant.
  assert.ok(reading.wallMs > 0 || settings.bytes < 100_000);
}

function assertSeries(series: Series, report: GaugeReport, wallMs: number): void {
  const { length } = series.atMs;
  assert.ok(length > 2 && length <= MAX_SAMPLES);
  assert.equal(series.atMs[0], 0);
  assert.ok(series.atMs.every((at, i) => i === 0 || at >= series.atMs[i - 1]!));
  assert.ok(Math.abs(series.atMs.at(-1)! - wallMs) < 30, `${series.atMs.at(-1)} of ${wallMs}`);
  assert.equal(series.streamBytes.length, report.settings.streams);
  series.streamBytes.forEach((column, i) => {
    assert.equal(column.length, length);
    assert.equal(column[0], 0);
    assert.equal(column.at(-1), shareOf(report.settings, i + 1));
    assert.ok(column.every((bytes, at) => at === 0 || bytes >= column[at - 1]!));
  });
  for (const column of [series.congestionWindowBytes, series.bytesInFlight, series.rttMs, series.packetsLost])
    assert.equal(column.length, length);
  for (const column of series.limitMs) assert.equal(column.length, length);
}

test('iterations both ways on one connection: each side reads what was agreed on, over time too', async () => {
  await withGauge({ seed: 1, path: PATH }, async ({ gauge, served, local }) => {
    const runs = [
      { direction: 'up', streams: 3, bytes: 1_000_000 },
      { direction: 'down', streams: 1, bytes: 700_001 },
      { direction: 'down', streams: 16, bytes: 2_000_003 },
      { direction: 'up', streams: 7, bytes: 5 },
    ] as const;
    let startedAt = -1;
    for (const [i, run] of runs.entries()) {
      const report = await gauge.run({ ...run, cc: 'reno' });
      assert.equal(report.iteration, i + 1);
      assert.deepEqual(report.settings, { ...run, cc: 'reno' });
      for (const side of [report.sender, report.receiver]) assertSide(report, side);
      assert.ok(report.sender.startedAtMs > startedAt || i === 0);
      startedAt = report.sender.startedAtMs + report.sender.wallMs;
      if (run.bytes > 100_000) {
        assertSeries(report.senderSeries!, report, report.sender.wallMs);
        assertSeries(report.receiverSeries!, report, report.receiver.wallMs);
        assert.equal(report.senderSeries!.limitMs.length, SEND_LIMITS.length);
        assert.ok(Math.abs(sum(report.sender.connection.sendLimitMs!) - report.sender.wallMs) < 0.01);
      }
    }
    await gauge.close();
    await served;
    await local.closed;
    assert.ok(local.destroyed);
    await gauge.close();
  });
});

test('without sampling no series is made or sent', async () => {
  await withGauge({ seed: 2, path: PATH }, async ({ gauge }) => {
    const report = await gauge.run({ direction: 'up', streams: 2, bytes: 50_000, cc: null, sampling: false });
    assert.ok(!('senderSeries' in report) && !('receiverSeries' in report));
  });
});

test('the congestion controller is the one asked for, on the side that sends, with its initial window', async () => {
  await withGauge({ seed: 3, path: { delay: 10 } }, async ({ gauge, local, remote }) => {
    const name = () => [local.stats.congestionController, remote.stats.congestionController];
    assert.deepEqual(name(), ['cubic', 'cubic']);
    const windows: number[] = [];
    const onLive = (live: LiveGauge) => windows.push(live.sample().congestionWindowBytes);
    const first = await gauge.run({ direction: 'down', streams: 1, bytes: 1_000_000, cc: 'reno' });
    assert.deepEqual(name(), ['cubic', 'reno']);
    for (const cc of ['reno', null]) await gauge.run({ direction: 'up', streams: 1, bytes: 1_000_000, cc }, { onLive });
    assert.deepEqual(name(), ['reno', 'reno']);
    const { congestionWindowBytes } = first.senderSeries!;
    assert.ok(congestionWindowBytes[0]! < 20_000 && congestionWindowBytes.at(-1)! > 200_000);
    assert.ok(windows[0]! < 20_000, 'a named one starts anew');
    assert.ok(windows[1]! > 200_000, 'null goes on with what there is');
  });
});

test('the client decides how large the datagrams are that come to it', async () => {
  const params = { maxUdpPayloadSize: 1300, initialMaxStreamsUni: 8 };
  await withGauge({ seed: 4, path: PATH, client: { transportParams: params } }, async ({ gauge, remote, world }) => {
    let largest = 0;
    world.network.tap = ({ from, bytes }) => {
      if (from.host === SERVER_HOST) largest = Math.max(largest, bytes.length);
      return undefined;
    };
    await gauge.run({ direction: 'down', streams: 2, bytes: 1_000_000, cc: null });
    assert.equal(largest, 1300);
    assert.equal(remote.stats.maxDatagramSize, 1300);
  });
});

test('a window that is fixed on either side limits what comes to it', async () => {
  const window = 16 << 10;
  for (const [direction, windows] of [
    ['up', { serverWindow: window }],
    ['down', { clientWindow: window }],
  ] as const) {
    await withGauge({ seed: 16, path: { delay: 10 }, ...windows }, async ({ gauge }) => {
      const report = await gauge.run({ direction, streams: 1, bytes: 200_000, cc: 'cubic' });
      const { sendLimitMs } = report.sender.connection;
      const blocked = ['stream_flow_control', 'connection_flow_control'] as const;
      const share = sum(blocked.map((limit) => sendLimitMs![SEND_LIMITS.indexOf(limit)]!)) / report.sender.wallMs;
      assert.ok(share > 0.8, `${direction}: ${share} of the time`);
      // A window of payload, and packets' headers around it.
      const inFlight = Math.max(...report.senderSeries!.bytesInFlight);
      assert.ok(inFlight <= 1.1 * window, `${direction}: ${inFlight} bytes in flight`);
      // A window each 20 ms: it never grew.
      assert.ok(report.sender.wallMs >= 20 * Math.floor(200_000 / window - 1), `${report.sender.wallMs} ms`);
    });
  }
});

test('a payload that is made on the fly is waited for', async () => {
  await withGauge({ seed: 5, path: PATH }, async ({ gauge, world }) => {
    let given = 0;
    const slow = async (most: number) => {
      await world.sleep(50);
      given++;
      return new Uint8Array(Math.min(10_000, most)).fill(given);
    };
    const report = await gauge.run({ direction: 'up', streams: 2, bytes: 100_000, cc: null, payload: slow });
    assert.equal(given, 10);
    assert.ok(report.sender.wallMs > 4 * 50);
    const wrong = async () => new Uint8Array(0);
    await assert.rejects(
      gauge.run({ direction: 'up', streams: 1, bytes: 10, cc: null, payload: wrong }),
      isError('source'),
    );
  });
});

test('any number of streams and bytes adds up', async () => {
  const settings = fc.record({
    direction: fc.constantFrom('up' as const, 'down' as const),
    streams: fc.integer({ min: 1, max: 40 }),
    bytes: fc.integer({ min: 1, max: 60_000 }),
  });
  await withGauge({ seed: 6, path: { delay: 1 } }, ({ gauge }) =>
    fc.assert(
      fc.asyncProperty(settings, async (run) => {
        const report = await gauge.run({ ...run, cc: null, sampling: false });
        for (const side of [report.sender, report.receiver]) {
          assertSide(report, side);
          assert.equal(sum(side.streams.map(({ bytes }) => bytes)), run.bytes);
        }
      }),
      { seed: 7, numRuns: 25 },
    ),
  );
});

test('what the server does not want is refused with a reason, and it hears that it did', async () => {
  const cases: [Partial<Parameters<typeof serveGauge>[1]>, object, string, RegExp][] = [
    [{ maxStreams: 4 }, { streams: 5 }, 'too_many_streams', /use 4 at most/],
    [{ maxBytes: 1000 }, { bytes: 1001 }, 'too_large', /use 1000 at most/],
  ];
  for (const [serve, wanted, detail, message] of cases) {
    await withGauge({ seed: 8, path: PATH, serve }, async ({ gauge, served, local }) => {
      const run = gauge.run({ direction: 'up', streams: 1, bytes: 1, cc: null, ...wanted });
      await assert.rejects(run, isError('refused', detail));
      await assert.rejects(run, message);
      await assert.rejects(served, isError('offer_refused', detail));
      assert.ok(local.destroyed);
    });
  }
});

test('what makes no sense is refused before the server hears of it', async () => {
  await withGauge({ seed: 9, path: PATH }, async ({ gauge }) => {
    const good = { direction: 'up', streams: 1, bytes: 1, cc: null } as const;
    for (const wrong of [{ streams: 0 }, { streams: 513 }, { bytes: 0 }, { bytes: 1.5 }, { cc: 'vegas' }]) {
      await assert.rejects(gauge.run({ ...good, ...wrong }), QuicError, JSON.stringify(wrong));
    }
    const first = gauge.run({ ...good, bytes: 100_000 });
    await assert.rejects(gauge.run(good), /under way already/);
    assert.equal((await first).iteration, 1);
  });
});

test('a wrong token, or a busy server: refused, and nothing begins', async () => {
  for (const [token, most, detail] of [
    [new Uint8Array(16), 1, 'bad_token'],
    [GAUGE_TOKEN, 0, 'busy'],
  ] as const) {
    await withGaugeSessions({ seed: 10, path: PATH }, async ({ local, remote }) => {
      const served = serveGauge(remote, {
        token: GAUGE_TOKEN,
        places: new Places({ most, mostEach: most, line: 0, lineEach: 0, taken: 'others' }),
      });
      served.catch(() => undefined);
      await assert.rejects(openGauge(local, { token }), isError('refused', detail));
      await assert.rejects(served, isError('offer_refused', detail));
      assert.ok(local.destroyed && remote.destroyed);
    });
  }
});

test('either side can be stopped in the middle, and the other hears that it was', async () => {
  for (const direction of ['up', 'down'] as const) {
    for (const who of ['client', 'server'] as const) {
      const stop = new AbortController();
      const serve = who === 'server' ? { signal: stop.signal } : {};
      await withGauge({ seed: 11, path: PATH, serve }, async ({ gauge, served, world, local, remote }) => {
        const signal = who === 'client' ? stop.signal : undefined;
        const run = gauge.run({ direction, streams: 4, bytes: 10_000_000, cc: null }, { signal });
        run.catch(() => undefined);
        await world.sleep(500);
        stop.abort();
        await assert.rejects(run, isError(who === 'client' ? 'cancelled' : 'cancelled_by_peer'));
        await assert.rejects(served, isError(who === 'client' ? 'cancelled_by_peer' : 'cancelled'));
        assert.ok(local.destroyed && remote.destroyed);
      });
    }
  }
});

test('a peer that dies is noticed by the other, whoever sends', async () => {
  for (const direction of ['up', 'down'] as const) {
    for (const dead of [CLIENT_HOST, SERVER_HOST]) {
      await withGauge({ seed: 12, path: PATH }, async ({ gauge, served, world }) => {
        const run = gauge.run({ direction, streams: 4, bytes: 10_000_000, cc: null });
        run.catch(() => undefined);
        await world.sleep(500);
        const since = world.now;
        world.network.tap = ({ from }) => (from.host === dead ? 'drop' : undefined);
        await assert.rejects(dead === SERVER_HOST ? run : served, isError('connection'));
        assert.ok(world.now - since < 10_500, `${world.now - since} ms`);
      });
    }
  }
});

test('a payload that never comes ends the iteration, although the peer is alive', async () => {
  await withGauge({ seed: 13, path: PATH }, async ({ gauge, served, world }) => {
    const since = world.now;
    const never = () => new Promise<Uint8Array>(() => undefined);
    const run = gauge.run({ direction: 'up', streams: 1, bytes: 1, cc: null, payload: never });
    await assert.rejects(run, /nothing of the payload has moved for 30 seconds/);
    await assert.rejects(served, isError('stalled'));
    assert.ok(world.now - since < 1.2 * STALL_TIME);
  });
});

test('a client that is admitted and wants nothing is let go', async () => {
  await withGauge({ seed: 14, path: PATH }, async ({ served, world }) => {
    const since = world.now;
    await served;
    assert.ok(world.now - since > 59_000 && world.now - since < 70_000);
  });
});

test('a live iteration can be looked at on both sides while it runs', async () => {
  const lives: LiveGauge[] = [];
  const serve = { events: { onIterationStart: (live: LiveGauge) => lives.push(live) } };
  await withGauge({ seed: 15, path: PATH, serve }, async ({ gauge, world }) => {
    const onLive = (live: LiveGauge) => lives.push(live);
    const run = gauge.run({ direction: 'down', streams: 4, bytes: 4_000_000, cc: null }, { onLive });
    await world.sleep(400);
    assert.deepEqual(lives.map(({ side }) => side).sort(), ['receiver', 'sender']);
    for (const live of lives) {
      const { streamBytes, rttMs, congestionWindowBytes } = live.sample();
      assert.ok(sum(streamBytes) > 500_000 && sum(streamBytes) < 4_000_000);
      assert.ok(rttMs! > 15 && congestionWindowBytes > 0);
      assert.equal(live.settings.bytes, 4_000_000);
      assert.ok(world.now - live.startedAt <= 400);
    }
    await run;
  });
});
