/** The most payload of one iteration: 1 TiB. */
export const MAX_GAUGE_BYTES = 2 ** 40;

/** What one iteration measures. */
export interface IterationSettings {
  /** `up`: the client sends. `down`: the server does. */
  readonly direction: 'up' | 'down';
  /** Parallel streams, 1 to MAX_STREAMS. */
  readonly streams: number;
  /** Payload over all streams, 1 to MAX_GAUGE_BYTES. */
  readonly bytes: number;
  /** The congestion controller of the side that sends, which starts anew; null goes on with the one of the connection. */
  readonly cc: string | null;
}

/** The payload bytes of the stream with this index (from 1): equal shares, the first ones a byte longer where need be. */
export function shareOf({ bytes, streams }: Pick<IterationSettings, 'bytes' | 'streams'>, index: number): number {
  return Math.floor(bytes / streams) + (index <= bytes % streams ? 1 : 0);
}
