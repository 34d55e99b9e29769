import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { readExperiment } from '../../src/measure/index.ts';
import type { Experiment } from '../../src/results/index.ts';
import { CommandBench } from '../support/command.ts';

/** How often each iteration of each cell is in the file. */
async function timesInFile(path: string): Promise<number[]> {
  const [, ...lines] = (await readFile(path, 'utf8')).trimEnd().split('\n');
  const times = new Map<string, number>();
  for (const line of lines) {
    const { cell, iteration, warmup } = JSON.parse(line);
    const key = `${cell} ${iteration} ${warmup}`;
    times.set(key, (times.get(key) ?? 0) + 1);
  }
  return [...times.values()];
}

/** Processes whose command line has this in it. */
async function processesWith(text: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir('/proc')) {
    const line = /^\d+$/u.test(pid) ? await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '') : '';
    if (line.includes(text)) found.push(pid);
  }
  return found;
}

test('an experiment that is killed and started again ends with each cell complete and none twice', async () => {
  await using bench = await CommandBench.create();
  const path = 'delay=2ms,rate=100mbit';
  const command = ['measure', '--local', '--streams', '1,4', '--size', '512KiB', '--iterations', '3', '--path', path];
  const first = bench.start(...command);
  await first.said(/\[4\/8\]/u);
  first.child.kill('SIGKILL');
  await first.result;
  const [name] = (await readdir(bench.folder)).filter((each) => each.endsWith('.ndjson'));
  const before = await readExperiment(bench.path(name!));
  assert.ok(before.iterations.length >= 4 && before.iterations.length < 8);

  const second = await bench.run(...command, '--csv', 'all.csv', '--iperf3', 'all.json');
  assert.equal(second.code, 0, second.stderr);
  assert.match(second.stdout, /goes on: \d iterations are there already/u);
  assert.match(second.stderr, /\[8\/8\] \d streams?, up, 512 KiB, delay=2ms,rate=100mbit: [\d.]+ Mbit\/s\n/u);
  const after = await readExperiment(bench.path(name!));
  assert.deepEqual(await timesInFile(bench.path(name!)), Array(8).fill(1));
  assert.deepEqual(after.header, before.header);
  assert.deepEqual(after.iterations.slice(0, before.iterations.length), before.iterations);
  for (const record of after.iterations) {
    assert.equal(record.status, 'complete');
    assert.ok(record.bytesPerMs! < 12_500, 'not faster than the emulated path');
    assert.ok(record.cpuMs! > 0);
    assert.equal(record.sender!.streams.length, after.header.cells[record.cell]!.streams);
    assert.equal(record.receiver!.bytes, 512 << 10);
    assert.ok(record.senderSeries!.atMs.length > 1 && record.receiverSeries!.atMs.length > 1);
    assert.ok(record.sender!.connection.rttMinMs! >= 4, 'the path is longer than loopback');
  }
  assert.match(second.stdout, /Goodput of 2 cells/u);
  assert.equal((await readFile(bench.path('all.csv'), 'utf8')).trimEnd().split('\n').length, 9);
  assert.equal(JSON.parse(await readFile(bench.path('all.json'), 'utf8')).length, 2);
  assert.match(await readFile(bench.path(name!.replace('.ndjson', '.html')), 'utf8'), /^<!doctype html>/iu);
  const files = (await readdir(bench.folder)).filter((each) => each !== 'data');
  assert.deepEqual(files.sort(), ['all.csv', 'all.json', name!.replace('ndjson', 'html'), name!].sort());
  if (process.platform === 'linux') assert.deepEqual(await processesWith(bench.folder), [], 'no process is left');
});

test('both directions, two windows, a file, the TLS baseline: one grid, as JSON', async () => {
  await using bench = await CommandBench.create();
  await writeFile(bench.path('file'), 'x'.repeat(300_000));
  const options = ['--streams', '2', '--direction', 'up,down', '--window', 'auto,64KiB', '--baseline', 'tls-tcp'];
  const { code, stdout, stderr } = await bench.run(
    ...['measure', '--local', 'file', ...options, '--iterations', '1', '--warmup', '0', '--json', '--no-html'],
    ...['--output', 'mine.ndjson', '--qlog', 'logs'],
  );
  assert.equal(code, 0, stderr);
  const { header, iterations } = JSON.parse(stdout) as Experiment;
  assert.equal(header.cells.length, 4 + 4);
  assert.deepEqual(
    iterations.map(({ status, bytes }) => `${status} ${bytes}`),
    Array(8).fill('complete 300000'),
  );
  for (const { cell, sender, wallMs } of iterations) {
    const isQuic = header.cells[cell]!.transport === 'quic';
    assert.equal(sender !== null, isQuic);
    assert.ok(wallMs! > 0);
  }
  assert.deepEqual(await readExperiment(bench.path('mine.ndjson')), { header, iterations });
  assert.equal((await readdir(bench.path('logs'))).length, 4);
});

