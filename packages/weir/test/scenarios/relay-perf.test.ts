import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { test } from 'node:test';
import { CommandBench, type RunningCommand } from '../support/command.ts';

interface Listening {
  readonly address: { readonly host: string; readonly port: number };
}

/** Starts a server of ours with --json and gives its first line. */
async function startListening(
  bench: CommandBench,
  ...args: string[]
): Promise<RunningCommand & { listening: Listening }> {
  const command = bench.start(...args, '--json');
  const [line] = await command.said(/^\{"event":"listening".*\}$/mu);
  return { ...command, listening: JSON.parse(line) };
}

const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

test('weir perf through weir relay: the delay is seen in both directions, and everybody counts the same', async () => {
  await using bench = await CommandBench.create();
  const server = await startListening(bench, 'perf', 'serve', '--listen', '127.0.0.1:0');
  const { host, port } = server.listening.address;
  const path = ['--path', 'delay=10ms,rate=100mbit', '--seed', '3'];
  const relay = await startListening(bench, 'relay', '--to', `${host}:${port}`, ...path);
  const target = `127.0.0.1:${relay.listening.address.port}`;
  const options = ['--insecure', '--json', '--streams', '2', '--iterations', '2'];
  const down = await bench.run('perf', target, ...options, '--down', '200kB');
  assert.equal(down.code, 0, down.stderr);
  const document = JSON.parse(down.stdout);
  assert.deepEqual(
    [document.schema, document.direction, document.bytes, document.iterations.length, document.outcome.status],
    ['weir-perf/1', 'down', 200_000, 2, 'complete'],
  );
  for (const iteration of document.iterations) {
    assert.equal(iteration.bytes, 200_000);
    assert.ok(iteration.connection.rttMinMs >= 20, `${iteration.connection.rttMinMs} ms`);
    assert.ok(iteration.wallMs >= 36, 'a round trip and 1.6 Mbit over 100 Mbit/s');
  }
  const up = await bench.run('perf', target, '--insecure', '--up', '100kB');
  assert.equal(up.code, 0, up.stderr);
  assert.match(up.stdout, /Iteration, up\n[\s\S]*all streams: 97\.7 KiB in/u);
  relay.child.kill('SIGINT');
  const relayed = await relay.result;
  assert.equal(relayed.code, 130);
  const counters = lines(relayed.stdout)[1];
  assert.equal(counters.event, 'counters');
  assert.equal(counters.clientsSeen, 2);
  assert.ok(counters.down.deliveredBytes > 400_000 && counters.up.deliveredBytes > 100_000);
  server.child.kill('SIGTERM');
  const served = await server.result;
  assert.equal(served.code, 143);
  const sessions = lines(served.stdout).slice(1);
  assert.deepEqual(
    sessions.map(({ event, requests, bytesReceived, bytesSent, error }) => [
      event,
      requests,
      bytesReceived,
      bytesSent,
      error,
    ]),
    [
      ['closed', 4, 0, 400_000, null],
      ['closed', 1, 100_000, 0, null],
    ],
  );
});

test('weir relay: what cannot be is said in one line', async () => {
  await using bench = await CommandBench.create();
  const taken = createSocket('udp4');
  await new Promise<void>((resolve) => taken.bind(0, '127.0.0.1', resolve));
  const { port } = taken.address();
  const cases: [args: string[], code: number, message: RegExp][] = [
    [['--to', '127.0.0.1:9', '--path', 'dleay=5ms'], 2, /'dleay'.*use delay/u],
    [['--to', '127.0.0.1'], 2, /--to must be HOST:PORT/u],
    [['--to', 'no-such-host.invalid:9'], 3, /no address found/u],
    [['--to', '127.0.0.1:9', '--listen', `127.0.0.1:${port}`], 9, /taken by another program/u],
  ];
  for (const [args, code, message] of cases) {
    const result = await bench.run('relay', ...args);
    assert.equal(result.code, code, `${args}: ${result.stderr}`);
    assert.match(result.stderr, message);
    assert.equal(result.stderr.trim().split('\n').length, 1);
  }
  await new Promise<void>((resolve) => taken.close(() => resolve()));
});

test('weir perf: what cannot be is said in one line', async () => {
  await using bench = await CommandBench.create();
  const server = await startListening(bench, 'perf', 'serve', '--listen', '127.0.0.1:0');
  const perf = `127.0.0.1:${server.listening.address.port}`;
  const files = await startFileServer(bench);
  const cases: [args: string[], code: number, message: RegExp][] = [
    [[perf], 4, /not trusted.*--pin, --ca or --insecure/u],
    [[perf, '--pin', '00'.repeat(32)], 4, /not trusted/u],
    [[perf, '--pin', 'short'], 2, /--pin must be a SHA-256/u],
    [[perf, '--ca', bench.path('missing.pem')], 8, /cannot read/u],
    [[perf, '--ca', ''], 2, /--ca is empty/u],
    [[perf, '--insecure', '--up', '1', '--down', '1'], 2, /exclude each other/u],
    [[perf, '--insecure', '--up', '1', '--duration', '1'], 2, /exclude each other/u],
    [[files, '--insecure'], 7, /does not speak the perf protocol/u],
  ];
  for (const [args, code, message] of cases) {
    const result = await bench.run('perf', ...args);
    assert.equal(result.code, code, `${args}: ${result.stderr}`);
    assert.match(result.stderr, message);
  }
});

async function startFileServer(bench: CommandBench): Promise<string> {
  const { ticket } = await bench.serve();
  return new URL(ticket).host;
}

test('weir perf: Ctrl-C ends a run, and the server hears of it', async () => {
  await using bench = await CommandBench.create();
  const server = await startListening(bench, 'perf', 'serve', '--listen', '127.0.0.1:0');
  const client = bench.start(
    'perf',
    `127.0.0.1:${server.listening.address.port}`,
    '--insecure',
    '--duration',
    '60',
    '--json',
  );
  await client.said(/connected to/u);
  client.child.kill('SIGINT');
  const { code, stdout } = await client.result;
  assert.equal(code, 130);
  assert.deepEqual(JSON.parse(stdout).outcome, { status: 'failed', exitCode: 130, message: 'stopped' });
  await server.said(/"event":"closed".*"error":null/u);
});
