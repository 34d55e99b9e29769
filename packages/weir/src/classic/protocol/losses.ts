import type { IterationShortfall, StreamShortfall } from '../../results/index.ts';
import type { Iteration } from './iteration.ts';
import { endBytes, MAX_PAYLOAD } from './messages.ts';
import { type Split, stripeOf } from './split.ts';

const END_LENGTH = endBytes().length;

/**
 * What did not come in an iteration that is over.
 * @param split how the run's sender splits the file.
 * @param run all iterations of the run so far: one in which everything came tells how long each stripe is.
 */
export function shortfallOf(iteration: Iteration, split: Split, run: readonly Iteration[]): IterationShortfall {
  const { streams: count, size } = iteration.announcement;
  const whole = split === 'stripes' ? run.find(({ bytes }) => bytes === size) : undefined;
  const usual = usualPayload(iteration);
  const streams: StreamShortfall[] = [];
  for (let id = 1; id <= count; id++) {
    const stripe = whole === undefined ? stripeOf(iteration.announcement, id).length : (whole.stream(id)?.bytes ?? 0);
    streams.push(streamShortfall(iteration, id, split === 'copies' ? size : stripe, usual));
  }
  const total = (pick: (stream: StreamShortfall) => number) => streams.reduce((sum, stream) => sum + pick(stream), 0);
  return {
    split,
    endedBy: iteration.ending ?? 'interrupted',
    expectedBytes: total((stream) => stream.expectedBytes),
    missingBytes: total((stream) => stream.missingBytes),
    packetsLost: total((stream) => stream.packetsLost),
    endsMissing: total((stream) => (stream.ended ? 0 : 1)),
    streamsNeverSeen: total((stream) => (iteration.stream(stream.stream) === undefined ? 1 : 0)),
    reorderingSigns: total((stream) => stream.reorderingSigns),
    streams,
  };
}

function streamShortfall(iteration: Iteration, id: number, expectedBytes: number, usual: number): StreamShortfall {
  const stream = iteration.stream(id);
  const bytes = stream?.bytes ?? 0;
  // Three bytes of data that read END were taken for one.
  const hidden =
    stream !== undefined && stream.doubtfulEndAt >= 0 && bytes + END_LENGTH === expectedBytes ? END_LENGTH : 0;
  const missingBytes = Math.max(0, expectedBytes - bytes - hidden);
  return {
    stream: id,
    expectedBytes,
    missingBytes,
    packetsLost: Math.ceil(missingBytes / usual),
    ended: stream?.hasEnded ?? false,
    reorderingSigns: hidden > 0 ? 0 : (stream?.reorderingSigns ?? 0),
  };
}

/** Bytes of data in a full datagram of this sender's. */
function usualPayload(iteration: Iteration): number {
  let largest = 0;
  for (let id = 1; id <= iteration.announcement.streams; id++) {
    largest = Math.max(largest, iteration.stream(id)?.largest ?? 0);
  }
  return largest === 0 ? MAX_PAYLOAD : largest;
}
