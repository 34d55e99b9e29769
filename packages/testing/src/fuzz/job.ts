import { liveBytes } from '../live-bytes.ts';
import { loadTargets } from './targets.ts';
import { Watchdog } from './watchdog.ts';
import { runWatched } from './watched.ts';

/** What a job is told, on its first message: the seeds to run, in order. */
export interface JobOrder {
  /** The addresses of the modules with the targets. */
  readonly modules: readonly string[];
  readonly seeds: readonly number[];
  readonly target: string | undefined;
}

/** What a job tells. */
export type JobMessage =
  /** It begins with this input. */
  | { readonly type: 'begin'; readonly index: number }
  /** The last input failed. */
  | { readonly type: 'failed'; readonly seed: number; readonly reason: string }
  /** All are done. Milliseconds of CPU; bytes of the heap without garbage, after a tenth of the inputs and at the end. */
  | { readonly type: 'done'; readonly costs: readonly TargetCost[]; readonly early: number; readonly late: number };

/** What the inputs of one target cost: CPU in milliseconds, and growth of memory in bytes. */
export interface TargetCost {
  readonly target: string;
  inputs: number;
  cpu: number;
  mostCpu: number;
  /** The input that took the most. */
  slowest: number;
  mostGrowth: number;
}

process.once('message', (order: JobOrder) => void work(order));

async function work({ modules, seeds, target: only }: JobOrder): Promise<void> {
  const targets = await loadTargets(modules);
  const watchdog = new Watchdog();
  const costs = new Map<string, TargetCost>();
  let early = 0;
  for (const [index, seed] of seeds.entries()) {
    watchdog.next();
    // Until it has been told: what runs when the process dies must be known.
    await tell({ type: 'begin', index });
    try {
      const { target, cpu, growth } = await runWatched(targets, seed, only);
      count(costs, target, seed, cpu, growth);
    } catch (error) {
      await tell({
        type: 'failed',
        seed,
        reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    }
    if (index === Math.floor(seeds.length / 10)) early = await liveBytes();
  }
  await tell({ type: 'done', costs: [...costs.values()], early, late: await liveBytes() });
  process.disconnect();
}

function count(costs: Map<string, TargetCost>, target: string, seed: number, cpu: number, growth: number): void {
  const cost = costs.get(target) ?? { target, inputs: 0, cpu: 0, mostCpu: 0, slowest: seed, mostGrowth: 0 };
  costs.set(target, cost);
  cost.inputs++;
  cost.cpu += cpu;
  if (cpu > cost.mostCpu) {
    cost.mostCpu = cpu;
    cost.slowest = seed;
  }
  cost.mostGrowth = Math.max(cost.mostGrowth, growth);
}

function tell(message: JobMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send!(message, undefined, undefined, (error) => (error === null ? resolve() : reject(error)));
  });
}
