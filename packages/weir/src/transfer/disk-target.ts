import { lstat, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from 'weir-quic/system';
import { TransferError } from '../peer/index.ts';
import { DIRECT_FROM_BYTES, DirectFile } from './direct-io.ts';
import { DiskPart } from './disk-part.ts';
import { SpaceClaim } from './disk-space.ts';
import { createPart, type NewPart, removeAbandonedParts } from './part-name.ts';
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
   * Makes the folder if need be, sees that files can be made in it, and removes what receivers that were killed have left.
   * @throws TransferError `storage`, `no_space`.
   */
  async prepare(): Promise<void> {
    try {
      makeFolder(this.path);
      await removeAbandonedParts(this.path, await readdir(this.path));
      await remove(await createPart(this.path, 'probe'));
    } catch (cause) {
      throw storageError(this.path, cause);
    }
  }

  async begin(name: string, size = 0): Promise<PartFile> {
    let space: SpaceClaim | undefined;
    let part: NewPart | undefined;
    try {
      await this.#checkFinalName(name);
      space = await SpaceClaim.take(this.path, size);
      part = await createPart(this.path, name);
      const { path, handle, lock } = part;
      const settings = {
        folder: this.path,
        path,
        lock,
        name,
        overwrite: this.#overwrite,
        durable: this.#durable,
        space,
      };
      const direct = this.#durable && size >= DIRECT_FROM_BYTES ? await DirectFile.open(path) : undefined;
      return new DiskPart(settings, handle, direct);
    } catch (cause) {
      space?.release();
      if (part !== undefined) await remove(part);
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

/** A file under way that comes to nothing. */
async function remove({ path, handle, lock }: NewPart): Promise<void> {
  await handle.close();
  await unlink(path).catch(() => undefined);
  lock.release();
}
