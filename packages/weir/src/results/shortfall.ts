/**
 * What a source without acknowledgements, such as plain UDP, could not deliver. Bytes. What was expected is known only as far
 * as the file's size and the way it was split are; packets are counted by their usual size.
 */
export interface StreamShortfall {
  /** From 1. */
  readonly stream: number;
  readonly expectedBytes: number;
  readonly missingBytes: number;
  readonly packetsLost: number;
  /** Whether its END came. */
  readonly ended: boolean;
  /** Packets that came where the sender cannot have put them. */
  readonly reorderingSigns: number;
}

/** The shortfall of one iteration. */
export interface IterationShortfall {
  /** What each stream carries: its part of the file, or all of it. Seen in the numbers, not announced. */
  readonly split: 'stripes' | 'copies';
  /** What ended the iteration: every stream's END, silence, or the user. */
  readonly endedBy: 'ends' | 'idle' | 'interrupted';
  readonly expectedBytes: number;
  readonly missingBytes: number;
  readonly packetsLost: number;
  readonly endsMissing: number;
  readonly streamsNeverSeen: number;
  readonly reorderingSigns: number;
  readonly streams: readonly StreamShortfall[];
}

/** Datagrams that changed nothing, by reason. */
export interface IgnoredDatagramsResult {
  readonly strangers: number;
  readonly shortAnnouncements: number;
  readonly malformed: number;
  readonly late: number;
  readonly duplicateAnnouncements: number;
  readonly supersededAnnouncements: number;
  readonly duplicateEnds: number;
  readonly excess: number;
}
