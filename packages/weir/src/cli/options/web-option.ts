import type { Command } from 'commander';
import { type LiveWeb, startLiveWeb } from '../../live/index.ts';
import { messageOf } from '../../text/index.ts';
import type { Output } from '../terminal/output.ts';

/** Adds `--web`. */
export function addWebOption(command: Command): Command {
  return command.option('--web', 'follow the run on a page of this machine; prints its address', false);
}

/** Starts the page and says where it is. That it cannot be is one line, not the end. */
export async function openWeb(
  wanted: boolean | undefined,
  title: string,
  output: Output,
): Promise<LiveWeb | undefined> {
  if (wanted !== true) return undefined;
  try {
    const web = await startLiveWeb({ title });
    output.print(`live at ${web.url}`);
    return web;
  } catch (error) {
    output.error(`no page for --web: ${messageOf(error)}`);
    return undefined;
  }
}
