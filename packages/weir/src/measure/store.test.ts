import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatClaim } from 'weir-quic/system';
import { fixtureExperiment } from '../../test/support/experiment-fixture.ts';
import { recordOf, smallHeader } from '../../test/support/experiment-records.ts';
import { planOf } from './order.ts';
import { readExperiment } from './read-experiment.ts';
import { ExperimentFile, openNamed } from './store.ts';

const PLAN = planOf({ cells: 2, warmup: 1, rounds: 3, seed: 1 });

async function folder(): Promise<AsyncDisposable & { readonly path: string; of(name: string): string }> {
  const path = await mkdtemp(join(tmpdir(), 'weir-experiment-'));
  return {
    path,
    of: (name) => join(path, name),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true }),
  };
}

test('what was appended is read back, and resuming finds it', async () => {
  await using temporary = await folder();
  const path = temporary.of('a.ndjson');
  const header = smallHeader();
  const file = await ExperimentFile.open(path, header);
  for (const attempt of PLAN.slice(0, 3)) await file.append(recordOf(attempt));
  // Read by somebody else meanwhile.
  assert.equal((await readExperiment(path)).iterations.length, 3);
  await file.close();
  const again = await ExperimentFile.open(
    path,
    smallHeader({ id: 'another start', createdAt: '2026-04-01T00:00:00Z' }),
  );
  assert.deepEqual(again.header, header, 'the first start is what counts');
  assert.deepEqual(
    again.earlier,
    PLAN.slice(0, 3).map((attempt) => recordOf(attempt)),
  );
  assert.equal(again.wasTorn, false);
  await again.close();
  assert.deepEqual(await readdir(temporary.path), ['a.ndjson'], 'no lock and no draft stays');
});

test('killed at any byte while writing: whole lines stay, the torn one goes', async () => {
  await using temporary = await folder();
  const header = `${JSON.stringify(smallHeader())}\n`;
  const lines = PLAN.slice(0, 2).map((attempt) => `${JSON.stringify(recordOf(attempt))}\n`);
  const whole = header + lines.join('');
  let number = 0;
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: header.length, max: whole.length }), async (length) => {
      const path = temporary.of(`${number++}.ndjson`);
      await writeFile(path, whole.slice(0, length));
      const isWhole =
        length === whole.length || length === header.length || length === header.length + lines[0]!.length;
      const complete = length === whole.length ? 2 : length >= header.length + lines[0]!.length ? 1 : 0;
      assert.equal((await readExperiment(path)).iterations.length, complete, 'a reader passes over it');
      const file = await ExperimentFile.open(path, smallHeader());
      assert.equal(file.earlier.length, complete);
      assert.equal(file.wasTorn, !isWhole);
      await file.append(recordOf(PLAN[2]!));
      await file.close();
      assert.equal(
        await readFile(path, 'utf8'),
        `${header}${lines.slice(0, complete).join('')}${JSON.stringify(recordOf(PLAN[2]!))}\n`,
      );
    }),
    { seed: 5, numRuns: 60 },
  );
});

test('another experiment’s file is refused with what differs, and stays as it is', async () => {
  await using temporary = await folder();
  const path = temporary.of('a.ndjson');
  await (await ExperimentFile.open(path, smallHeader())).close();
  const before = await readFile(path, 'utf8');
  const { cells, environment } = smallHeader();
  const others: readonly (readonly [RegExp, Parameters<typeof smallHeader>[0]])[] = [
    [/seed 1 and 2\)/u, { seed: 2 }],
    [/iterations 3 and 4; most/u, { iterations: 4, maxIterations: 4 }],
    [/streams 1,2 and 1\)/u, { cells: cells.slice(0, 1) }],
    [/path none and loss=1%\)/u, { cells: cells.map((cell) => ({ ...cell, path: 'loss=1%' })) }],
    [/streams 1,2 and 2,1\)/u, { cells: cells.toReversed() }],
    [/target local and host:1\)/u, { target: 'host:1' }],
    [/Node.js 20.19.0 and 24.0.0\)/u, { environment: { ...environment, node: '24.0.0' } }],
  ];
  for (const [message, changes] of others) {
    await assert.rejects(ExperimentFile.open(path, smallHeader(changes)), { code: 'foreign', message });
  }
  assert.equal(await readFile(path, 'utf8'), before);
  assert.deepEqual(await readdir(temporary.path), ['a.ndjson']);
});

