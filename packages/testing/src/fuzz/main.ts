import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { SeededRandom } from 'weir-quic/random';
import type { JobMessage, JobOrder, TargetCost } from './job.ts';
import { inputOf, loadTargets, type Targets } from './targets.ts';
import { runWatched } from './watched.ts';

/** Live bytes by which a job's heap may have grown between a tenth of its inputs and all: caches fill, code is compiled. */
const MOST_LEAKED = 16 << 20;

/** What is fuzzed: all targets of these modules, or one of them. */
interface Choice {
  readonly modules: readonly string[];
  readonly targets: Targets;
  readonly target: string | undefined;
}

/** A failed input. */
interface Failure {
  readonly seed: number;
  readonly reason: string;
}

/**
 * Inputs made to do harm, each from its seed: `npm run fuzz -- --runs 100000 [--seed N] [--target NAME] [--jobs N]`. Prints the seed of each
 * that failed; `--run-one SEED` does that one again. Exit status 1 when any failed.
 * @param modules the addresses of modules that export `TARGETS`.
 */
export async function fuzz(modules: readonly string[]): Promise<void> {
  const targets = await loadTargets(modules);
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '100000' },
      seed: { type: 'string', default: '1' },
      target: { type: 'string' },
      jobs: { type: 'string', default: String(availableParallelism()) },
      'run-one': { type: 'string' },
    },
  });
  const { target } = values;
  if (target !== undefined && !Object.hasOwn(targets, target))
    throw new Error(`--target ${target}: use one of ${Object.keys(targets).join(', ')}`);
  const choice: Choice = { modules, targets, target };
  const one = values['run-one'];
  if (one !== undefined) return runOne(Number(one), choice);
  const random = new SeededRandom(Number(values.seed));
  const seeds = Array.from({ length: Number(values.runs) }, () => random.uint32());
  await runAll(seeds, choice, Number(values.jobs));
}

async function runOne(seed: number, { targets, target }: Choice): Promise<void> {
  console.log(`seed ${seed}: ${inputOf(targets, seed, target).target}`);
  console.log(await runWatched(targets, seed, target));
}

async function runAll(seeds: readonly number[], choice: Choice, jobs: number): Promise<void> {
  const started = performance.now();
  const parts = Array.from({ length: jobs }, (_, job) => seeds.filter((_, i) => i % jobs === job));
  const results = await Promise.all(parts.filter(({ length }) => length > 0).map((part) => runPart(part, choice)));
  const failures = results.flatMap((result) => result.failures);
  report(results.flatMap((result) => result.costs));
  const seconds = (performance.now() - started) / 1000;
  console.log(`${seeds.length} inputs in ${seconds.toFixed(1)} s, ${failures.length} failed`);
  const [first] = failures;
  if (first === undefined) return;
  const how = choice.target === undefined ? '' : ` --target ${choice.target}`;
  console.log(`again: npm run fuzz -- --run-one ${first.seed}${how}`);
  process.exitCode = 1;
}

/** Runs inputs in a process of their own, and goes on behind one that kills it. */
async function runPart(
  seeds: readonly number[],
  { modules, targets, target }: Choice,
): Promise<{ failures: Failure[]; costs: TargetCost[] }> {
  const failures: Failure[] = [];
  const costs: TargetCost[] = [];
  const fail = (failure: Failure) => {
    failures.push(failure);
    console.error(`seed ${failure.seed}, ${inputOf(targets, failure.seed, target).target}: ${failure.reason}`);
  };
  for (let left = seeds; left.length > 0; ) {
    const { done, reached, status } = await runJob({ modules, seeds: left, target }, fail);
    if (done !== undefined) {
      costs.push(...done.costs);
      const grown = done.late - done.early;
      // A few inputs say nothing.
      if (left.length >= 1000 && grown > MOST_LEAKED)
        fail({ seed: left.at(-1)!, reason: `live memory grew by ${(grown / 2 ** 20).toFixed(1)} MiB over all inputs` });
      break;
    }
    fail({ seed: left[reached]!, reason: `the process ended with ${status}` });
    left = left.slice(reached + 1);
  }
  return { failures, costs };
}

type Done = Extract<JobMessage, { type: 'done' }>;

function runJob(
  order: JobOrder,
  fail: (failure: Failure) => void,
): Promise<{ done: Done | undefined; reached: number; status: string }> {
  return new Promise((resolve, reject) => {
    const job = fork(new URL('job.js', import.meta.url));
    let done: Done | undefined;
    let reached = 0;
    job.on('message', (message: JobMessage) => {
      if (message.type === 'begin') reached = message.index;
      else if (message.type === 'failed') fail(message);
      else done = message;
    });
    job.on('error', reject);
    job.on('close', (code, signal) => resolve({ done, reached, status: signal ?? `status ${code}` }));
    job.send(order);
  });
}

/** A line for each target: inputs, milliseconds of CPU on average and at most, memory at most. */
function report(costs: readonly TargetCost[]): void {
  for (const target of new Set(costs.map((cost) => cost.target))) {
    const own = costs.filter((cost) => cost.target === target);
    const inputs = own.reduce((sum, cost) => sum + cost.inputs, 0);
    const cpu = own.reduce((sum, cost) => sum + cost.cpu, 0);
    const slowest = own.reduce((a, b) => (a.mostCpu > b.mostCpu ? a : b));
    const growth = Math.max(...own.map(({ mostGrowth }) => mostGrowth));
    console.log(
      `${target.padEnd(20)} ${String(inputs).padStart(7)} inputs, ${(cpu / inputs).toFixed(2)} ms each, ` +
        `${slowest.mostCpu.toFixed(0)} ms at most (seed ${slowest.slowest}), ${(growth / 2 ** 20).toFixed(1)} MiB at most`,
    );
  }
}
