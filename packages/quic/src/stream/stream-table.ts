import { TransportError, TransportErrorCode } from '../base/errors.ts';
import type { Millis } from '../base/time.ts';
import { type RecvContext, RecvStream } from './recv-stream.ts';
import { type SendContext, SendStream } from './send-stream.ts';
import type { StreamEvents } from './stream-events.ts';
import {
  isBidirectional,
  isServerInitiated,
  type LocalStreamLimits,
  LocalStreams,
  type PeerStreamLimits,
  PeerStreams,
  streamId,
  streamOrdinal,
} from './stream-limits.ts';
import { createStreamStats } from './stream-stats.ts';

/** Indices into what is kept for each kind of stream; also what SentKind.MAX_STREAMS and STREAMS_BLOCKED record. */
export const BIDI = 0;
export const UNI = 1;
export type StreamKind = typeof BIDI | typeof UNI;

/** A stream that is not yet closed both ways. A direction that the stream doesn't have is undefined. */
interface Entry {
  readonly send: SendStream | undefined;
  readonly recv: RecvStream | undefined;
  /** Whether the application has it: streams that the peer opened wait for `accept`. */
  isAccepted: boolean;
}

export interface StreamTableOptions {
  readonly isServer: boolean;
  readonly local: LocalStreamLimits;
  readonly events: StreamEvents;
  readonly send: SendContext;
  readonly recv: RecvContext;
}

/** The peer's transport parameters before they are known: nothing is allowed. */
const NO_LIMITS: PeerStreamLimits = {
  initialMaxData: 0,
  initialMaxStreamDataBidiLocal: 0,
  initialMaxStreamDataBidiRemote: 0,
  initialMaxStreamDataUni: 0,
  initialMaxStreamsBidi: 0,
  initialMaxStreamsUni: 0,
};

/**
 * Which streams are open, which were, and which may be opened: RFC 9000 §2.1, §3, §4.6. A stream that is closed both ways, and that
 * the application has had, is forgotten; that it was there is known from the count of streams opened.
 */
export class StreamTable {
  /** Streams that this endpoint opens, by kind. */
  readonly ours: readonly [LocalStreams, LocalStreams] = [new LocalStreams(), new LocalStreams()];
  /** Streams that the peer opens, by kind. */
  readonly theirs: readonly [PeerStreams, PeerStreams];
  readonly #isServer: boolean;
  readonly #local: LocalStreamLimits;
  readonly #events: StreamEvents;
  readonly #send: SendContext;
  readonly #recv: RecvContext;
  readonly #entries = new Map<number, Entry>();
  #peer = NO_LIMITS;

  constructor(options: StreamTableOptions) {
    const { local } = options;
    this.#isServer = options.isServer;
    this.#local = local;
    this.#events = options.events;
    this.#send = options.send;
    this.#recv = options.recv;
    this.theirs = [new PeerStreams(local.initialMaxStreamsBidi), new PeerStreams(local.initialMaxStreamsUni)];
  }

  /** How many streams are open in at least one direction. */
  get count(): number {
    return this.#entries.size;
  }

  /** The IDs of the streams that are open in at least one direction, oldest first. */
  ids(): IterableIterator<number> {
    return this.#entries.keys();
  }

  /** The sending part of an open stream, if it has one. */
  sender(id: number): SendStream | undefined {
    return this.#entries.get(id)?.send;
  }

  /** The receiving part of an open stream, if it has one. */
  receiver(id: number): RecvStream | undefined {
    return this.#entries.get(id)?.recv;
  }

