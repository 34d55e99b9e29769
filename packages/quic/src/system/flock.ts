import { constants, platform } from 'node:os';
import { loadKoffi, type NativeFunction } from '../native/koffi.ts';

/** flock(2)'s numbers, the same on Linux and macOS. */
const LOCK_EX = 2;
const LOCK_NB = 4;

/** What came of trying to lock an open file: we have it, another open file has it, or it cannot be told here. */
export type FlockOutcome = 'taken' | 'held' | 'impossible';

let native: NativeFunction | undefined;
let errno: (() => number) | undefined;

/** Whether files can be locked at all: where koffi is installed, on Linux and macOS. A file system may still refuse. */
export function canFlock(): boolean {
  if (native !== undefined) return true;
  const koffi = platform() === 'linux' || platform() === 'darwin' ? loadKoffi() : undefined;
  if (koffi === undefined) return false;
  native = koffi.load(null).func('int flock(int, int)');
  errno = () => koffi.errno();
  return true;
}

/**
 * Locks an open file without waiting (flock(2)). The kernel holds the lock until the descriptor is closed, and lets go of it when the process
 * ends, however it ends; it is seen across containers. @param fd opened for writing, which network file systems demand.
 */
export function flock(fd: number): FlockOutcome {
  if (!canFlock()) return 'impossible';
  for (;;) {
    if (native!(fd, LOCK_EX | LOCK_NB) === 0) return 'taken';
    const code = errno!();
    if (code === constants.errno.EWOULDBLOCK) return 'held';
    if (code !== constants.errno.EINTR) return 'impossible';
  }
}
