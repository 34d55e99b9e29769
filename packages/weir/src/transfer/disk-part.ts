import { type FileHandle, link, open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { HeldLock } from 'weir-quic/system';
import type { TransferError } from '../peer/index.ts';
import { systemCode } from '../text/index.ts';
import { type DirectFile, pageAligned } from './direct-io.ts';
import type { SpaceClaim } from './disk-space.ts';
import { numberedName } from './names.ts';
import type { PartFile } from './storage.ts';
import { storageError } from './storage-error.ts';
import { WriteBack } from './write-back.ts';
import { isZero } from './zeros.ts';

/** What becomes of a file under way. */
export interface PartSettings {
  readonly folder: string;
  /** Of the file under way. */
  readonly path: string;
  /** Shows other receivers that it is in use. */
  readonly lock?: HeldLock;
  /** The wanted final name. */
  readonly name: string;
  readonly overwrite: boolean;
  readonly durable: boolean;
  /** The space that it still needs. */
  readonly space?: SpaceClaim;
}

/** A file under way in a folder on disk; a large one is written past the page cache where that works. */
export class DiskPart implements PartFile {
  readonly #settings: PartSettings;
  readonly #handle: FileHandle;
  /** The same file, past the page cache. */
  readonly #direct: DirectFile | undefined;
  readonly #writeBack: WriteBack | undefined;
  #isOver = false;

  constructor(settings: PartSettings, handle: FileHandle, direct?: DirectFile) {
    this.#settings = settings;
    this.#handle = handle;
    this.#direct = direct;
    this.#writeBack = settings.durable ? new WriteBack(handle) : undefined;
  }

  makeMemory(bytes: number): ArrayBuffer {
    return this.#direct === undefined ? new ArrayBuffer(bytes) : pageAligned(bytes);
  }

  async restart(): Promise<void> {
    try {
      await this.#handle.truncate(0);
      this.#settings.space?.restart();
    } catch (cause) {
      throw this.#problem(cause);
    }
  }

  async writeAt(bytes: Uint8Array, offset: number): Promise<void> {
    // Each chunk is written once into a file that was empty: a chunk of zeros is there already, as a hole. Keeps sparse
    // files sparse; the comparison ends at the first other byte.
    try {
      if (!isZero(bytes)) await this.#write(bytes, offset);
    } catch (cause) {
      throw this.#problem(cause);
    }
    this.#settings.space?.onWritten(bytes.length);
  }

  async #write(bytes: Uint8Array, offset: number): Promise<void> {
    let written = (await this.#direct?.writeAt(bytes, offset)) ?? 0;
    if (written === bytes.length) return;
    while (written < bytes.length) {
      const { bytesWritten } = await this.#handle.write(bytes, written, bytes.length - written, offset + written);
      written += bytesWritten;
    }
    this.#writeBack?.onWritten(bytes.length);
  }

  async commit(size: number): Promise<string> {
    try {
      await this.#direct?.close();
      // What lies beyond a hole at the end is not there yet.
      if ((await this.#handle.stat()).size < size) await this.#handle.truncate(size);
      await this.#writeBack?.finish();
      await this.#handle.close();
      const name = await this.#publish();
      this.#isOver = true;
      this.#release();
      if (this.#settings.durable) await syncFolder(this.#settings.folder);
      return name;
    } catch (cause) {
      throw this.#problem(cause);
    }
  }

  async discard(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    await this.#direct?.close().catch(() => undefined);
    await this.#handle.close().catch(() => undefined);
    await unlink(this.#settings.path).catch(() => undefined);
    this.#release();
  }

  /** The file has its final name, or none: not before, or another receiver might take it for one that was left behind. */
  #release(): void {
    this.#settings.space?.release();
    this.#settings.lock?.release();
  }

  async #publish(): Promise<string> {
    const { folder, path, name: wanted, overwrite } = this.#settings;
    if (overwrite) {
      await rename(path, join(folder, wanted));
      return wanted;
    }
    for (let number = 0; ; number++) {
      const name = number === 0 ? wanted : numberedName(wanted, number);
      if (await publishAs(path, join(folder, name))) return name;
    }
  }

  #problem(cause: unknown): TransferError {
    return storageError(this.#settings.folder, cause);
  }
}

/** Gives the file its final name unless that is taken (false), in one step: nobody can slip a file in between. */
async function publishAs(part: string, final: string): Promise<boolean> {
  try {
    await link(part, final);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST') return false;
    // A file system without hard links (FAT, some network ones): an empty file holds the name until the rename.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EACCES', 'EINVAL', 'EISDIR'].includes(code))
      throw error;
    try {
      await (await open(final, 'wx')).close();
    } catch (taken) {
      if (systemCode(taken) === 'EEXIST') return false;
      throw taken;
    }
    try {
      await rename(part, final);
    } catch (cause) {
      await unlink(final).catch(() => undefined);
      throw cause;
    }
    return true;
  }
  await unlink(part);
  return true;
}

/** A rename lasts through a power cut only when its folder is on disk, too. Windows has no such call. */
async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, 'r');
    await folder.sync().finally(() => folder.close());
  } catch {
    // The file itself is on disk.
  }
}
