import { parseArgs } from 'node:util';
import { liveBytes } from 'weir-testing';
import type { Observer } from '../../src/api/index.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { EventLog } from '../../src/qlog/events.ts';
import { harshPlanOf, type Plan, planOf } from './plan.ts';
import { type Outcome, run } from './run.ts';

/** Bytes by which what is in use may have grown at the end: 8 MiB of slabs are kept for streams to come, code is compiled. */
const MOST_GROWTH = 16 << 20;

/**
 * Runs random transfers over random simulated paths: `npm run soak -- --runs 2000 [--seed N] [--harsh]`. Prints the seed of every run
 * that fails; `--run-one SEED` does that one again, with its plan, and `--trace` with everything that happened. `--harsh` draws paths
 * that keep changing. Exit status 1 when any failed, or when memory grew over all runs.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '200' },
      seed: { type: 'string', default: '1' },
      'run-one': { type: 'string' },
      trace: { type: 'boolean', default: false },
      harsh: { type: 'boolean', default: false },
    },
  });
  const one = values['run-one'];
  const plan = values.harsh ? harshPlanOf : planOf;
  if (one !== undefined) return runOne(plan(Number(one)), values.trace);
  const random = new SeededRandom(Number(values.seed));
  const seeds = Array.from({ length: Number(values.runs) }, () => random.uint32());
  await runAll(seeds, plan, values.harsh);
}

async function runOne(plan: Plan, withTrace: boolean): Promise<void> {
  console.log(JSON.stringify(plan, (_key, value) => (value === Number.POSITIVE_INFINITY ? 'Infinity' : value), 1));
  console.log(await run(plan, withTrace ? trace : undefined));
}

/** Prints each event of one end as a line: time, side, and what qlog would say. */
function trace(side: 'client' | 'server'): Observer {
  const log = new EventLog();
  return (now, event) => {
    for (const { name, data } of log.log(event)) {
      console.log(`${now.toFixed(3)} ${side} ${name.replace('quic:', '')} ${JSON.stringify(data)}`);
    }
  };
}

async function runAll(seeds: readonly number[], planOf: (seed: number) => Plan, isHarsh: boolean): Promise<void> {
  const started = performance.now();
  const failures: number[] = [];
  const outcomes: Outcome[] = [];
  let early = 0;
  for (const [i, seed] of seeds.entries()) {
    try {
      outcomes.push(await run(planOf(seed)));
    } catch (error) {
      failures.push(seed);
      console.error(`run ${i}, seed ${seed}: ${error instanceof Error ? error.stack : String(error)}`);
    }
    if (i === Math.floor(seeds.length / 10)) early = await liveBytes();
  }
  const late = await liveBytes();
  const sum = (of: (outcome: Outcome) => number) => outcomes.reduce((total, outcome) => total + of(outcome), 0);
  const seconds = (performance.now() - started) / 1000;
  console.log(
    `${seeds.length} runs in ${seconds.toFixed(1)} s: ${sum((o) => o.bytes)} bytes checked, ` +
      `${sum((o) => o.packetsSent)} packets sent, ${sum((o) => o.packetsLost)} lost, ` +
      `datagrams of more than 1,200 bytes in ${sum((o) => Number(o.datagramSize > 1200))} runs, ` +
      `${(sum((o) => o.duration) / 3_600_000).toFixed(2)} hours of virtual time, ${failures.length} failed; ` +
      `${megabytes(early)} MiB in use after a tenth of the runs, ${megabytes(late)} MiB after all`,
  );
  if (failures.length > 0) console.log(`again: npm run soak -- ${isHarsh ? '--harsh ' : ''}--run-one ${failures[0]}`);
  // A few runs say nothing.
  const hasGrown = seeds.length >= 100 && late - early > MOST_GROWTH;
  if (hasGrown) console.log('memory has grown');
  if (failures.length > 0 || hasGrown) process.exitCode = 1;
}

function megabytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

await main();