  /** Opens a stream and answers its ID, or -1 at the peer's limit. */
  open(kind: StreamKind): number {
    const ordinal = this.ours[kind].open();
    if (ordinal < 0) return -1;
    const id = streamId(ordinal, this.#isServer, kind === BIDI);
    this.#create(id);
    return id;
  }

  /** Takes the initial limits of the peer's transport parameters. */
  setPeerLimits(now: Millis, peer: PeerStreamLimits): void {
    this.#peer = peer;
    for (const [id, entry] of this.#entries) entry.send?.onMaxStreamData(now, this.#sendLimit(id));
  }

  /**
   * The receiving part that a frame of the peer's names, opened if need be; undefined when it is forgotten. Throws
   * STREAM_STATE_ERROR or STREAM_LIMIT_ERROR when the peer may not name it.
   */
  receiving(id: number, frameType: number): RecvStream | undefined {
    const entry = this.#entries.get(id) ?? this.#admit(id, frameType, true);
    if (entry === undefined) return undefined;
    return entry.recv ?? refuse(id, 'has no receiving part', frameType);
  }

  /** The sending part that a frame of the peer's names, as `receiving`. */
  sending(id: number, frameType: number): SendStream | undefined {
    const entry = this.#entries.get(id) ?? this.#admit(id, frameType, false);
    if (entry === undefined) return undefined;
    return entry.send ?? refuse(id, 'has no sending part', frameType);
  }

  /**
   * The application has taken a stream that the peer opened. One that nobody has taken keeps its place: who opens and resets streams
   * that nobody looks at gets no more of them than may be open at once.
   */
  accept(id: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.isAccepted = true;
    this.onPartDone(id);
  }

  /** A part of the stream is done: once both are, the stream is forgotten, and the peer may open another in its place. */
  onPartDone(id: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.send?.isDone === false || entry.recv?.isDone === false) return;
    if (!entry.isAccepted) return;
    this.#entries.delete(id);
    if (!this.#isOurs(id)) this.theirs[kindOf(id)].onClosed();
  }

  /** The connection is over: what was received and nobody can read any more must not wait for its closing period to pass. */
  forget(): void {
    this.#entries.clear();
  }

  /**
   * A frame names a stream that isn't open. The peer opens it, with all of its kind before it (RFC 9000 §3.2); or it is
   * forgotten: undefined.
   */
  #admit(id: number, frameType: number, receives: boolean): Entry | undefined {
    const kind = kindOf(id);
    const isOurs = this.#isOurs(id);
    if (kind === UNI && isOurs === receives) {
      refuse(id, receives ? 'has no receiving part' : 'has no sending part', frameType);
    }
    const ordinal = streamOrdinal(id);
    if (isOurs) return ordinal < this.ours[kind].opened ? undefined : refuse(id, 'was never opened', frameType);
    const theirs = this.theirs[kind];
    if (ordinal < theirs.opened) return undefined;
    if (ordinal >= theirs.announced) {
      const reason = `stream ${id} is beyond the limit of ${theirs.announced} streams`;
      throw new TransportError(TransportErrorCode.STREAM_LIMIT_ERROR, reason, frameType);
    }
    while (theirs.opened <= ordinal) {
      const opened = streamId(theirs.opened++, !this.#isServer, kind === BIDI);
      this.#create(opened);
      this.#events.onStreamOpened(opened);
    }
    return this.#entries.get(id);
  }

  #create(id: number): void {
    const hasBoth = kindOf(id) === BIDI;
    const isOurs = this.#isOurs(id);
    const stats = createStreamStats();
    const largest = this.#local.maxStreamWindow;
    this.#entries.set(id, {
      send: hasBoth || isOurs ? new SendStream(id, this.#sendLimit(id), stats, this.#send) : undefined,
      recv: hasBoth || !isOurs ? new RecvStream(id, this.#receiveLimit(id), largest, stats, this.#recv) : undefined,
      isAccepted: isOurs,
    });
  }

  #isOurs(id: number): boolean {
    return isServerInitiated(id) === this.#isServer;
  }

  /** How far the peer's parameters let a new stream send: they are named from the peer's side. RFC 9000 §18.2. */
  #sendLimit(id: number): number {
    if (kindOf(id) === UNI) return this.#peer.initialMaxStreamDataUni;
    return this.#isOurs(id) ? this.#peer.initialMaxStreamDataBidiRemote : this.#peer.initialMaxStreamDataBidiLocal;
  }

  #receiveLimit(id: number): number {
    if (kindOf(id) === UNI) return this.#local.initialMaxStreamDataUni;
    return this.#isOurs(id) ? this.#local.initialMaxStreamDataBidiLocal : this.#local.initialMaxStreamDataBidiRemote;
  }
}

function kindOf(id: number): StreamKind {
  return isBidirectional(id) ? BIDI : UNI;
}

function refuse(id: number, what: string, frameType: number): never {
  throw new TransportError(TransportErrorCode.STREAM_STATE_ERROR, `stream ${id} ${what}`, frameType);
}
