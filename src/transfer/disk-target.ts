import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, link, mkdir, open, readdir, rename, statfs, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { openDirect, pageAligned } from './direct-io.ts';
import { DiskThread, THREAD_FROM_BYTES } from './disk-thread.ts';
import { messageOf, systemCode, TransferError } from './errors.ts';
import { cutToBytes, numberedName, PART_NAME } from './names.ts';
import type { HashedChunk, PartFile, TargetStore } from './storage.ts';
import { isZero } from './zeros.ts';

/** How a folder keeps what it receives. */
export interface TargetOptions {
  /** Whether a file may replace one of the same name. Default false: it becomes `name (1).ext`. */
  readonly overwrite?: boolean;
  /**
   * Whether a file is on the disk itself before it gets its name, so that a power cut leaves all of it or nothing. Default true. Without it a file is
   * done when the system has it in memory, as with scp and cp.
   */
  readonly durable?: boolean;
}

/** A folder on disk. Files under way are hidden files in the same folder, so that the last step is a rename. */
export class TargetFolder implements TargetStore {
  readonly path: string;
  readonly #overwrite: boolean;
  readonly #durable: boolean;

  constructor(path: string, options: TargetOptions = {}) {
    this.path = path;
    this.#overwrite = options.overwrite ?? false;
    this.#durable = options.durable ?? true;
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

  async begin(name: string, size = 0): Promise<PartFile> {
    const path = join(this.path, partName(name));
    try {
      const handle = await open(path, 'wx', 0o666);
      const settings = { folder: this.path, path, name, overwrite: this.#overwrite, durable: this.#durable };
      if (size < THREAD_FROM_BYTES) return new DiskPart(settings, handle);
      const direct = this.#durable ? await openDirect(path) : undefined;
      return new DiskPart(settings, handle, direct, DiskThread.start(handle.fd, 'write', direct?.fd));
    } catch (cause) {
      throw storageError(this.path, cause);
    }
  }
}

interface PartSettings {
  readonly folder: string;
  /** Of the file under way. */
  readonly path: string;
  /** The wanted final name. */
  readonly name: string;
  readonly overwrite: boolean;
  readonly durable: boolean;
}

class DiskPart implements PartFile {
  readonly #settings: PartSettings;
  readonly #handle: FileHandle;
  readonly #thread: DiskThread | undefined;
  /** The same file, past the page cache. */
  readonly #direct: FileHandle | undefined;
  readonly #writeBack: WriteBack | undefined;
  readonly makeMemory?: (bytes: number) => ArrayBuffer;
  readonly writeHashed?: (memory: ArrayBuffer, offset: number, length: number) => Promise<HashedChunk>;
  #isOver = false;

  constructor(settings: PartSettings, handle: FileHandle, direct?: FileHandle, thread?: DiskThread) {
    this.#settings = settings;
    this.#handle = handle;
    this.#thread = thread;
    this.#direct = direct;
    this.#writeBack = settings.durable ? new WriteBack(handle) : undefined;
    if (direct !== undefined) this.makeMemory = pageAligned;
    if (thread !== undefined)
      this.writeHashed = (memory, offset, length) => this.#writeOn(thread, memory, offset, length);
  }

  async restart(): Promise<void> {
    try {
      await this.#handle.truncate(0);
    } catch (cause) {
      throw this.#problem(cause);
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
      this.#writeBack?.onWritten(bytes.length);
    } catch (cause) {
      throw this.#problem(cause);
    }
  }

  async #writeOn(thread: DiskThread, memory: ArrayBuffer, offset: number, length: number): Promise<HashedChunk> {
    try {
      const chunk = await thread.move(memory, offset, length);
      if (chunk.isCached) this.#writeBack?.onWritten(length);
      return chunk;
    } catch (cause) {
      throw this.#problem(cause);
    }
  }

  async commit(size: number): Promise<string> {
    try {
      await this.#thread?.close();
      await this.#direct?.close();
      // What lies beyond a hole at the end is not there yet.
      if ((await this.#handle.stat()).size < size) await this.#handle.truncate(size);
      await this.#writeBack?.finish();
      await this.#handle.close();
      const name = await this.#publish();
      this.#isOver = true;
      if (this.#settings.durable) await syncFolder(this.#settings.folder);
      return name;
    } catch (cause) {
      throw this.#problem(cause);
    }
  }

  async discard(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    // The thread first: the number of a closed file may be another file's at once.
    await this.#thread?.close();
    await this.#direct?.close().catch(() => undefined);
    await this.#handle.close().catch(() => undefined);
    await unlink(this.#settings.path).catch(() => undefined);
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

/** What is written before the disk is asked to begin. Bytes. */
const WRITE_BACK_BYTES = 64 << 20;

/**
 * Has the disk write while data still arrives, so that little is left to wait for at the end: by itself the system may keep gigabytes in memory first.
 */
class WriteBack {
  readonly #handle: FileHandle;
  /** Written since the disk was last asked. Bytes. */
  #waiting = 0;
  #running: Promise<void> | undefined;
  #error: unknown;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** So many more bytes were written. @throws what the disk said of earlier ones: it says so only once. */
  onWritten(bytes: number): void {
    if (this.#error !== undefined) throw this.#error;
    this.#waiting += bytes;
    if (this.#waiting < WRITE_BACK_BYTES || this.#running !== undefined) return;
    this.#waiting = 0;
    this.#running = this.#handle
      .datasync()
      .catch((error) => {
        this.#error ??= error;
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** All is on the disk. @throws the system's error, also of earlier. */
  async finish(): Promise<void> {
    await this.#running;
    if (this.#error !== undefined) throw this.#error;
    await this.#handle.sync();
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