test('a damaged file is refused with the line, and stays as it is', async () => {
  await using temporary = await folder();
  const header = JSON.stringify(smallHeader());
  const record = JSON.stringify(recordOf(PLAN[0]!));
  const other = JSON.stringify(recordOf(PLAN[1]!));
  const cases: readonly (readonly [RegExp, string])[] = [
    [/no experiment of weir measure: line 1: header\.type must be 'experiment'/u, '{}\n'],
    [/no experiment of weir measure: line 1/u, 'notes about something\n'],
    [
      /no experiment of weir measure: line 1: header\.cells is empty/u,
      `${JSON.stringify(smallHeader({ cells: [] }))}\n`,
    ],
    [
      /header\.cells\[0\]\.streams must be a whole number from 1 to 65536/u,
      `${header.replace(/"streams":\d+/u, '"streams":268435456')}\n`,
    ],
    [/no whole line/u, 'notes'],
    [/damaged in line 2: .*JSON/u, `${header}\nxx\n${record}\n`],
    [
      /damaged in line 2: iteration\.bytes must be a number, not nothing/u,
      `${header}\n${record.replace('"bytes":1000,', '')}\n`,
    ],
    [/damaged in line 3: iteration\.cell is 7/u, `${header}\n${record}\n${other.replace(/"cell":\d/u, '"cell":7')}\n`],
    [/damaged in line 3: warm-up 1 of cell \d is there already/u, `${header}\n${record}\n${record}\n`],
    [
      /damaged in line 2: iteration\.iteration is 9/u,
      `${header}\n${record.replace(/"iteration":1/u, '"iteration":9')}\n`,
    ],
  ];
  for (const [message, text] of cases) {
    const path = temporary.of('a.ndjson');
    await writeFile(path, text);
    await assert.rejects(ExperimentFile.open(path, smallHeader()), { code: 'malformed', message });
    assert.equal(await readFile(path, 'utf8'), text);
  }
  await assert.rejects(ExperimentFile.open(temporary.path, smallHeader()), { code: 'file', message: /is a folder/u });
  await assert.rejects(ExperimentFile.open(temporary.of('no/a'), smallHeader()), { code: 'file' });
  await assert.rejects(readExperiment(temporary.of('missing')), { code: 'file', message: /does not exist/u });
});

test('a failed iteration counts by its last try', async () => {
  await using temporary = await folder();
  const path = temporary.of('a.ndjson');
  const file = await ExperimentFile.open(path, smallHeader());
  const failed = recordOf(PLAN[0]!, { status: 'failed', message: 'x', wallMs: null, bytesPerMs: null });
  for (const record of [failed, recordOf(PLAN[1]!), failed, recordOf(PLAN[0]!)]) await file.append(record);
  await file.close();
  assert.deepEqual((await readExperiment(path)).iterations, [recordOf(PLAN[0]!), recordOf(PLAN[1]!)]);
});

