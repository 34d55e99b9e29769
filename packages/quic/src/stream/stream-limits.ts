/** What this endpoint announces about streams in its transport parameters, and how far its windows may grow, in bytes. */
export interface LocalStreamLimits {
  readonly initialMaxData: number;
  readonly initialMaxStreamDataBidiLocal: number;
  readonly initialMaxStreamDataBidiRemote: number;
  readonly initialMaxStreamDataUni: number;
  /** How many streams of each kind the peer may have open at once. */
  readonly initialMaxStreamsBidi: number;
  readonly initialMaxStreamsUni: number;
  /** How far one stream's receive window may grow. */
  readonly maxStreamWindow: number;
  /** How far the connection's receive window may grow. */
  readonly maxConnectionWindow: number;
}

/** The same limits as the peer announced them, RFC 9000 §18.2. */
export interface PeerStreamLimits {
  readonly initialMaxData: number;
  readonly initialMaxStreamDataBidiLocal: number;
  readonly initialMaxStreamDataBidiRemote: number;
  readonly initialMaxStreamDataUni: number;
  readonly initialMaxStreamsBidi: number;
  readonly initialMaxStreamsUni: number;
}

/** Whether `id` names a stream that the server opens. RFC 9000 §2.1. */
export function isServerInitiated(id: number): boolean {
  return id % 2 === 1;
}

/** Whether `id` names a stream that carries data both ways. RFC 9000 §2.1. */
export function isBidirectional(id: number): boolean {
  return id % 4 < 2;
}

/** How many streams of its type were opened before `id`. */
export function streamOrdinal(id: number): number {
  return Math.floor(id / 4);
}

/** The ID of stream number `ordinal` (from 0) of one type. */
export function streamId(ordinal: number, serverInitiated: boolean, bidirectional: boolean): number {
  return ordinal * 4 + (bidirectional ? 0 : 2) + (serverInitiated ? 1 : 0);
}

/** The streams of one kind that this endpoint opens, against the limit that the peer sets. RFC 9000 §4.6. */
export class LocalStreams {
  /** Streams opened so far. opened <= maximum. */
  opened = 0;
  /** The largest MAX_STREAMS received. */
  #maximum = 0;
  /** Whether the application wanted a stream at the present maximum and got none. */
  #wanted = false;
  /** The maximum that the last STREAMS_BLOCKED frame named, or -1. */
  #reported = -1;

  /** The number of streams that the peer allows, those already closed included. */
  get maximum(): number {
    return this.#maximum;
  }

  /** Takes the next ordinal, or answers -1 at the limit. */
  open(): number {
    if (this.opened < this.#maximum) return this.opened++;
    this.#wanted = true;
    return -1;
  }

  /** Takes a new limit; answers whether it is larger than the last. */
  raise(maximum: number): boolean {
    if (maximum <= this.#maximum) return false;
    this.#maximum = maximum;
    this.#wanted = false;
    return true;
  }

  /** Whether a STREAMS_BLOCKED frame is due. */
  get isReportDue(): boolean {
    return this.#wanted && this.#reported !== this.#maximum;
  }

  /** Notes that STREAMS_BLOCKED is sent, and answers the limit that it names. */
  report(): number {
    this.#reported = this.#maximum;
    return this.#maximum;
  }

  /** The STREAMS_BLOCKED frame with this limit was lost: it is due again while it is still true. */
  onReportLost(limit: number): void {
    if (limit === this.#reported) this.#reported = -1;
  }
}

/** The streams of one kind that the peer opens, against the limit that this endpoint sets. RFC 9000 §4.6. */
export class PeerStreams {
  /** How many may be open at once. */
  readonly #concurrent: number;
  /** Streams opened so far. opened <= announced. */
  opened = 0;
  /** Streams closed and forgotten so far. closed <= opened. */
  #closed = 0;
  /** The largest maximum announced. */
  #announced: number;
  /** The latest MAX_STREAMS frame was lost. */
  #isLost = false;
  /** The peer said that it is out of streams. */
  #isAsked = false;

  constructor(concurrent: number) {
    this.#concurrent = concurrent;
    this.#announced = concurrent;
  }

  /** The largest maximum announced. */
  get announced(): number {
    return this.#announced;
  }

  /**
   * Whether a MAX_STREAMS frame is due: a quarter of the allowance has come back, or the peer is down to its last quarter
   * and anything has come back. So frames are few, and a peer that holds most of its streams open never waits for the rest.
   */
  get isDue(): boolean {
    if (this.#isLost) return true;
    const returned = this.due - this.#announced;
    if (returned <= 0) return false;
    return this.#isAsked || returned * 4 >= this.#concurrent || (this.#announced - this.opened) * 4 <= this.#concurrent;
  }

  /** The maximum that MAX_STREAMS should name now. */
  get due(): number {
    return this.#closed + this.#concurrent;
  }

  /** Notes that MAX_STREAMS is sent, and answers the maximum that it names. */
  announce(): number {
    this.#announced = this.due;
    this.#isLost = false;
    this.#isAsked = false;
    return this.#announced;
  }

  onClosed(): void {
    this.#closed++;
  }

  /** The MAX_STREAMS frame with this maximum was lost: only the latest matters. */
  onAnnouncementLost(maximum: number): void {
    if (maximum === this.#announced) this.#isLost = true;
  }

  onPeerBlocked(): void {
    this.#isAsked = true;
  }
}
