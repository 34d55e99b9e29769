/** What is asked of this machine's files and processes. */
export { type Claim, formatClaim, type HeldLock, lockOwn, parseClaim, seizeAbandoned } from './claim.ts';
export { FileLock, type LockHolder } from './file-lock.ts';
export { canFlock } from './flock.ts';
export { makeFolder } from './make-folder.ts';
export type { ProcessName, Whereabouts } from './process-name.ts';
export { ReceiveFailures } from './receive-failures.ts';
