import { constants } from 'node:fs';
import { type FileHandle, open, statfs } from 'node:fs/promises';

/** File systems on local disks that write directly what they are given: ext2 to ext4, XFS, F2FS; their magic numbers. */
const DIRECT_FILE_SYSTEMS: ReadonlySet<number> = new Set([0xef53, 0x58465342, 0xf2f52010]);

/**
 * Opens an existing file for writing past the page cache, or answers undefined where that cannot be, or would be no gain: over a
 * network each write would wait for the other side. What must be on the disk before it is done costs a copy, and memory, in the
 * page cache for nothing.
 */
export async function openDirect(path: string): Promise<FileHandle | undefined> {
  if (constants.O_DIRECT === undefined) return undefined;
  try {
    if (!DIRECT_FILE_SYSTEMS.has((await statfs(path)).type)) return undefined;
    return await open(path, constants.O_WRONLY | constants.O_DIRECT);
  } catch {
    return undefined;
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
