import { createHash, randomBytes } from 'node:crypto';
import { lstat, open, readdir, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { makeFolder } from '../system/index.ts';
import { DIRECT_FROM_BYTES, DirectFile } from './direct-io.ts';
import { DiskPart } from './disk-part.ts';
import { SpaceClaim } from './disk-space.ts';
import { systemCode, TransferError } from './errors.ts';
import { cutToBytes, PART_NAME } from './names.ts';
import type { PartFile, TargetStore } from './storage.ts';
import { storageError } from './storage-error.ts';

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

  /**
   * Makes the folder if need be, sees that files can be made in it, and removes what earlier runs on this machine left when they were killed.
   * @throws TransferError `storage`, `no_space`.
   */
  async prepare(): Promise<void> {
    try {
      makeFolder(this.path);
      const entries = await readdir(this.path);
      for (const entry of entries.filter(isAbandoned)) await unlink(join(this.path, entry)).catch(() => undefined);
      const probe = join(this.path, partName('probe'));
      await (await open(probe, 'wx')).close();
      await unlink(probe);
    } catch (cause) {
      throw storageError(this.path, cause);
    }
  }

  async begin(name: string, size = 0): Promise<PartFile> {
    const path = join(this.path, partName(name));
    let space: SpaceClaim | undefined;
    try {
      await this.#checkFinalName(name);
      space = await SpaceClaim.take(this.path, size);
      const handle = await open(path, 'wx', 0o666);
      const settings = { folder: this.path, path, name, overwrite: this.#overwrite, durable: this.#durable, space };
      const direct = this.#durable && size >= DIRECT_FROM_BYTES ? await DirectFile.open(path) : undefined;
      return new DiskPart(settings, handle, direct);
    } catch (cause) {
      space?.release();
      throw storageError(this.path, cause);
    }
  }

  /** A folder is not overwritten; that is said now, not after the transfer. */
  async #checkFinalName(name: string): Promise<void> {
    const taken = this.#overwrite ? await lstat(join(this.path, name)).catch(() => undefined) : undefined;
    if (taken?.isDirectory() !== true) return;
    const forPeer = `there is a folder named ${name}, which no file can replace`;
    throw new TransferError('storage', `${forPeer} (--overwrite), in ${this.path}`, { forPeer });
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
