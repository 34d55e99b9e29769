import { createHash } from 'node:crypto';

/** One iteration that is to be run. */
export interface Attempt {
  /** Index into the experiment's cells. */
  readonly cell: number;
  /** Within the cell, from 1; warm-ups for themselves. */
  readonly iteration: number;
  readonly warmup: boolean;
  /** Position in the plan, from 1. */
  readonly order: number;
}

/** What the order of an experiment follows from. */
export interface OrderSettings {
  readonly cells: number;
  readonly warmup: number;
  /** Counted iterations of each cell. */
  readonly rounds: number;
  readonly seed: number;
}

/**
 * Every iteration of an experiment in the order in which they run: the rounds of warm-ups first, then the counted rounds. A
 * round holds every cell once, shuffled, so that whatever drifts during the run (heat, other programs, the network) meets all
 * cells alike. The order within a round depends on nothing but the seed, the round and the number of cells: more rounds leave
 * the earlier ones as they are.
 */
export function planOf({ cells, warmup, rounds, seed }: OrderSettings): Attempt[] {
  const plan: Attempt[] = [];
  const add = (round: number, isWarmup: boolean) => {
    for (const cell of shuffledRound(cells, `${seed}/${isWarmup ? 'warmup' : 'iteration'}/${round}`)) {
      plan.push({ cell, iteration: round, warmup: isWarmup, order: plan.length + 1 });
    }
  };
  for (let round = 1; round <= warmup; round++) add(round, true);
  for (let round = 1; round <= rounds; round++) add(round, false);
  return plan;
}

/** The numbers below `count`, each with the hash of its name for a sort key: the same everywhere and at all times. */
function shuffledRound(count: number, name: string): number[] {
  const keys = Array.from({ length: count }, (_, cell) => createHash('sha256').update(`${name}/${cell}`).digest('hex'));
  return [...keys.keys()].sort((a, b) => (keys[a]! < keys[b]! ? -1 : 1));
}
