/**
 * One side of one iteration over time, in columns: entry i of each is as at `atMs[i]`. Counts are since the side's first
 * sample, whose entry is 0. At most a few hundred samples, however long the iteration.
 */
export interface Series {
  /** Milliseconds from the start of the iteration on this side. Ascending. */
  readonly atMs: readonly number[];
  readonly congestionWindowBytes: readonly number[];
  readonly bytesInFlight: readonly number[];
  /** Smoothed; null before the first sample of it. */
  readonly rttMs: readonly (number | null)[];
  readonly packetsLost: readonly number[];
  /** Payload bytes that each stream has carried: acknowledged (sender) or arrived (receiver). One column a stream. */
  readonly streamBytes: readonly (readonly number[])[];
  /** Milliseconds for each limit, one column a limit: in the order of SEND_LIMITS (sender) or RECEIVE_LIMITS (receiver). */
  readonly limitMs: readonly (readonly number[])[];
}
