import { createHash } from 'node:crypto';
import type { TargetFolder } from '../transfer/index.ts';
import { Ballot, type Candidate, candidatesOf } from './protocol/assembly.ts';
import type { Iteration } from './protocol/iteration.ts';
import { endBytes, HEADER_BYTES } from './protocol/messages.ts';
import type { Split } from './protocol/split.ts';
import { Spool } from './spool.ts';

/** Bytes that are written to the final file at once. */
const WRITE_SIZE = 1 << 20;

/** A file that was put together. */
export interface KeptFile {
  /** Its final name. */
  readonly name: string;
  /** SHA-256, hexadecimal. */
  readonly sha256: string;
  readonly how: Candidate['how'];
  /** Whose data it is. */
  readonly iteration: number;
  /** Other iterations or copies had other contents, less often. */
  readonly wasContradicted: boolean;
  /** Nothing of it showed a sign of reordering. */
  readonly isClean: boolean;
}

/** What became of the file: kept, or why not. */
export type KeepOutcome =
  | { readonly file: KeptFile }
  | { readonly reason: 'incomplete' | 'undecided' | 'disk'; readonly error?: unknown };

interface Kept {
  readonly candidate: Candidate;
  readonly spool: Spool;
  readonly iteration: Iteration;
}

/** Holds on to the data of a run until it is clear which of it is the file, then writes that. */
export class FileKeeper {
  readonly #folder: TargetFolder;
  #spool: Spool | undefined;
  #kept: Kept | undefined;
  #ballot = new Ballot();
  /** The disk's error: the run goes on without keeping anything. */
  #error: unknown;

  constructor(folder: TargetFolder) {
    this.#folder = folder;
  }

  onIterationStart(iteration: Iteration): void {
    this.#guard(() => {
      this.#spool = new Spool(this.#folder.path, iteration.announcement.streams);
    });
  }

  onData(stream: number, datagram: Uint8Array): void {
    if (this.#spool === undefined) return;
    this.#guard(() => this.#spool!.append(stream, datagram, HEADER_BYTES));
  }

  onFalseStart(): void {
    this.#spool?.close();
    this.#spool = undefined;
  }

  /** Decides whether this iteration's data is the one to keep. */
  onIterationEnd(iteration: Iteration): void {
    const spool = this.#spool;
    this.#spool = undefined;
    if (spool === undefined) return;
    for (const candidate of candidatesOf(iteration)) {
      // One stream with the whole file shows that the streams are copies: what seemed to be stripes was an accident.
      const isBetterKind = candidate.how === 'copy' && this.#kept?.candidate.how === 'stripes';
      if (candidate.how === 'stripes' && this.#kept?.candidate.how === 'copy') continue;
      if (isBetterKind) this.#ballot = new Ballot();
      if (this.#ballot.cast({ content: contentOf(candidate, spool), isClean: candidate.isClean })) {
        if (this.#kept?.spool !== spool) this.#kept?.spool.close();
        this.#kept = { candidate, spool, iteration };
      }
    }
    if (this.#kept?.spool !== spool) spool.close();
  }

  /**
   * Writes the file.
   * @param name its name; another one when that is taken.
   * @param split how the run's sender splits the file: copies are never joined.
   * @throws TransferError when it cannot be written, or the error of reading the temporary file.
   */
  async finish(name: string, split: Split): Promise<KeepOutcome> {
    const kept = this.#kept;
    if (kept === undefined && this.#error !== undefined) return { reason: 'disk', error: this.#error };
    if (kept === undefined || (kept.candidate.how === 'stripes' && split === 'copies')) return { reason: 'incomplete' };
    if (!this.#ballot.isDecided) return { reason: 'undecided' };
    const { how, isClean } = kept.candidate;
    const written = await this.#write(name, kept);
    const wasContradicted = this.#ballot.contents > 1;
    return { file: { ...written, how, isClean, wasContradicted, iteration: kept.iteration.number } };
  }

  /** Lets go of everything that has no final name. */
  close(): void {
    this.#spool?.close();
    this.#kept?.spool.close();
    this.#spool = undefined;
    this.#kept = undefined;
  }

  async #write(name: string, { candidate, spool }: Kept): Promise<{ name: string; sha256: string }> {
    const file = await this.#folder.begin(name);
    const hash = createHash('sha256');
    const buffer = new Uint8Array(WRITE_SIZE);
    let filled = 0;
    let offset = 0;
    try {
      for (const bytes of pieces(candidate, spool)) {
        hash.update(bytes);
        for (let at = 0; at < bytes.length; ) {
          const length = Math.min(bytes.length - at, buffer.length - filled);
          buffer.set(bytes.subarray(at, at + length), filled);
          filled += length;
          at += length;
          if (filled < buffer.length) continue;
          await file.writeAt(buffer, offset);
          offset += filled;
          filled = 0;
        }
      }
      if (filled > 0) await file.writeAt(buffer.subarray(0, filled), offset);
      return { name: await file.commit(offset + filled), sha256: hash.digest('hex') };
    } finally {
      await file.discard();
    }
  }

  #guard(action: () => void): void {
    if (this.#error !== undefined) return;
    try {
      action();
    } catch (error) {
      this.#error = error;
      this.#spool?.close();
      this.#spool = undefined;
    }
  }
}

function contentOf({ pieces: list }: Candidate, spool: Spool): string {
  return list.map(({ stream, endAt }) => `${spool.digest(stream)}${endAt < 0 ? '' : `+${endAt}`}`).join();
}

/** The file's bytes in order. */
function* pieces(candidate: Candidate, spool: Spool): Generator<Uint8Array> {
  for (const { stream, endAt } of candidate.pieces) {
    let at = 0;
    let isRestored = endAt < 0;
    for (const bytes of spool.read(stream)) {
      const cut = endAt - at;
      if (!isRestored && cut <= bytes.length) {
        yield bytes.subarray(0, cut);
        yield endBytes();
        yield bytes.subarray(cut);
        isRestored = true;
      } else {
        yield bytes;
      }
      at += bytes.length;
    }
    if (!isRestored) yield endBytes();
  }
}
