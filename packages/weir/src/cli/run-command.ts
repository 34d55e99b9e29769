import type { Interruption } from './terminal/interruption.ts';
import type { Output } from './terminal/output.ts';

/** Runs a command's action with what every command needs, and turns its exit code into the process's. */
export type Run = (
  isJson: boolean,
  command: (output: Output, interruption: Interruption) => Promise<number>,
) => Promise<void>;
