import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { TransferError } from '../peer/index.ts';
import { messageOf, systemCode } from '../text/index.ts';
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
  return stat.size === 0 ? openUnsized(path, handle) : new DiskSource(path, handle, stat.size, stat.mtimeMs);
}

/** The most that is taken of a file whose size reads as 0. Bytes. */
const MAX_UNSIZED_BYTES = 16 << 20;

/**
 * A file whose size reads as 0 may have content that is made as it is read: /proc, some user-space file systems. What is there now is what is sent.
 * @throws TransferError `source`.
 */
async function openUnsized(path: string, handle: FileHandle): Promise<SourceFile> {
  try {
    const content = await readUpTo(handle, MAX_UNSIZED_BYTES + 1);
    if (content.length <= MAX_UNSIZED_BYTES) return new MemorySource(basename(path), content);
  } catch (cause) {
    throw new TransferError('source', sourceProblem(path, cause), { cause, detail: systemCode(cause) });
  } finally {
    await handle.close();
  }
  throw new TransferError('source', `${path} does not tell its size: copy it to an ordinary file and send that`);
}

/** From the beginning to the end of the file, whatever its size is said to be, or to so many bytes. */
async function readUpTo(handle: FileHandle, most: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  while (length < most) {
    const piece = new Uint8Array(Math.min(64 << 10, most - length));
    const { bytesRead } = await handle.read(piece, 0, piece.length, length);
    if (bytesRead === 0) break;
    pieces.push(piece.subarray(0, bytesRead));
    length += bytesRead;
  }
  return Buffer.concat(pieces);
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

/** A file of which all is in memory. */
class MemorySource implements SourceFile {
  readonly name: string;
  readonly size: number;
  readonly #content: Uint8Array;

  constructor(name: string, content: Uint8Array) {
    this.name = name;
    this.size = content.length;
    this.#content = content;
  }

  async readAt(into: Uint8Array, offset: number): Promise<void> {
    into.set(this.#content.subarray(offset, offset + into.length));
  }

  async assertUnchanged(): Promise<void> {}

  async close(): Promise<void> {}
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
      if (bytesRead === 0) throw this.#tooShort();
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

  #tooShort(): TransferError {
    const message = `${this.#path} has less in it than its size says, or became shorter: copy it to another file and send that`;
    return new TransferError('source', message);
  }

  #changed(): TransferError {
    return new TransferError(
      'source',
      `${this.#path} changed while it was being sent: send it again when it is at rest`,
    );
  }
}
