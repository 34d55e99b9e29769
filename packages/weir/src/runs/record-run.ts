import { messageOf } from '../text/index.ts';
import { History } from './history.ts';
import type { Run } from './run.ts';

/** Where and whether a run is kept. */
export interface RecordOptions {
  /** The user's data folder. */
  readonly folder: string;
  /** Called with one line when it could not be kept. */
  readonly warn: (message: string) => void;
  /** Default: the process's; `WEIR_HISTORY=off` keeps nothing. */
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Keeps a run, unless the user wants none kept; returns its number. Never throws: a history that cannot be written costs one
 * line, not the run.
 */
export async function recordRun(run: Run, options: RecordOptions): Promise<number | undefined> {
  if (isHistoryOff(options.env)) return undefined;
  try {
    return await new History(options.folder).record(run);
  } catch (error) {
    options.warn(`this run is not kept: ${messageOf(error)}`);
    return undefined;
  }
}

/** Whether `WEIR_HISTORY` says that nothing is to be kept: `off`, `0`, `no`, `false`. */
export function isHistoryOff(env: NodeJS.ProcessEnv = process.env): boolean {
  return ['off', '0', 'no', 'false'].includes((env.WEIR_HISTORY ?? '').toLowerCase());
}
