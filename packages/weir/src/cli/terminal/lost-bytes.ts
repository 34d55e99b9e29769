import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { CliError, ExitCode } from '../exit-codes.ts';

/** What Node puts in the place of bytes that are no UTF-8. */
const REPLACEMENT = '\ufffd';

/**
 * Refuses a command line with names that are no UTF-8: Node has put other characters in the place of their bytes, so that they name
 * files which are not there, or others.
 * @param raw the process's arguments as the system has them, each ended by a zero byte; undefined where it doesn't tell.
 * @throws CliError.
 */
export function refuseLostBytes(args: readonly string[] = process.argv, raw = commandLine()): void {
  // A name may have that character itself.
  if (raw !== undefined && isUtf8(raw)) return;
  const lost = args.find((arg) => arg.includes(REPLACEMENT));
  if (lost === undefined) return;
  throw new CliError(
    ExitCode.USAGE,
    `'${lost}' is no UTF-8, and Node cannot name such a file: rename it, or give a link to it (ln -s)`,
  );
}

function commandLine(): Uint8Array | undefined {
  try {
    return readFileSync('/proc/self/cmdline');
  } catch {
    return undefined;
  }
}
