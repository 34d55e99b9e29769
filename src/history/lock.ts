import { closeSync, openSync, readFileSync, rmdirSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';

/** Milliseconds after which a lock counts as left behind whoever holds it: what it is held for takes a fraction of a second. */
const ABANDONED_AFTER = 60_000;

/** Milliseconds that its maker has to write its name into a new lock. */
const UNNAMED_AFTER = 2_000;

/**
 * Locks a file for this process, through another file beside it that says who holds it; undefined when somebody else does. A
 * holder that was killed is noticed at once. Returns what unlocks it. Throws the system's error when the folder cannot be written.
 */
export function tryLock(path: string): (() => void) | undefined {
  const lock = `${path}.busy`;
  if (!create(lock)) {
    if (!isAbandoned(lock)) return undefined;
    takeAway(lock);
    if (!create(lock)) return undefined;
  }
  return () => remove(lock);
}

/**
 * Takes away the folder that node-sqlite3-wasm locks a database with. To be called by the holder of our own lock: then the folder
 * is of a process that was killed, and SQLite rolls back what it left half done.
 */
export function removeLeftFolder(database: string): void {
  try {
    rmdirSync(`${database}.lock`);
  } catch {
    // There is none, as nearly always.
  }
}

/** Whether the file was made: it is there once, and says who made it. */
function create(path: string): boolean {
  let file: number;
  try {
    file = openSync(path, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  try {
    writeSync(file, `${process.pid} ${hostname()}\n`);
  } finally {
    closeSync(file);
  }
  return true;
}

/** Removes an abandoned lock. One process at a time does, and looks again: the lock may be somebody's by now. */
function takeAway(lock: string): void {
  const turn = `${lock}.turn`;
  if (!create(turn)) {
    if (ageOf(turn) > ABANDONED_AFTER) remove(turn);
    return;
  }
  try {
    if (isAbandoned(lock)) remove(lock);
  } finally {
    remove(turn);
  }
}

function isAbandoned(lock: string): boolean {
  const age = ageOf(lock);
  if (age > ABANDONED_AFTER) return true;
  const [, pid, host] = /^(\d+) (.*)\n$/u.exec(contentOf(lock)) ?? [];
  if (pid === undefined) return age > UNNAMED_AFTER;
  return host === hostname() && !isAlive(Number(pid));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It may be another user's, which we may not signal.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Milliseconds since the file was made; 0 when it is gone: whoever wants it tries again. */
function ageOf(path: string): number {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Gone already.
  }
}
