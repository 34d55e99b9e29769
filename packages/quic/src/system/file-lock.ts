import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { type Claim, formatClaim, isHeld, isStill, parseClaim, seizeAbandoned } from './claim.ts';
import { flock } from './flock.ts';
import { type Whereabouts, whereaboutsOf } from './process-name.ts';

/** Tries while other processes take and leave the same lock. */
const MAX_TRIES = 10;

/** Milliseconds that a lock's maker has to write its name into it, where it cannot be made with its content. */
const UNNAMED_FOR = 2000;

/** In place of a lock's text. */
const UNREADABLE = '?';

/** Who has a lock that this process does not get. */
export interface LockHolder {
  readonly whereabouts: Whereabouts;
  /** Undefined where the lock does not tell, or not yet. */
  readonly pid: number | undefined;
  readonly host: string | undefined;
}

/**
 * The right to something, as a file: its name is the right, its first line the claim of the process that has it (claim.ts), its second that
 * process's host, for people. It is taken over when the process is certain to be gone.
 */
export class FileLock {
  readonly path: string;
  /** Open, and locked where that works. */
  readonly #fd: number;

  private constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
  }

  /**
   * Takes the lock `path`, or tells who has it. Does not wait.
   * @param abandonedAfter milliseconds after which one of whose holder nothing is known is taken over; by default it never is.
   * @throws the system's error when the folder cannot be written.
   */
  static take(path: string, abandonedAfter = Number.POSITIVE_INFINITY): FileLock | LockHolder {
    let text: string | undefined;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      text = readIfThere(path);
      if (text === undefined) {
        const fd = publish(path);
        if (fd !== undefined) return new FileLock(path, fd);
      } else if (!takeAway(path, text, abandonedAfter)) {
        return holderOf(text);
      }
    }
    return holderOf(text ?? '');
  }

  /** The next one may have it. A lock that was taken over stays with who did that. */
  release(): void {
    try {
      if (isStill(this.path, this.#fd)) unlinkSync(this.path);
    } catch {
      // It is gone already.
    }
    closeSync(this.#fd);
  }
}

/** Makes the lock, content and name in one step; undefined when another process was quicker. Returns its descriptor. */
function publish(path: string): number | undefined {
  const draft = besides(path);
  const fd = openSync(draft, 'wx+', 0o644);
  let isPublished = false;
  try {
    writeSync(fd, `${formatClaim(flock(fd) === 'taken')}\n${hostname()}\n`);
    isPublished = isLinked(draft, path);
    return isPublished ? fd : undefined;
  } catch (error) {
    if (!isWithoutLinks(error)) throw error;
    return publishEmpty(path);
  } finally {
    if (!isPublished) closeSync(fd);
    removeQuietly(draft);
  }
}

function isLinked(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** On a file system without hard links (FAT, some network ones) there is a moment in which the lock is empty. */
function publishEmpty(path: string): number | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'wx+', 0o644);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return undefined;
    throw error;
  }
  writeSync(fd, `${formatClaim(flock(fd) === 'taken')}\n${hostname()}\n`);
  return fd;
}

/** Takes an abandoned lock away; false when it may be in use. */
function takeAway(path: string, text: string, abandonedAfter: number): boolean {
  const claim = claimOf(text);
  const seized = claim === undefined ? undefined : seizeAbandoned(path, claim);
  try {
    if (seized !== undefined) return moveAside(path, text);
    if (claim === undefined && isUnfinished(text)) return ageOf(path) > UNNAMED_FOR && moveAside(path, text);
    const isUnknown = claim === undefined || (whereaboutsOf(claim.owner) === 'unknown' && !isHeld(path, claim));
    return isUnknown && Number.isFinite(abandonedAfter) && ageOf(path) > abandonedAfter && moveAside(path, text);
  } finally {
    seized?.release();
  }
}

/** Of several who find it abandoned, one moves it to another name, and sees there if it has caught a new one instead. */
function moveAside(path: string, text: string): boolean {
  const aside = besides(path);
  try {
    renameSync(path, aside);
  } catch {
    // Another one was quicker.
    return true;
  }
  if (readIfThere(aside) !== text) isLinked(aside, path);
  removeQuietly(aside);
  return true;
}

function holderOf(text: string): LockHolder {
  const claim = claimOf(text);
  if (claim === undefined) return { whereabouts: 'unknown', pid: undefined, host: undefined };
  const whereabouts = whereaboutsOf(claim.owner);
  return { whereabouts, pid: claim.owner.pid, host: text.split('\n')[1] };
}

function claimOf(text: string): Claim | undefined {
  return parseClaim(text.split('\n', 1)[0]!);
}

/** Whether a lock's maker has not come to the end of writing its name, and was perhaps killed in it. */
function isUnfinished(text: string): boolean {
  return /^[0-9a-z-]*$/u.test(text);
}

/** Milliseconds since the file was made, by the clock of its file system, which may be another machine's; 0 when it is gone. */
function ageOf(path: string): number {
  const probe = besides(path);
  const fd = openSync(probe, 'wx', 0o600);
  try {
    const made = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    return made === undefined ? 0 : fstatSync(fd).mtimeMs - made;
  } finally {
    closeSync(fd);
    removeQuietly(probe);
  }
}

function besides(path: string): string {
  return `${path}.${randomBytes(5).toString('hex')}`;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    // One that may not be read is somebody's.
    return codeOf(error) === 'ENOENT' ? undefined : UNREADABLE;
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It is gone already.
  }
}

function isWithoutLinks(error: unknown): boolean {
  return ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EACCES', 'EINVAL', 'EISDIR'].includes(codeOf(error));
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}