test('one writer at a time; the lock of a dead process is taken over', async () => {
  await using temporary = await folder();
  const path = temporary.of('a.ndjson');
  const file = await ExperimentFile.open(path, smallHeader());
  await assert.rejects(ExperimentFile.open(path, smallHeader()), {
    code: 'locked',
    message: new RegExp(`process ${process.pid} is writing`, 'u'),
  });
  await file.append(recordOf(PLAN[0]!));
  await file.close();
  // This process's number from an earlier life, and a lock that was never finished.
  const earlier = formatClaim(false).replace(/\d+-n$/u, '1-n');
  await writeFile(`${path}.lock`, `${earlier}\nhost\n`);
  if (process.platform === 'linux') await (await ExperimentFile.open(path, smallHeader())).close();
  await writeFile(`${path}.lock`, earlier.slice(0, 20));
  await utimes(`${path}.lock`, 1, 1);
  await (await ExperimentFile.open(path, smallHeader())).close();
  const elsewhere = formatClaim(false).replace(/^[^-]+-[^-]+/u, 'ffffff-ffffffff');
  await writeFile(`${path}.lock`, `${elsewhere}\nanother-host\n`);
  await assert.rejects(ExperimentFile.open(path, smallHeader()), {
    code: 'locked',
    message: /process \d+ on another-host is writing.*remove/u,
  });
  assert.deepEqual((await readdir(temporary.path)).sort(), ['a.ndjson', 'a.ndjson.lock']);
});

test('of many that want a dead process’s lock at once, one gets it', async () => {
  await using temporary = await folder();
  const path = temporary.of('a.ndjson');
  await writeFile(`${path}.lock`, `${formatClaim(false).replace(`-${process.pid}-`, `-${2 ** 30}-`)}\nhost\n`);
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => ExperimentFile.open(path, smallHeader())));
  const opened = results.filter((result) => result.status === 'fulfilled');
  assert.equal(opened.length, 1);
  for (const { value } of opened) await value.close();
  assert.deepEqual(await readdir(temporary.path), ['a.ndjson']);
});

test('the name follows from the settings: found again while incomplete, left alone when complete or of another machine', async () => {
  await using temporary = await folder();
  const first = await openNamed(temporary.path, smallHeader());
  assert.match(first.path, /weir-local-[0-9a-f]{8}\.ndjson$/u);
  await first.append(recordOf(PLAN[0]!));
  await first.close();
  const again = await openNamed(temporary.path, smallHeader());
  assert.equal(again.path, first.path);
  for (const attempt of PLAN.slice(1)) await again.append(recordOf(attempt));
  await again.close();
  const second = await openNamed(temporary.path, smallHeader());
  assert.equal(second.path, first.path.replace('.ndjson', '-2.ndjson'));
  await second.close();
  const elsewhere = smallHeader({ environment: { ...smallHeader().environment, cpu: 'another' } });
  const third = await openNamed(temporary.path, elsewhere);
  assert.equal(third.path, first.path.replace('.ndjson', '-3.ndjson'));
  await third.close();
  const other = await openNamed(temporary.path, smallHeader({ seed: 2, target: '[::1]:5' }));
  assert.match(other.path, /weir--1-5-[0-9a-f]{8}\.ndjson$/u);
  await other.close();
});

test('everything that a side says comes back as it was', async () => {
  await using temporary = await folder();
  const path = temporary.of('a.ndjson');
  const experiment = fixtureExperiment();
  await writeFile(
    path,
    [experiment.header, ...experiment.iterations].map((line) => `${JSON.stringify(line)}\n`).join(''),
  );
  assert.deepEqual(await readExperiment(path), experiment);
  const [record] = experiment.iterations;
  const uneven = { ...record!, order: 999, iteration: 3, warmup: false, cell: 9 };
  const series = { ...record!.senderSeries!, rttMs: record!.senderSeries!.rttMs.slice(1) };
  const found = experiment.iterations.filter((each) => each.cell !== 9 || each.iteration !== 3);
  await writeFile(path, [experiment.header, ...found].map((line) => `${JSON.stringify(line)}\n`).join(''));
  await appendFile(path, `${JSON.stringify({ ...uneven, senderSeries: series })}\n`);
  await assert.rejects(readExperiment(path), { code: 'malformed', message: /senderSeries\.rttMs has \d+ entries/u });
});
