import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import sqlite from 'node-sqlite3-wasm';
import { formatClaim } from 'weir-quic/system';
import { describeEnvironment, makeResult, type ResultDocument } from '../results/index.ts';
import type { Experiment, IterationRecord } from '../results/record.ts';
import { History, HistoryError } from './history.ts';
import { recordRun } from './record-run.ts';
import type { Run } from './run.ts';
import { DATABASE_VERSION } from './schema.ts';
import { withoutSecrets } from './secrets.ts';

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-history-'));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function resultOf(name = 'a.bin'): ResultDocument {
  return makeResult({
    version: '1.2.3',
    createdAt: new Date(1e12),
    role: 'sender',
    environment: describeEnvironment('portable'),
    offer: { name, size: 3000, streams: 2, iterations: 1, chunkBytes: 1024 },
    connection: {
      cipher: null,
      congestionController: 'cubic',
      datagramBytes: 1200,
      localAddress: '127.0.0.1:1',
      remoteAddress: '[::1]:2',
    },
    iterations: [],
    outcome: { status: 'complete', exitCode: 0, message: null, savedAs: name },
  });
}

function iteration(cell: number, bytesPerMs: number, changes: Partial<IterationRecord> = {}): IterationRecord {
  return {
    type: 'iteration',
    cell,
    iteration: 1,
    warmup: false,
    order: 1,
    startedAt: '2026-01-01T00:00:00.000Z',
    status: 'complete',
    message: null,
    bytes: 1000,
    wallMs: 1000 / bytesPerMs,
    bytesPerMs,
    cpuMs: null,
    sender: null,
    receiver: null,
    senderSeries: null,
    receiverSeries: null,
    ...changes,
  };
}

const CELL = {
  transport: 'quic',
  direction: 'up',
  streams: 8,
  bytes: 1000,
  cc: 'cubic',
  datagramBytes: null,
  path: null,
  windowBytes: null,
} as const;

const EXPERIMENT: Experiment = {
  header: {
    type: 'experiment',
    schema: 'weir-experiment/1',
    tool: { name: 'weir', version: '1.2.3' },
    id: 'x',
    createdAt: '2026-02-03T04:05:06.000Z',
    command: ['weir', 'measure'],
    seed: 1,
    environment: describeEnvironment('portable'),
    cells: [CELL, { ...CELL, streams: 1 }],
    iterations: 1,
    warmup: 1,
    untilInterval: null,
    maxIterations: 1,
    target: 'local',
  },
  iterations: [iteration(0, 999, { warmup: true }), iteration(0, 10), iteration(1, 30)],
};

function runOf(name?: string): Run {
  return { kind: 'send', command: ['weir', 'send', 'a.bin', 'weir://h:1/#PIN.SECRET'], document: resultOf(name) };
}

test('a run comes back as it was, with what a list says of it', () =>
  withFolder(async (folder) => {
    const history = new History(join(folder, 'weir'));
    assert.equal(await history.record(runOf()), 1);
    assert.equal(await history.record({ kind: 'measure', command: ['weir', 'measure'], document: EXPERIMENT }), 2);
    const [newest, oldest] = await history.list();
    assert.equal(newest!.schema, 'weir-experiment/1');
    assert.deepEqual(newest!.streams, [1, 8]);
    assert.equal(newest!.bytesPerMs, 20);
    assert.equal(newest!.iterations, 2);
    assert.equal(newest!.status, 'complete');
    assert.equal(newest!.createdAt, '2026-02-03T04:05:06.000Z');
    assert.deepEqual(
      { ...oldest, storedBytes: 0 },
      {
        id: 1,
        kind: 'send',
        createdAt: '2001-09-09T01:46:40.000Z',
        command: ['weir', 'send', 'a.bin', 'weir://h:1/#PIN.…'],
        status: 'complete',
        message: null,
        target: '[::1]:2',
        subject: 'a.bin',
        bytes: 0,
        streams: [2],
        iterations: 0,
        bytesPerMs: null,
        schema: 'weir-result/1',
        storedBytes: 0,
      },
    );
    assert.deepEqual((await history.get(1))!.document, resultOf());
    assert.deepEqual((await history.get(2))!.document, EXPERIMENT);
    assert.equal(await history.get(3), undefined);
    if (process.platform !== 'win32') assert.equal(statSync(history.path).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(join(folder, 'weir')), ['history.db']);
    assert.ok(!readFileSync(history.path).includes('SECRET'));
  }));

