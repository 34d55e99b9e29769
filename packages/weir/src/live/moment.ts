/** One moment of a measured iteration under way: everything that a live display shows. Plain data: it goes over the wire as it is. */
export interface LiveMoment {
  /** What is being measured, for people: a file's name, a cell of an experiment. May be empty. */
  readonly label: string;
  /** From 1. */
  readonly iteration: number;
  readonly iterations: number;
  /** Milliseconds since the iteration began. */
  readonly elapsedMs: number;
  readonly totalBytes: number;
  /** What each stream has carried so far: acknowledged (sender) or arrived (receiver). */
  readonly streamBytes: readonly number[];
  /** Bytes a millisecond over the last two seconds; null before there is one. */
  readonly bytesPerMs: number | null;
  /** Bytes a millisecond of the iteration so far, oldest first, each over an equal piece of time. At most `MAX_RATES`. */
  readonly rates: readonly number[];
  /** Smoothed round-trip time in milliseconds; null when it is not known. */
  readonly rttMs: number | null;
  readonly congestionWindowBytes: number | null;
  readonly bytesInFlight: number | null;
  /** Packets declared lost in this iteration. */
  readonly packetsLost: number | null;
  /** What most of the last two seconds went to, by the names of SEND_LIMITS or RECEIVE_LIMITS; null when it is not known. */
  readonly limit: string | null;
}

/** The most entries of `rates`: as wide as a sparkline gets. */
export const MAX_RATES = 120;
