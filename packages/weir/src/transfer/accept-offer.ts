import { MAX_STREAM_READINGS, MAX_STREAMS, Refusal, TransferError } from '../peer/index.ts';
import type { Offer } from './messages.ts';
import { nameProblem } from './names.ts';
import { isChunkSizeAllowed, MAX_CHUNK_BYTES, MIN_CHUNK_BYTES } from './plan.ts';
import type { PartFile, TargetStore } from './storage.ts';

/** What a receiver accepts. */
export interface AcceptOptions {
  readonly store: TargetStore;
  /** The most streams to accept; default and at most MAX_STREAMS. */
  readonly maxStreams?: number;
  /** The largest file to accept, in bytes. Default: what the disk has room for. */
  readonly maxSize?: number;
  /** Whose rules for names hold; default this platform's. */
  readonly platform?: NodeJS.Platform;
}

/** The most streams that a receiver with this limit accepts. */
export function mostStreams({ maxStreams = MAX_STREAMS }: Pick<AcceptOptions, 'maxStreams'>): number {
  return Math.min(maxStreams, MAX_STREAMS);
}

/** Decides on an offer; makes the file under way when it is accepted. @throws Refusal. */
export async function acceptOffer(offer: Offer, options: AcceptOptions): Promise<PartFile> {
  checkOffer(offer, options);
  try {
    return await options.store.begin(offer.name, offer.size);
  } catch (error) {
    if (!(error instanceof TransferError)) throw error;
    throw new Refusal(error.code === 'no_space' ? 'no_space' : 'not_writable', error.forPeer, error.message);
  }
}

function checkOffer({ name, size, streams, iterations, chunkBytes }: Offer, options: AcceptOptions): void {
  const { maxSize = Number.MAX_SAFE_INTEGER, platform = process.platform } = options;
  const problem = nameProblem(name, platform);
  if (problem !== undefined) throw new Refusal('name_not_allowed', `the file's name is not allowed: ${problem}`);
  const most = mostStreams(options);
  if (streams > most) throw new Refusal('too_many_streams', `${streams} streams are too many: use ${most} at most`);
  if (streams * iterations > MAX_STREAM_READINGS) {
    throw new Refusal(
      'unsupported',
      `${streams} streams in ${iterations} iterations are too many: ${MAX_STREAM_READINGS} in all are the most`,
    );
  }
  if (!isChunkSizeAllowed(chunkBytes, streams)) {
    throw new Refusal(
      'unsupported',
      `chunks of ${chunkBytes} bytes on ${streams} streams are not accepted: use ${MIN_CHUNK_BYTES} to ${MAX_CHUNK_BYTES}, and less with many streams`,
    );
  }
  if (size > maxSize) throw new Refusal('too_large', `the file has ${size} bytes, ${maxSize} are the most`);
}