test('an experiment that is short of iterations did not come to its end', () =>
  withFolder(async (folder) => {
    const history = new History(folder);
    const short = { ...EXPERIMENT, iterations: EXPERIMENT.iterations.slice(0, 2) };
    await history.record({ kind: 'measure', command: [], document: short });
    const [entry] = await history.list();
    assert.equal(entry!.status, 'failed');
    assert.equal(entry!.message, '1 of 2 iterations');
    // Gone on with, it is still one run.
    await history.record({ kind: 'measure', command: [], document: EXPERIMENT });
    const entries = await history.list();
    assert.deepEqual(
      entries.map(({ id, status }) => [id, status]),
      [[2, 'complete']],
    );
  }));

test('a document of another kind is kept with the summary that comes with it, and not without', () =>
  withFolder(async (folder) => {
    const history = new History(folder);
    const document = { schema: 'weir-perf/1', more: [1, 2] };
    await assert.rejects(history.record({ kind: 'perf', command: [], document }), /a weir-perf\/1 needs a summary/u);
    const summary = { ...(await summarised(history)), subject: 'perf' };
    const id = await history.record({ kind: 'perf', command: [], document, summary });
    const stored = (await history.get(id))!;
    assert.deepEqual(stored.document, document);
    assert.equal(stored.subject, 'perf');
  }));

async function summarised(history: History) {
  await history.record(runOf());
  const [{ status, message, target, subject, bytes, streams, iterations, bytesPerMs }] = (await history.list()) as [
    Awaited<ReturnType<History['list']>>[number],
  ];
  return { status, message, target, subject, bytes, streams, iterations, bytesPerMs };
}

test('runs are removed by number or by age, and numbers are not given twice', () =>
  withFolder(async (folder) => {
    const history = new History(folder);
    for (let i = 0; i < 6; i++) await history.record(runOf());
    assert.equal(await history.remove([2, 6, 99]), 2);
    assert.equal(await history.prune(2), 2);
    assert.deepEqual(
      (await history.list()).map(({ id }) => id),
      [5, 4],
    );
    assert.equal(await history.record(runOf()), 7);
    assert.deepEqual(
      (await history.list(1)).map(({ id }) => id),
      [7],
    );
  }));

test('the oldest runs make room, by number and by size, and the file shrinks again', () =>
  withFolder(async (folder) => {
    const few = new History(folder, { maxRuns: 3 });
    for (let i = 0; i < 5; i++) await few.record(runOf());
    assert.deepEqual(
      (await few.list()).map(({ id }) => id),
      [5, 4, 3],
    );
    const noise = Array.from({ length: 20_000 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 0);
    const summary = await summarised(few);
    for (let i = 0; i < 4; i++)
      await few.record({
        kind: 'perf',
        command: [],
        document: { schema: 'x/1', noise, i } as { schema: string },
        summary,
      });
    const large = statSync(few.path).size;
    const { storedBytes } = (await few.list(1))[0]!;
    const small = new History(folder, { maxBytes: Math.floor(storedBytes * 1.5) });
    await small.record(runOf());
    assert.deepEqual(
      (await small.list()).map(({ kind }) => kind),
      ['send', 'perf'],
    );
    assert.ok(statSync(small.path).size < large - storedBytes, `${statSync(small.path).size} of ${large}`);
    // The newest stays however large it is.
    const tiny = new History(folder, { maxBytes: 1 });
    await tiny.record(runOf());
    assert.equal((await tiny.list()).length, 1);
  }));

test('what cannot be used is one line, and the run goes on', () =>
  withFolder(async (folder) => {
    const warnings: string[] = [];
    const options = { warn: (message: string) => warnings.push(message), env: {} };
    const file = join(folder, 'file');
    writeFileSync(file, '');
    assert.equal(await recordRun(runOf(), { ...options, folder: file }), undefined);
    assert.match(warnings[0]!, /^this run is not kept: the history in .*history\.db cannot be used: [^\n]+$/u);
    writeFileSync(join(folder, 'history.db'), 'not a database, but long enough to be taken for one'.repeat(100));
    assert.equal(await recordRun(runOf(), { ...options, folder }), undefined);
    assert.match(warnings[1]!, /file is not a database: move it away to begin a new one$/u);
    assert.equal(await recordRun(runOf(), { ...options, folder, env: { WEIR_HISTORY: 'off' } }), undefined);
    assert.equal(warnings.length, 2);
    assert.deepEqual(readdirSync(folder).sort(), ['file', 'history.db']);
    rmSync(join(folder, 'history.db'));
    assert.equal(await recordRun(runOf(), { ...options, folder }), 1);
  }));

test('a database of a later version is left alone', () =>
  withFolder(async (folder) => {
    const history = new History(folder);
    await history.record(runOf());
    const database = new sqlite.Database(history.path);
    database.exec(`PRAGMA user_version = ${DATABASE_VERSION + 1}`);
    database.close();
    const before = readFileSync(history.path);
    await assert.rejects(history.record(runOf()), (error) => {
      assert.ok(error instanceof HistoryError);
      assert.match(error.message, /written by a later version of weir/u);
      return true;
    });
    assert.deepEqual(readFileSync(history.path), before);
  }));

test('a damaged document is an error of that run alone', () =>
  withFolder(async (folder) => {
    const history = new History(folder);
    await history.record(runOf());
    await history.record(runOf());
    const database = new sqlite.Database(history.path);
    database.run('UPDATE runs SET document = ? WHERE id = 1', [new Uint8Array([1, 2, 3])]);
    database.close();
    await assert.rejects(history.get(1), /run 1 in .* is damaged/u);
    assert.equal((await history.get(2))!.id, 2);
    assert.equal((await history.list()).length, 2);
  }));

/** A process that records `count` runs, and says so. */
function recorder(folder: string, count: number): ChildProcess {
  const program = `
    const { History } = await import(${JSON.stringify(new URL('history.js', import.meta.url).href)});
    const history = new History(${JSON.stringify(folder)});
    const run = ${JSON.stringify(runOf())};
    for (let i = 0; i < ${count}; i++) await history.record(run);
  `;
  return spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'ignore', 'inherit'] });
}

