import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordOf, smallHeader } from '../../test/support/experiment-records.ts';
import type { IterationRecord } from '../results/index.ts';
import { ExperimentError } from './errors.ts';
import { planOf } from './order.ts';
import { attemptKey } from './read-experiment.ts';
import { attemptSeed, type Bench, type Measurement, type RunOptions, runExperiment } from './runner.ts';

const MEASURED: Measurement = {
  bytes: 1000,
  wallMs: 4,
  cpuMs: 1,
  sender: null,
  receiver: null,
  senderSeries: null,
  receiverSeries: null,
};

/** A run on a clock of its own, with a bench that answers by number of the call. */
function setUp(answer: (call: number) => Measurement | Error, header = smallHeader(), earlier: IterationRecord[] = []) {
  const written: IterationRecord[] = [];
  const seeds: number[] = [];
  const controller = new AbortController();
  let now = 0;
  const bench: Bench = {
    async measure(_cell, { seed }) {
      now += 5;
      seeds.push(seed);
      const result = answer(seeds.length);
      if (result instanceof Error) throw result;
      return result;
    },
  };
  const options: RunOptions = {
    sink: { header, earlier, append: async (record) => void written.push(record) },
    bench,
    signal: controller.signal,
    clock: { now: () => now, date: () => new Date(1_700_000_000_000 + now) },
  };
  return { options, written, seeds, controller, header };
}

test('runs the plan in order, writes each iteration before the next, with its rate', async () => {
  const { options, written, seeds, header } = setUp(() => MEASURED);
  const seen: string[] = [];
  const outcome = await runExperiment({
    ...options,
    events: {
      onStart: ({ order }) => seen.push(`start ${order}, ${written.length} written`),
      onRecord: ({ order }, _cell, { leftMs }) => seen.push(`done ${order}, ${leftMs} ms left`),
    },
  });
  assert.deepEqual(outcome, { added: 8, failed: 0, isComplete: true, lastError: undefined });
  const plan = planOf({ cells: 2, warmup: 1, rounds: 3, seed: header.seed });
  assert.deepEqual(written.map(attemptKey), plan.map(attemptKey));
  assert.deepEqual(
    seeds,
    plan.map(({ order }) => attemptSeed(header.seed, order)),
    'chance of its own for each',
  );
  assert.deepEqual(
    written[0],
    recordOf(plan[0]!, { startedAt: '2023-11-14T22:13:20.000Z', bytesPerMs: 250, ...MEASURED }),
  );
  assert.deepEqual(seen.slice(0, 4), [
    'start 1, 0 written',
    'done 1, 35 ms left',
    'start 2, 1 written',
    'done 2, 30 ms left',
  ]);
});

test('a failure is recorded and the run goes on; three in a row end it', async () => {
  const some = setUp((call) => (call === 2 || call === 4 || call === 5 ? new Error('no\nanswer') : MEASURED));
  const outcome = await runExperiment(some.options);
  assert.equal(outcome.failed, 3);
  assert.ok(!outcome.isComplete);
  assert.deepEqual(
    some.written.map(({ status }) => status.slice(0, 4)),
    [...['comp', 'fail', 'comp', 'fail'], ...['fail', 'comp', 'comp', 'comp']],
  );
  assert.equal(some.written[1]!.message, 'no answer');
  assert.equal(some.written[1]!.bytesPerMs, null);

  const all = setUp(() => new Error('gone'));
  await assert.rejects(runExperiment(all.options), {
    code: 'failing',
    message: '3 iterations failed one after the other, the last with: gone',
  });
  assert.equal(all.written.length, 3);

  const hopeless = setUp(() => new Error('wrong token'));
  await assert.rejects(runExperiment({ ...hopeless.options, isHopeless: () => true }), { message: 'wrong token' });
  assert.equal(hopeless.written.length, 1);
});

test('stopped: the iteration under way leaves nothing, the file has the ones before', async () => {
  const run = setUp((call) => {
    if (call < 4) return MEASURED;
    run.controller.abort();
    return new Error('aborted');
  });
  await assert.rejects(
    runExperiment(run.options),
    (error) => error instanceof ExperimentError && error.code === 'stopped',
  );
  assert.equal(run.written.length, 3);
});

test('stopped while a line is written: it is whole, and nothing follows', async () => {
  const run = setUp(() => MEASURED);
  const append = async (record: IterationRecord) => {
    run.controller.abort();
    run.written.push(record);
  };
  await assert.rejects(runExperiment({ ...run.options, sink: { ...run.options.sink, append } }), { code: 'stopped' });
  assert.equal(run.written.length, 1);
});

test('a process that resumes after the warm-ups warms up once more, and does not record it', async () => {
  const plan = planOf({ cells: 2, warmup: 1, rounds: 3, seed: 1 });
  const earlier = plan.slice(0, 5).map((attempt) => recordOf(attempt));
  const { options, written, seeds } = setUp(() => MEASURED, smallHeader(), earlier);
  const unrecorded: boolean[] = [];
  const outcome = await runExperiment({
    ...options,
    events: { onStart: (_a, _c, flag) => void unrecorded.push(flag) },
  });
  assert.deepEqual(outcome, { added: 3, failed: 0, isComplete: true, lastError: undefined });
  assert.deepEqual(written.map(attemptKey), plan.slice(5).map(attemptKey));
  assert.equal(seeds.length, 4);
  assert.deepEqual(unrecorded, [true, false, false, false]);
});
