import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs';
import { canFlock, flock } from './flock.ts';
import {
  formatProcessName,
  isOfThisBoot,
  type ProcessName,
  parseProcessName,
  processName,
  whereaboutsOf,
} from './process-name.ts';

/**
 * Whose a file is, as the file itself says it (in its name or content): a process, and whether that holds a lock on the file as long as it
 * lives. A lock is believed between processes of one kernel only: network file systems may keep it to themselves.
 */
export interface Claim {
  readonly owner: ProcessName;
  readonly isLocked: boolean;
}

/** `PROCESS-l` or, without a lock, `PROCESS-n`: digits, small letters and hyphens. */
export function formatClaim(isLocked: boolean, owner: ProcessName = processName()): string {
  return `${formatProcessName(owner)}-${isLocked ? 'l' : 'n'}`;
}

/** The claim that `formatClaim` wrote; undefined when it is none. */
export function parseClaim(text: string): Claim | undefined {
  const [, process, lock] = /^(.*)-([ln])$/u.exec(text) ?? [];
  const owner = process === undefined ? undefined : parseProcessName(process);
  return owner === undefined ? undefined : { owner, isLocked: lock === 'l' };
}

/** Neither a link nor a pipe that somebody has put there leads anywhere else, or waits. Windows knows neither flag. */
const READ_WRITE = constants.O_RDWR | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** A lock on a file that is ours. */
export interface HeldLock {
  /** Once; again it does nothing. */
  release(): void;
}

/**
 * Locks a file that this process has just made and that says so. Undefined when that cannot be done here, or when somebody has just found it
 * unlocked and removes it: then its maker makes another.
 */
export function lockOwn(path: string): HeldLock | 'removed' | undefined {
  if (!canFlock()) return undefined;
  let fd: number;
  try {
    fd = openSync(path, READ_WRITE);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'removed' : undefined;
  }
  const outcome = flock(fd);
  if (outcome === 'taken' && fstatSync(fd).nlink > 0) return held(fd);
  closeSync(fd);
  return outcome === 'impossible' ? undefined : 'removed';
}

/**
 * The right to remove a file whose owner is certain to be gone, with its lock in hand where that is possible; undefined while it may be in
 * use. To be released after the removal.
 */
export function seizeAbandoned(path: string, claim: Claim): HeldLock | undefined {
  const whereabouts = whereaboutsOf(claim.owner);
  if (whereabouts === 'running') return undefined;
  const isGone = whereabouts === 'gone';
  if (!claim.isLocked || !canFlock()) return isGone ? NO_LOCK : undefined;
  // Nobody's lock, and yet nothing known of its owner: of this kernel's processes the lock says all, of others nothing.
  return isGone || isOfThisBoot(claim.owner) ? seizeUnlocked(path, isGone) : undefined;
}

/** Whether its owner, wherever that is, is seen to hold its lock. */
export function isHeld(path: string, claim: Claim): boolean {
  if (!claim.isLocked || !canFlock()) return false;
  const lock = seizeUnlocked(path, true);
  lock?.release();
  return lock === undefined;
}

function held(fd: number): HeldLock {
  let isOpen = true;
  const release = () => {
    if (isOpen) closeSync(fd);
    isOpen = false;
  };
  return { release };
}

const NO_LOCK: HeldLock = { release: () => undefined };

function seizeUnlocked(path: string, isOwnerGone: boolean): HeldLock | undefined {
  let fd: number;
  try {
    fd = openSync(path, READ_WRITE);
  } catch {
    return undefined;
  }
  const outcome = flock(fd);
  // Another one may have removed it, and its owner's successor made a new one, since it was opened.
  const isMine = outcome !== 'held' && (outcome === 'taken' || isOwnerGone) && isStill(path, fd);
  if (isMine) return held(fd);
  closeSync(fd);
  return undefined;
}

/** Whether the open file still has this name. */
export function isStill(path: string, fd: number): boolean {
  const named = statSync(path, { throwIfNoEntry: false });
  return named !== undefined && named.ino === fstatSync(fd).ino;
}
