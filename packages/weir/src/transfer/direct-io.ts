import { constants } from 'node:fs';
import { type FileHandle, open, statfs } from 'node:fs/promises';
import { systemCode } from '../text/index.ts';

/** File systems on local disks that write directly what they are given: ext2 to ext4, XFS, F2FS; their magic numbers. */
const DIRECT_FILE_SYSTEMS: ReadonlySet<number> = new Set([0xef53, 0x58465342, 0xf2f52010]);

/** Files of at least this size are written directly: memory that begins with a page costs a system call for each buffer. Bytes. */
export const DIRECT_FROM_BYTES = 64 << 20;

/** What place and length of direct writes must be multiples of, on any file system that has them. Bytes. */
const BLOCK_BYTES = 4096;

/**
 * A file opened for writing past the page cache: what must be on the disk before it is done costs a copy, and memory, in the page cache
 * for nothing.
 */
export class DirectFile {
  readonly #handle: FileHandle;
  /** Whether direct writes work, as far as is known. */
  #works = true;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Opens an existing file, or answers undefined where that cannot be, or would be no gain: over a network each write would wait for the other side. */
  static async open(path: string): Promise<DirectFile | undefined> {
    if (constants.O_DIRECT === undefined) return undefined;
    try {
      if (!DIRECT_FILE_SYSTEMS.has((await statfs(path)).type)) return undefined;
      return new DirectFile(await open(path, constants.O_WRONLY | constants.O_DIRECT));
    } catch {
      return undefined;
    }
  }

  /**
   * Writes `bytes`, in memory of `pageAligned`, at this offset. Returns how many were written: 0 where place, length or memory do not allow it, so the rest
   * is written the ordinary way. @throws Error of the system.
   */
  async writeAt(bytes: Uint8Array, offset: number): Promise<number> {
    if (!this.#works || offset % BLOCK_BYTES !== 0 || bytes.length % BLOCK_BYTES !== 0) return 0;
    try {
      return (await this.#handle.write(bytes, 0, bytes.length, offset)).bytesWritten;
    } catch (error) {
      if (systemCode(error) !== 'EINVAL') throw error;
      this.#works = false;
      return 0;
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** How ES2024 makes an ArrayBuffer that can grow. */
type ResizableArrayBuffer = new (length: number, options: { maxByteLength: number }) => ArrayBuffer;

/**
 * Memory that begins with a page, which direct writes ask for: V8 takes that of resizable buffers from the system in whole pages.
 * Should it ever not, the system says so (EINVAL) and the file is written the ordinary way.
 */
export function pageAligned(bytes: number): ArrayBuffer {
  return new (ArrayBuffer as unknown as ResizableArrayBuffer)(bytes, { maxByteLength: bytes });
}
