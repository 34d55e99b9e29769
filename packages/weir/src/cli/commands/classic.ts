import type { Command } from 'commander';
import type { Run } from '../run-command.ts';
import { addClassicSendCommand } from './classic-send.ts';
import { addClassicServeCommand } from './classic-serve.ts';

/** Adds `weir classic serve` and `weir classic send`. */
export function addClassicCommands(program: Command, run: Run): void {
  const classic = program
    .command('classic')
    .description('speak the plain-UDP protocol of the notebook that weir began with: no encryption, no authentication');
  addClassicServeCommand(classic, run);
  addClassicSendCommand(classic, run);
}
