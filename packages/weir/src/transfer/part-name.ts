import { randomBytes } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { canFlock, formatClaim, type HeldLock, lockOwn, parseClaim, seizeAbandoned } from 'weir-quic/system';
import { cutToBytes, MAX_NAME_BYTES, PART_NAME } from './names.ts';

/** Tries while another receiver that has just started takes each new file for one that was left behind. */
const MAX_TRIES = 10;

/** A new, empty file under way. */
export interface NewPart {
  readonly path: string;
  readonly handle: FileHandle;
  /** Shows others that the file is in use. To be released when the file has its final name, or none. */
  readonly lock: HeldLock;
}

/**
 * Makes a file under way for `name`, whose own name says which process has it (system/claim.ts).
 * @throws the system's error.
 */
export async function createPart(folder: string, name: string): Promise<NewPart> {
  let isLocked = canFlock();
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const path = join(folder, partName(name, isLocked));
    const handle = await open(path, 'wx', 0o666);
    const lock = isLocked ? lockOwn(path) : NO_LOCK;
    if (lock !== undefined && lock !== 'removed') return { path, handle, lock };
    await handle.close();
    await unlink(path).catch(() => undefined);
    // A file system that locks nothing: the next name says so.
    if (lock === undefined) isLocked = false;
  }
  throw new Error('files under way are removed as soon as they are made');
}

/** Removes what receivers that are certain to be gone have left in a folder; what may be in use stays. @param entries of the folder. */
export async function removeAbandonedParts(folder: string, entries: readonly string[]): Promise<void> {
  for (const entry of entries) {
    const text = PART_NAME.test(entry) ? /\.weir-([0-9a-z-]+)-[0-9a-f]+\.part$/u.exec(entry)?.[1] : undefined;
    const claim = text === undefined ? undefined : parseClaim(text);
    if (claim === undefined) continue;
    const path = join(folder, entry);
    const seized = seizeAbandoned(path, claim);
    if (seized === undefined) continue;
    await unlink(path).catch(() => undefined);
    seized.release();
  }
}

const NO_LOCK: HeldLock = { release: () => undefined };

/** `.NAME.weir-CLAIM-RANDOM.part`, the name cut so that all of it is a legal name. */
function partName(name: string, isLocked: boolean): string {
  const end = `.weir-${formatClaim(isLocked)}-${randomBytes(5).toString('hex')}.part`;
  return `.${cutToBytes(name, MAX_NAME_BYTES - 1 - end.length)}${end}`;
}
