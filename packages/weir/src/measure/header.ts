import { randomUUID } from 'node:crypto';
import { EXPERIMENT_SCHEMA, type ExperimentHeader } from '../results/index.ts';
import { ExperimentError } from './errors.ts';
import { roundsOf } from './schedule.ts';

/** What an experiment is made of; the rest of its header follows. */
export type HeaderParts = Omit<ExperimentHeader, 'type' | 'schema' | 'id' | 'createdAt'>;

/** More iterations than anybody waits for are a mistake in the options. */
const MAX_PLAN = 100_000;

/** The header of a new experiment. @throws ExperimentError `grid` when it would have too many iterations. */
export function makeHeader(parts: HeaderParts, now = new Date()): ExperimentHeader {
  const header: ExperimentHeader = {
    type: 'experiment',
    schema: EXPERIMENT_SCHEMA,
    id: randomUUID(),
    createdAt: now.toISOString(),
    ...parts,
  };
  const count = header.cells.length * (header.warmup + roundsOf(header));
  if (count > MAX_PLAN)
    throw new ExperimentError('grid', `that would be ${count} iterations, ${MAX_PLAN} are the most: ask for fewer`);
  return header;
}