const exitOf = (child: ChildProcess) => new Promise((resolve) => child.once('exit', resolve));

test('several processes record at once, and one that is killed in the middle costs nobody anything', () =>
  withFolder(async (folder) => {
    const history = new History(folder);
    const victim = recorder(folder, 100_000);
    const gone = exitOf(victim);
    while (!existsSync(history.path) || (await history.list()).length < 3) await new Promise(setImmediate);
    // As likely as not it holds the lock: it does little else.
    victim.kill('SIGKILL');
    await gone;
    const before = (await history.list(1e6)).length;
    const recorders = Array.from({ length: 6 }, () => recorder(folder, 5));
    assert.deepEqual(new Set(await Promise.all(recorders.map(exitOf))), new Set([0]));
    assert.equal((await history.list(1e6)).length, before + 30);
    assert.deepEqual((await history.get(before + 30))!.document, resultOf());
    assert.ok(!existsSync(`${history.path}.busy`));
  }));

test('locks that were left behind are noticed, those in use are waited for', () =>
  withFolder(async (folder) => {
    const history = new History(folder, { patience: 100 });
    await history.record(runOf());
    const busy = `${history.path}.busy`;
    const claim = formatClaim(false).replace(`-${process.pid}-`, `-${await deadPid()}-`);
    mkdirSync(`${history.path}.lock`);
    writeFileSync(busy, `${claim}\nhost\n`);
    assert.equal(await history.record(runOf()), 2);
    writeFileSync(busy, `${formatClaim(false)}\nhost\n`);
    await assert.rejects(history.record(runOf()), /other processes keep it busy \(process \d+\)/u);
    // What is written in another form may be anybody's.
    writeFileSync(busy, '1 elsewhere\n');
    await assert.rejects(history.record(runOf()), /other processes keep it busy$/u);
    rmSync(busy);
    assert.equal(await history.record(runOf()), 3);
  }));

/** The number of a process that is over. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' });
  await exitOf(child);
  return child.pid!;
}

test('secrets are taken out of a command wherever they stand', () => {
  const command = [
    'weir',
    'send',
    'x',
    'weir://[::1]:1/#PIN.TOKEN',
    '--peer=weir://h:1/#.TOKEN',
    '--token=TOKEN',
    '#PIN.x',
  ];
  assert.deepEqual(withoutSecrets(command), [
    'weir',
    'send',
    'x',
    'weir://[::1]:1/#PIN.…',
    '--peer=weir://h:1/#.…',
    '--token=…',
    '#PIN.x',
  ]);
  assert.deepEqual(withoutSecrets(['weir://h:1/#TOKEN', 'a weir://h/#P.T b', 'h:1/#PIN.0123456789abcdef']), [
    'weir://h:1/#…',
    'a weir://h/#P.… b',
    'h:1/#PIN.…',
  ]);
});
