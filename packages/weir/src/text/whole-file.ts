import { randomBytes } from 'node:crypto';
import { open, rename, unlink, writeFile } from 'node:fs/promises';

/** How a file is written. */
export interface WholeFileOptions {
  /** Rights of the new file; default what the umask leaves of 0666. */
  readonly mode?: number;
  /** Whether its content is on the disk before it has its name; default false. */
  readonly isDurable?: boolean;
  /** Gives the draft its name, or removes it; default: takes the place of what is there. */
  readonly publish?: (draft: string) => Promise<void>;
}

/**
 * Writes a whole file or none: what was there stays until the new one is whole, and a draft that failed leaves nothing.
 * @throws the system's error, or the content's.
 */
export async function writeWholeFile(
  path: string,
  content: string | AsyncIterable<string>,
  options: WholeFileOptions = {},
): Promise<void> {
  const { mode = 0o666, isDurable = false, publish = (draft: string) => rename(draft, path) } = options;
  const draft = `${path}.${randomBytes(4).toString('hex')}.part`;
  const file = await open(draft, 'wx', mode);
  try {
    try {
      await writeFile(file, content);
      if (isDurable) await file.sync();
    } finally {
      await file.close();
    }
    await publish(draft);
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw error;
  }
}
