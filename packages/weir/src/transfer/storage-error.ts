import { TransferError } from '../peer/index.ts';
import { messageOf, systemCode } from '../text/index.ts';

/** What to tell when a folder cannot be written; a TransferError stays as it is. */
export function storageError(folder: string, cause: unknown): TransferError {
  if (cause instanceof TransferError) return cause;
  const code = systemCode(cause);
  const options = { cause, detail: code };
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new TransferError(
        'no_space',
        `the disk of ${folder} is full: make room or choose another folder`,
        options,
      );
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new TransferError('storage', `no permission to write in ${folder}: choose another folder`, options);
    case 'EFBIG':
      return new TransferError('storage', `the file is too large for the file system of ${folder}`, options);
    default:
      return new TransferError('storage', `cannot write in ${folder}: ${messageOf(cause)}`, options);
  }
}
