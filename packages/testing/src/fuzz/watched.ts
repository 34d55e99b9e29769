import { usedBytes } from '../live-bytes.ts';
import { inputOf, type Targets } from './targets.ts';

/** Milliseconds of CPU that one input may take, and bytes by which the heap and its buffers may grow in it, garbage included. */
const MOST_CPU = 3000;
const MOST_GROWTH = 64 << 20;

/** What one input cost. */
export interface Cost {
  readonly target: string;
  /** Milliseconds of CPU of the whole process. */
  readonly cpu: number;
  /** Bytes; negative when garbage was collected meanwhile. */
  readonly growth: number;
}

/**
 * Runs the input of a seed, of the target `only` or the one that the seed draws.
 * @throws what it throws, and an Error when it took more than an input may.
 */
export async function runWatched(targets: Targets, seed: number, only: string | undefined): Promise<Cost> {
  const { target, run } = inputOf(targets, seed, only);
  const before = usedBytes();
  const started = cpuTime();
  await run();
  const cost = { target, cpu: cpuTime() - started, growth: usedBytes() - before };
  if (cost.cpu > MOST_CPU) throw new Error(`it took ${cost.cpu.toFixed(0)} ms of CPU`);
  if (cost.growth > MOST_GROWTH) throw new Error(`memory grew by ${(cost.growth / 2 ** 20).toFixed(0)} MiB`);
  return cost;
}

/** Milliseconds of CPU that this process has used. */
export function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
