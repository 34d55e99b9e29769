import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, mkdir, open, readdir, rename, statfs, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { messageOf, systemCode, TransferError } from './errors.ts';
import { cutToBytes, numberedName, PART_NAME } from './names.ts';

/** The file that a sender reads. */
export interface SourceFile {
  /** Its name without folders. */
  readonly name: string;
  readonly size: number;
  /** Fills the whole of `into` from this offset. @throws TransferError `source`. */
  readAt(into: Uint8Array, offset: number): Promise<void>;
  /** @throws TransferError `source` when the file changed since it was opened. */
  assertUnchanged(): Promise<void>;
  close(): Promise<void>;
}

/** Where a receiver puts files. */
export interface TargetStore {
  /** Bytes that are free, or undefined when that cannot be told. @throws TransferError `storage`. */
  freeBytes(): Promise<number | undefined>;
  /** Makes a file under way, which nobody sees under its final name. @throws TransferError `storage`, `no_space`. */
  begin(name: string): Promise<PartFile>;
}

/** A file under way. */
export interface PartFile {
  /** Forgets what was written: a new iteration begins. */
  restart(): Promise<void>;
  /** Writes all of `bytes` at this offset. @throws TransferError `storage`, `no_space`. */
  writeAt(bytes: Uint8Array, offset: number): Promise<void>;
  /**
   * Makes the file durable with exactly this size, and visible. Returns its final name, which differs from the wanted one when
   * that was taken.
   */
  commit(size: number): Promise<string>;
  /** Removes it. Does nothing after `commit`. */
  discard(): Promise<void>;
}

/** Opens a file on disk for sending. @throws TransferError `source` with what is wrong with it. */
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
    throw new TransferError('source', `${path} is ${stat.isDirectory() ? 'a folder' : 'no regular file'}: give one file`);
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
        throw new TransferError('source', `cannot read ${this.#path}: ${messageOf(cause)}`, { cause });
      }
      if (bytesRead === 0) throw this.#changed();
      filled += bytesRead;
    }
  }

  async assertUnchanged(): Promise<void> {
    const stat = await this.#handle.stat();
    if (stat.size !== this.size || stat.mtimeMs !== this.#modifiedAt) throw this.#changed();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  #changed(): TransferError {
    return new TransferError('source', `${this.#path} changed while it was being sent: send it again when it is at rest`);
  }
}

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
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EACCES', 'EINVAL', 'EISDIR'].includes(code)) throw error;
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
      return new TransferError('no_space', `the disk of ${folder} is full: make room or choose another folder`, options);
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
