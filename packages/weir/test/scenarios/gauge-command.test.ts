import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { connectGauge, type GaugeOptions } from '../../src/gauge/index.ts';
import { parseTicket, TransferError } from '../../src/peer/index.ts';
import { CommandBench } from '../support/command.ts';

/** How to reach the server that printed this ticket. */
function optionsOf(ticket: string): GaugeOptions {
  const { host, port, token, pin } = parseTicket(ticket);
  return { host, port, token, verifyPeer: { pin: pin! }, software: 'test' };
}

test('weir serve answers measurements beside files, and says what was measured', async () => {
  await using bench = await CommandBench.create();
  const server = await bench.serve();
  const gauge = await connectGauge(optionsOf(server.ticket));
  for (const direction of ['up', 'down'] as const) {
    const report = await gauge.run({ direction, streams: 4, bytes: 4 << 20, cc: 'cubic' });
    assert.ok(report.receiver.wallMs > 0 && report.sender.wallMs >= report.receiver.wallMs / 2);
  }
  await server.said(/measured 4\.00 MiB on 4 streams from there to here: \S+ .bit\/s/u);
  await server.said(/measured 4\.00 MiB on 4 streams from here to there: \S+ .bit\/s/u);
  // While the measuring client is still there.
  await writeFile(bench.path('file'), 'x'.repeat(1000));
  assert.equal((await bench.run('send', 'file', server.ticket)).code, 0);
  await gauge.close();
  server.child.kill('SIGINT');
  const { code, stderr } = await server.result;
  assert.equal(code, 130);
  assert.equal(stderr, '');
});

test('the limits of weir serve hold for measurements: streams, bytes, how many at once, the token', async () => {
  await using bench = await CommandBench.create();
  const server = await bench.serve('--max-streams', '2', '--max-size', '1MB');
  const options = optionsOf(server.ticket);
  const refused = async (work: Promise<unknown>, detail: string) => {
    await assert.rejects(work, (error) => error instanceof TransferError && error.detail === detail);
    await server.said(/weir: refused 127\.0\.0\.1/u);
  };
  const run = async (settings: { streams: number; bytes: number }) => {
    const gauge = await connectGauge(options);
    await gauge.run({ direction: 'up', ...settings, cc: null }).finally(() => gauge.close());
  };
  await refused(run({ streams: 3, bytes: 1000 }), 'too_many_streams');
  await refused(run({ streams: 2, bytes: 1_000_001 }), 'too_large');
  await refused(connectGauge({ ...options, token: new Uint8Array(16) }), 'bad_token');
  const clients = await Promise.all(Array.from({ length: 4 }, () => connectGauge(options)));
  await refused(connectGauge(options), 'busy');
  await Promise.all(clients.map((client) => client.close()));
  await run({ streams: 2, bytes: 1000 });
});

test('--window is what the other side hears; how it limits is measured in virtual time', async () => {
  await using bench = await CommandBench.create();
  const windowBytes = 16 << 10;
  const server = await bench.serve('--window', `${windowBytes}`);
  const gauge = await connectGauge(optionsOf(server.ticket));
  const { initialMaxData, initialMaxStreamDataUni } = gauge.session.remoteTransportParams!;
  assert.deepEqual([initialMaxData, initialMaxStreamDataUni], [windowBytes, windowBytes]);
  await gauge.run({ direction: 'up', streams: 1, bytes: 1 << 20, cc: 'cubic' });
  await gauge.close();
  const wrong = await bench.run('serve', '--window', '100');
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /--window must be from 4KiB to 4GiB/u);
});

test('a measurement under way when weir serve is stopped ends with one error on each side', async () => {
  await using bench = await CommandBench.create();
  const server = await bench.serve();
  const gauge = await connectGauge(optionsOf(server.ticket));
  let run: Promise<unknown> | undefined;
  await new Promise<void>((onLive) => {
    run = gauge.run({ direction: 'down', streams: 2, bytes: 2 ** 36, cc: null }, { onLive: () => onLive() });
    run.catch(() => undefined);
  });
  server.child.kill('SIGINT');
  await assert.rejects(run!, (error) => error instanceof TransferError && error.code === 'cancelled_by_peer');
  const { code, stderr } = await server.result;
  assert.equal(code, 130);
  assert.match(stderr, /^weir: stopped: 127\.0\.0\.1:\d+ was measuring\n$/u);
});
