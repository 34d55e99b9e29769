import type { Iteration } from './iteration.ts';
import { endBytes } from './messages.ts';

/** One stream's data as a part of the file. */
export interface Piece {
  readonly stream: number;
  /** Where three bytes of data were taken for an END and have to be put back; -1 for nowhere. */
  readonly endAt: number;
}

/** A way to make the whole file of one iteration's streams. */
export interface Candidate {
  readonly how: 'copy' | 'stripes';
  /** In file order. */
  readonly pieces: readonly Piece[];
  /** No datagram of it came out of order, as far as that shows. */
  readonly isClean: boolean;
}

const END_LENGTH = endBytes().length;

/**
 * The ways to make the file of what came in an iteration: each stream that has exactly the file's size is a copy; streams
 * that have it together are stripes. Without offsets, the bytes' order is that of their arrival.
 */
export function candidatesOf(iteration: Iteration): Candidate[] {
  const { streams, size } = iteration.announcement;
  const all: Piece[] = [];
  const candidates: Candidate[] = [];
  let bytes = 0;
  let hidden = 0;
  for (let id = 1; id <= streams; id++) {
    const stream = iteration.stream(id);
    const own = stream?.bytes ?? 0;
    const endAt = stream?.doubtfulEndAt ?? -1;
    const isClean = (stream?.reorderingSigns ?? 0) === 0;
    if (own === size) candidates.push({ how: 'copy', pieces: [{ stream: id, endAt: -1 }], isClean });
    else if (endAt >= 0 && own + END_LENGTH === size) {
      candidates.push({ how: 'copy', pieces: [{ stream: id, endAt }], isClean: true });
    }
    bytes += own;
    if (endAt >= 0) hidden += END_LENGTH;
    all.push({ stream: id, endAt });
  }
  if (streams === 1 || candidates.length > 0) return candidates;
  const isClean = all.every(({ stream }) => (iteration.stream(stream)?.reorderingSigns ?? 0) === 0);
  if (bytes === size) return [{ how: 'stripes', pieces: all.map(({ stream }) => ({ stream, endAt: -1 })), isClean }];
  return hidden > 0 && bytes + hidden === size ? [{ how: 'stripes', pieces: all, isClean: true }] : [];
}

/** A candidate in a vote: those with the same content have the same `content`. */
export interface Vote {
  readonly content: string;
  readonly isClean: boolean;
}

/**
 * Which of several whole files is the right one: copies and iterations must all have the same content, and datagrams that
 * arrive in another order than they were sent in make another one. The most frequent content wins, one of clean
 * candidates before others.
 */
export class Ballot {
  readonly #votes = new Map<string, number>();
  #leader: string | undefined;

  /** Takes a vote; true when its content is the new leader, so that it is the one to keep. */
  cast({ content, isClean }: Vote): boolean {
    const weight = (this.#votes.get(content) ?? 0) + (isClean ? CLEAN : 1);
    this.#votes.set(content, weight);
    if (this.#leader === content) return false;
    if (this.#leader !== undefined && weight <= this.#votes.get(this.#leader)!) return false;
    this.#leader = content;
    return true;
  }

  /** Different contents that were seen. */
  get contents(): number {
    return this.#votes.size;
  }

  /** Whether one content was seen more often than any other. */
  get isDecided(): boolean {
    if (this.#leader === undefined) return false;
    const most = this.#votes.get(this.#leader)!;
    for (const [content, weight] of this.#votes) if (content !== this.#leader && weight >= most) return false;
    return true;
  }
}

/** How many doubtful votes one without a sign of reordering outweighs. */
const CLEAN = 1000;
