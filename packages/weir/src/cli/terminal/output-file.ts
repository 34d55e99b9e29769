import { constants, type Stats } from 'node:fs';
import { access, open, realpath, stat, unlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { messageOf, systemCode, writeWholeFile } from '../../text/index.ts';
import { numberedName } from '../../transfer/index.ts';
import { CliError, ExitCode } from '../exit-codes.ts';

/**
 * Sees that a file can be written where it is to go: said before the work, not after an hour of it.
 * @param mayReplace whether a file that is there may be.
 * @throws CliError that says which.
 */
export async function checkOutputFile(path: string, mayReplace: boolean): Promise<void> {
  try {
    const found = await find(path);
    if (found?.isDirectory() === true) throw new CliError(ExitCode.FILE, `${path} is a folder: name a file in it`);
    if (found?.isFile() === true && !mayReplace)
      throw new CliError(ExitCode.FILE, `${path} is there already: name another file, or give --overwrite`);
    if (found === undefined || found.isFile()) await tryDraft(found === undefined ? path : await realpath(path));
    else await access(path, constants.W_OK);
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

/** The path, or the first of `NAME (1).EXT`, `NAME (2).EXT`, … for which no file is there, nor under the names beside it. */
export async function freePath(path: string, beside: (path: string) => readonly string[] = () => []): Promise<string> {
  for (let number = 0; ; number++) {
    const free = number === 0 ? path : join(dirname(path), numberedName(basename(path), number));
    const taken = await Promise.all([free, ...beside(free)].map(async (each) => (await find(each))?.isFile() === true));
    if (!taken.includes(true)) return free;
  }
}

/** Writes a whole file or none: one that was there stays until the new one is whole. @throws CliError. */
export async function writeOutputFile(path: string, content: string | AsyncIterable<string>): Promise<void> {
  try {
    const found = await find(path);
    // A device or a pipe is written to, not replaced: /dev/stdout.
    if (found !== undefined && !found.isFile()) return await write(path, content);
    const target = found === undefined ? path : await realpath(path);
    await writeWholeFile(target, content);
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

/** Makes an empty draft beside the file and removes it: rights alone do not tell on a read-only file system, or on one such as /proc. */
function tryDraft(path: string): Promise<void> {
  return writeWholeFile(path, '', { publish: (draft) => unlink(draft) });
}

async function write(path: string, content: string | AsyncIterable<string>): Promise<void> {
  const file = await open(path, 'w');
  try {
    await writeFile(file, content);
  } finally {
    await file.close();
  }
}

/** @returns undefined when nothing is there. */
async function find(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function cannotWrite(path: string, error: unknown): CliError {
  if (error instanceof CliError) return error;
  return new CliError(ExitCode.FILE, `cannot write ${path}: ${messageOf(error)}`);
}
