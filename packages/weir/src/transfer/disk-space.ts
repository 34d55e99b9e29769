import { stat, statfs } from 'node:fs/promises';
import { TransferError } from '../peer/index.ts';

/** What files under way in this process still need, by the number of their file system's device. */
const SPOKEN_FOR = new Map<number, Set<SpaceClaim>>();

/** The space that one file under way still needs: nobody else is promised it. */
export class SpaceClaim {
  readonly #size: number;
  readonly #others: Set<SpaceClaim>;
  #needed: number;

  private constructor(size: number, others: Set<SpaceClaim>) {
    this.#size = size;
    this.#others = others;
    this.#needed = size;
    others.add(this);
  }

  /**
   * Claims so many bytes in the file system of this folder. Where that doesn't tell what is free, as some do, the system will say when it is full.
   * @throws TransferError `no_space`; the system's error.
   */
  static async take(folder: string, size: number): Promise<SpaceClaim> {
    const [{ dev }, free] = await Promise.all([stat(folder), freeBytes(folder)]);
    const others = SPOKEN_FOR.get(dev) ?? new Set();
    SPOKEN_FOR.set(dev, others);
    let promised = 0;
    for (const other of others) promised += other.#needed;
    if (free !== undefined && free - promised < size) throw tooLarge(size, free, promised);
    return new SpaceClaim(size, others);
  }

  /** So much of it is written. */
  onWritten(bytes: number): void {
    this.#needed = Math.max(0, this.#needed - bytes);
  }

  /** Nothing is there any more, and all of it is needed. */
  restart(): void {
    this.#needed = this.#size;
  }

  /** The file is there, or never will be. */
  release(): void {
    this.#others.delete(this);
  }
}

/** Bytes that are free for this process, or undefined where that cannot be told. */
async function freeBytes(folder: string): Promise<number | undefined> {
  const { bavail, bsize } = await statfs(folder);
  // Some network and user-space file systems answer nonsense: no blocks at all.
  return bsize > 0 && Number.isFinite(bavail * bsize) ? bavail * bsize : undefined;
}

function tooLarge(size: number, free: number, promised: number): TransferError {
  const spoken = promised > 0 ? `, and ${promised} of them are for other files under way` : '';
  const message = `the file has ${size} bytes, but only ${free} are free there${spoken}: make room or choose another folder`;
  return new TransferError('no_space', message, { forPeer: message });
}