test('Ctrl-C: the line is whole, how to go on is said, nothing is left running', async () => {
  await using bench = await CommandBench.create();
  const command = [
    'measure',
    '--local',
    '--streams',
    '1',
    '--size',
    '1MiB',
    '--iterations',
    '40',
    '--path',
    'rate=20mbit',
  ];
  const run = bench.start(...command, '--output', 'a.ndjson');
  await run.said(/\[ 2\/41\]/u);
  run.child.kill('SIGINT');
  const { code, stderr } = await run.result;
  assert.equal(code, 130);
  assert.match(stderr, /weir: stopped; the same command goes on from here with a\.ndjson\n$/u);
  const { iterations } = await readExperiment(bench.path('a.ndjson'));
  assert.ok(iterations.length >= 2 && iterations.every(({ status }) => status === 'complete'));
  assert.deepEqual(
    (await readdir(bench.folder)).filter((name) => name !== 'data'),
    ['a.ndjson'],
  );
  if (process.platform === 'linux') assert.deepEqual(await processesWith(bench.folder), []);
});

test('to a weir serve; wrong arguments, foreign files and failures have their exit codes and one line', async () => {
  await using bench = await CommandBench.create();
  const server = await bench.serve();
  const small = ['--streams', '2', '--size', '100kB', '--iterations', '1', '--warmup', '0', '--no-html'];
  const good = await bench.run('measure', server.ticket, ...small, '--direction', 'up,down', '--output', 'a');
  assert.equal(good.code, 0, good.stderr);
  const { header } = await readExperiment(bench.path('a'));
  assert.match(header.target, /^127\.0\.0\.1:\d+$/u);
  assert.ok(!JSON.stringify(header).includes(server.ticket.slice(-10)), 'the token is not in the file');
  const emulated = await bench.run('measure', server.ticket, ...small, '--path', 'delay=1ms', '--output', 'b');
  assert.equal(emulated.code, 0, emulated.stderr);
  const [record] = (await readExperiment(bench.path('b'))).iterations;
  assert.ok(record!.sender!.connection.rttMinMs! >= 2);

  const { ticket } = server;
  const wrong = ticket.slice(0, -4) + (ticket.at(-4) === 'A' ? 'B' : 'A') + ticket.slice(-3);
  await writeFile(bench.path('notes'), 'my notes\n');
  const cases: readonly (readonly [number, RegExp, readonly string[]])[] = [
    [2, /holds another experiment.*streams 2 and 1,2/u, [ticket, ...small, '--streams', '1,2', '--output', 'a']],
    [2, /--baseline needs --local/u, [ticket, ...small, '--baseline', 'tls-tcp']],
    [2, /--window sets this side's windows/u, [ticket, ...small, '--window', '64KiB']],
    [2, /baseline.*--path none/u, ['--local', ...small, '--baseline', 'tls-tcp', '--path', 'loss=1%']],
    [2, /ticket/u, [...small]],
    [4, /ticket is not valid here/u, [wrong, ...small, '--output', 'c']],
    [8, /notes is no experiment of weir measure: line 1/u, [ticket, ...small, '--output', 'notes']],
    [8, /cannot write missing.x\.csv/u, [ticket, ...small, '--csv', 'missing/x.csv']],
    [8, /notes is there already: .*--overwrite/u, [ticket, ...small, '--csv', 'notes', '--output', 'd']],
    [8, /missing does not exist/u, ['--local', 'missing', ...small]],
  ];
  // One after the other: a dozen processes at once starve each other.
  for (const [code, pattern, args] of cases) {
    const result = await bench.run('measure', ...args);
    assert.equal(result.code, code, `${args.join(' ')}: ${result.stderr}`);
    assert.match(result.stderr, pattern);
  }
  assert.equal(await readFile(bench.path('notes'), 'utf8'), 'my notes\n');
  assert.ok(!(await readdir(bench.folder)).includes('d'), 'nothing is begun that cannot be finished');
});
