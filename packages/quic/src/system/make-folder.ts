import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder, with those above it; one that is there is left as it is. Not mkdir's own `recursive`: Node 20's never ends where a
 * folder cannot be made although the one above it is there (below /proc, in a folder that was removed).
 * @param mode of the folders that are made, less the process's umask.
 * @throws the system's error: ENOENT where nothing can be made, ENOTDIR where something else has the name, EACCES, EROFS, …
 */
export function makeFolder(folder: string, mode = 0o777): void {
  try {
    mkdirSync(folder, mode);
  } catch (error) {
    if (isFolder(folder)) return;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw notAFolder(folder);
    const above = dirname(folder);
    if (code !== 'ENOENT' || existsSync(above)) throw error;
    makeFolder(above, mode);
    makeOne(folder, mode);
  }
}

/** Another process may be quicker. */
function makeOne(folder: string, mode: number): void {
  try {
    mkdirSync(folder, mode);
  } catch (error) {
    if (!isFolder(folder)) throw error;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function notAFolder(path: string): Error {
  return Object.assign(new Error(`ENOTDIR: not a folder, mkdir '${path}'`), {
    code: 'ENOTDIR',
    syscall: 'mkdir',
    path,
  });
}
