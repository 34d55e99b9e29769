import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { messageOf, systemCode, TransferError } from './errors.ts';
import type { SourceFile } from './storage.ts';

/** Opens a file on disk for sending. Close it. @throws TransferError `source` with what is wrong with it. */
export async function openSource(path: string): Promise<SourceFile> {
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (cause) {
    throw new TransferError('source', sourceProblem(path, cause), { cause, detail: systemCode(cause) });
  }
  const stat = await handle.stat();
  if (!stat.isFile()) {
    await handle.close();
    throw new TransferError(
      'source',
      `${path} is ${stat.isDirectory() ? 'a folder' : 'no regular file'}: give one file`,
    );
  }
  return new DiskSource(path, handle, stat.size, stat.mtimeMs);
}

function sourceProblem(path: string, cause: unknown): string {
  switch (systemCode(cause)) {
    case 'ENOENT':
      return `${path} does not exist: check the file's name`;
    case 'EACCES':
    case 'EPERM':
      return `no permission to read ${path}`;
    default:
      return `cannot read ${path}: ${messageOf(cause)}`;
  }
}

class DiskSource implements SourceFile {
  readonly name: string;
  readonly size: number;
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #modifiedAt: number;

  constructor(path: string, handle: FileHandle, size: number, modifiedAt: number) {
    this.name = basename(path);
    this.size = size;
    this.#path = path;
    this.#handle = handle;
    this.#modifiedAt = modifiedAt;
  }

  async readAt(into: Uint8Array, offset: number): Promise<void> {
    let filled = 0;
    while (filled < into.length) {
      let bytesRead: number;
      try {
        ({ bytesRead } = await this.#handle.read(into, filled, into.length - filled, offset + filled));
      } catch (cause) {
        throw this.#unreadable(cause);
      }
      if (bytesRead === 0) throw this.#changed();
      filled += bytesRead;
    }
  }

  async assertUnchanged(): Promise<void> {
    const stat = await this.#handle.stat();
    if (stat.size !== this.size || stat.mtimeMs !== this.#modifiedAt) throw this.#changed();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  #unreadable(cause: unknown): TransferError {
    return new TransferError('source', `cannot read ${this.#path}: ${messageOf(cause)}`, { cause });
  }

  #changed(): TransferError {
    return new TransferError(
      'source',
      `${this.#path} changed while it was being sent: send it again when it is at rest`,
    );
  }
}
