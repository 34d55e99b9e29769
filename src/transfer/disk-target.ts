import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, link, mkdir, open, readdir, rename, statfs, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { messageOf, systemCode, TransferError } from './errors.ts';
import { cutToBytes, numberedName, PART_NAME } from './names.ts';
import type { PartFile, TargetStore } from './storage.ts';

/** A folder on disk. Files under way are hidden files in the same folder, so that the last step is a rename. */
export class TargetFolder implements TargetStore {
  readonly path: string;
  readonly #overwrite: boolean;

  /** @param overwrite whether a file may replace one of the same name; otherwise it becomes `name (1).ext`. */
  constructor(path: string, overwrite = false) {
    this.path = path;
    this.#overwrite = overwrite;
  }

  /** Makes the folder if need be, and removes what earlier runs on this machine left when they were killed. */
  async prepare(): Promise<void> {
    try {
      await mkdir(this.path, { recursive: true });
      const entries = await readdir(this.path);
      for (const entry of entries.filter(isAbandoned)) await unlink(join(this.path, entry)).catch(() => undefined);
    } catch (cause) {
      throw storageError(this.path, cause);
    }
  }

  async freeBytes(): Promise<number | undefined> {
    try {
      const { bavail, bsize } = await statfs(this.path);
      // Some network and user-space file systems answer nonsense: no blocks at all.
      return bsize > 0 && Number.isFinite(bavail * bsize) ? bavail * bsize : undefined;
    } catch (cause) {
      throw storageError(this.path, cause);
    }
  }

  async begin(name: string): Promise<PartFile> {
    const path = join(this.path, partName(name));
    try {
      const handle = await open(path, 'wx', 0o666);
      return new DiskPart(this.path, path, name, handle, this.#overwrite);
    } catch (cause) {
      throw storageError(this.path, cause);
    }
  }
}

class DiskPart implements PartFile {
  readonly #folder: string;
  readonly #path: string;
  readonly #name: string;
  readonly #handle: FileHandle;
  readonly #overwrite: boolean;
  #isOver = false;
  /** The end of the last byte written: what lies beyond a hole at the end is made by `commit`. */
  #length = 0;

  constructor(folder: string, path: string, name: string, handle: FileHandle, overwrite: boolean) {
    this.#folder = folder;
    this.#path = path;
    this.#name = name;
    this.#handle = handle;
    this.#overwrite = overwrite;
  }

  async restart(): Promise<void> {
    try {
      await this.#handle.truncate(0);
      this.#length = 0;
    } catch (cause) {
      throw storageError(this.#folder, cause);
    }
  }

  async writeAt(bytes: Uint8Array, offset: number): Promise<void> {
    // Each chunk is written once into a file that was empty: a chunk of zeros is there already, as a hole. Keeps sparse
    // files sparse; the comparison ends at the first other byte.
    if (isZero(bytes)) return;
    try {
      let written = 0;
      while (written < bytes.length) {
        const { bytesWritten } = await this.#handle.write(bytes, written, bytes.length - written, offset + written);
        written += bytesWritten;
      }
      this.#length = Math.max(this.#length, offset + bytes.length);
    } catch (cause) {
      throw storageError(this.#folder, cause);
    }
  }

  async commit(size: number): Promise<string> {
    try {
      if (this.#length < size) await this.#handle.truncate(size);
      await this.#handle.sync();
      await this.#handle.close();
      const name = await this.#publish();
      this.#isOver = true;
      await syncFolder(this.#folder);
      return name;
    } catch (cause) {
      throw storageError(this.#folder, cause);
    }
  }

  async discard(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    await this.#handle.close().catch(() => undefined);
    await unlink(this.#path).catch(() => undefined);
  }

  async #publish(): Promise<string> {
    if (this.#overwrite) {
      await rename(this.#path, join(this.#folder, this.#name));
      return this.#name;
    }
    for (let number = 0; ; number++) {
      const name = number === 0 ? this.#name : numberedName(this.#name, number);
      if (await publishAs(this.#path, join(this.#folder, name))) return name;
    }
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
    await rename(part, final);
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

const ZEROS = new Uint8Array(1 << 20);

function isZero(bytes: Uint8Array): boolean {
  return Buffer.compare(bytes, ZEROS.subarray(0, bytes.length)) === 0;
}

/** This machine in a few characters, so that nobody removes another machine's files under way on a shared disk. */
function machineTag(): string {
  return createHash('sha256').update(hostname()).digest('hex').slice(0, 6);
}

/** `.NAME.weir-MACHINE-PROCESS-RANDOM.part`, the name cut so that all of it is a legal name. */
function partName(name: string): string {
  const unique = `${machineTag()}-${process.pid}-${randomBytes(5).toString('hex')}`;
  return `.${cutToBytes(name, 180)}.weir-${unique}.part`;
}

/** Whether a folder's entry is a file under way of a process of this machine that is gone. */
function isAbandoned(entry: string): boolean {
  if (!PART_NAME.test(entry)) return false;
  const match = /\.weir-([0-9a-f]+)-(\d+)-[0-9a-f]+\.part$/u.exec(entry);
  return match !== null && match[1] === machineTag() && !isRunning(Number(match[2]));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== 'ESRCH';
  }
}

function storageError(folder: string, cause: unknown): TransferError {
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
