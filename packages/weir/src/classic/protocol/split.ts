import type { Iteration } from './iteration.ts';
import { type Announcement, MAX_PAYLOAD } from './messages.ts';

/** What each stream carries: its part of the file, one after the other, or the whole file. */
export type Split = 'stripes' | 'copies';

/** A part of the file. Bytes. */
export interface Stripe {
  readonly offset: number;
  readonly length: number;
}

/**
 * The stripe of a stream, from 1: equal parts in file order, the first ones a byte longer when it does not divide.
 */
export function stripeOf({ streams, size }: Announcement, stream: number): Stripe {
  const share = Math.floor(size / streams);
  const longer = size % streams;
  const before = stream - 1;
  return { offset: before * share + Math.min(before, longer), length: share + (before < longer ? 1 : 0) };
}

/**
 * How a run's sender splits the file. Nothing in the protocol says it, but the counts of bytes do: more than one file's worth
 * in one iteration, or a stream with more than its part, are copies.
 */
export function splitOf(iterations: readonly Iteration[], announcement: Announcement): Split {
  const { streams, size } = announcement;
  if (streams === 1 || iterations.some(({ bytes }) => bytes > size)) return 'copies';
  if (iterations.some(({ bytes }) => bytes === size)) return 'stripes';
  const most = Math.ceil(size / streams) + MAX_PAYLOAD;
  return iterations.some((iteration) => largestStream(iteration, streams) > most) ? 'copies' : 'stripes';
}

function largestStream(iteration: Iteration, streams: number): number {
  let most = 0;
  for (let id = 1; id <= streams; id++) most = Math.max(most, iteration.stream(id)?.bytes ?? 0);
  return most;
}
