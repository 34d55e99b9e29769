import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, unlinkSync } from 'node:fs';
import { link, readFile, unlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { messageOf, systemCode } from '../transfer/index.ts';
import { ExperimentError } from './errors.ts';

/** Who holds a lock. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process began, in the kernel's own unit: process numbers are used again. Empty where that cannot be told. */
  readonly started: string;
}

/** Tries of taking over a dead process's lock while others do the same. */
const MAX_TRIES = 10;

/**
 * The right to write to a file: a file beside it, `PATH.lock`, that says which process has it. A lock whose process is gone
 * (killed, or the machine went down) is taken over.
 */
export class FileLock {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** @throws ExperimentError `locked` when a living process has it, `file` when the folder cannot be written. */
  static async take(path: string): Promise<FileLock> {
    const lock = `${path}.lock`;
    const draft = `${lock}.${randomBytes(4).toString('hex')}`;
    const mine = JSON.stringify(holderOf(process.pid));
    try {
      await writeFile(draft, mine, { flag: 'wx' });
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        if (await isLinked(draft, lock)) return new FileLock(lock);
        discardIfDead(lock, path);
      }
    } catch (error) {
      if (error instanceof ExperimentError) throw error;
      throw new ExperimentError('file', `cannot write beside ${path}: ${messageOf(error)}`);
    } finally {
      await unlink(draft).catch(() => undefined);
    }
    throw new ExperimentError('locked', `${lock} comes and goes: other processes want ${path}, too`);
  }

  async release(): Promise<void> {
    await unlink(this.#path).catch(() => undefined);
  }
}

/** Gives the draft its name unless there is one: content and name in one step. */
async function isLinked(draft: string, lock: string): Promise<boolean> {
  try {
    await link(draft, lock);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    // A file system without hard links: two steps must do.
    return writeFile(lock, await readFile(draft), { flag: 'wx' }).then(
      () => true,
      (failure: unknown) => {
        if (systemCode(failure) === 'EEXIST') return false;
        throw failure;
      },
    );
  }
}

/** In one go: while a living process's lock is aside by mistake, nobody should find the place free. */
function discardIfDead(lock: string, path: string): void {
  const text = readIfThere(lock);
  if (text === undefined) return;
  const holder = parseHolder(text);
  if (holder !== undefined && isAlive(holder)) {
    const where = holder.host === hostname() ? '' : ` on ${holder.host}`;
    const advice = where === '' ? 'wait for it or stop it' : `if it is not running there any more, remove ${lock}`;
    throw new ExperimentError('locked', `process ${holder.pid}${where} is writing to ${path}: ${advice}`);
  }
  // By another name first: of several who find it dead, one moves it, and sees if it has moved a new one instead.
  const aside = `${lock}.${randomBytes(4).toString('hex')}`;
  try {
    renameSync(lock, aside);
  } catch {
    return;
  }
  if (readIfThere(aside) !== text) linkSync(aside, lock);
  unlinkSync(aside);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function parseHolder(text: string): Holder | undefined {
  try {
    const { pid, host, started } = JSON.parse(text) as Partial<Holder>;
    if (typeof pid === 'number' && pid > 0 && typeof host === 'string' && typeof started === 'string')
      return { pid, host, started };
  } catch {
    // Cut off: its writer is gone.
  }
  return undefined;
}

/** Of another machine nothing is known: it counts as alive. */
function isAlive(holder: Holder): boolean {
  if (holder.host !== hostname()) return true;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if (systemCode(error) === 'ESRCH') return false;
  }
  return holder.started === startedAt(holder.pid);
}

function holderOf(pid: number): Holder {
  return { pid, host: hostname(), started: startedAt(pid) };
}

/** Field 22 of Linux's /proc/PID/stat; the command before it is in brackets and may hold anything (proc(5)). */
function startedAt(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
