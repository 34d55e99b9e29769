import type { Millis } from '../base/time.ts';
import { FrameType } from '../wire/frame-type.ts';
import {
  dataBlockedSize,
  maxDataSize,
  maxStreamsSize,
  streamsBlockedSize,
  writeDataBlocked,
  writeMaxData,
  writeMaxStreams,
  writeStreamsBlocked,
} from '../wire/frames.ts';
import { type SentFrames, SentKind } from '../wire/sent-frames.ts';
import { ConnectionCredit, ReceiveWindow } from './flow-control.ts';
import { SendLimitIndex } from './limit-clock.ts';
import type { ReceiveWaits, RecvContext, RecvStream } from './recv-stream.ts';
import { LinkedQueue, UrgencyQueue } from './scheduler.ts';
import type { ControlSource, SendContext, SendStream } from './send-stream.ts';
import { sharedSlabs } from './slab-pool.ts';
import { createStreamCounts } from './stream-clock.ts';
import type { StreamEvents } from './stream-events.ts';
import type { LocalStreamLimits, PeerStreamLimits } from './stream-limits.ts';
import { BIDI, type StreamKind, StreamTable, UNI } from './stream-table.ts';
import { TurnClock } from './turn-clock.ts';

/** STREAM frames of one stream's turn: at least, at most, and so that this many turns make a congestion window. */
const SHORTEST_TURN = 16;
const LONGEST_TURN = 64;
const TURNS_PER_WINDOW = 16;

export interface StreamsOptions {
  readonly isServer: boolean;
  /** What this endpoint announces in its transport parameters. */
  readonly local: LocalStreamLimits;
  readonly events: StreamEvents;
  /** What the connection's time goes to. Default: a clock of its own, that stands in one turn. */
  readonly turns?: TurnClock;
}

/**
 * All streams of one connection: which are open, their frames in both directions, and the limits over all of them. RFC 9000
 * §2 to §4. Work per frame doesn't depend on how many streams are open, and a stream that is closed both ways is forgotten
 * once the application has accepted it: frames that still come for it are ignored.
 */
export class Streams {
  /** How many calls wait for `open` to succeed: kept by whoever lets them wait. */
  opensWaiting = 0;
  readonly #events: StreamEvents;
  readonly #turns: TurnClock;
  readonly #counts = createStreamCounts();
  readonly #waits: ReceiveWaits = { readable: 0, gapped: 0, arriving: 0 };
  readonly #table: StreamTable;
  /** The peer's limits are known: before, nothing is blocked by them. */
  #hasPeerLimits = false;
  readonly #credit = new ConnectionCredit();
  readonly #window: ReceiveWindow;
  readonly #fresh = new UrgencyQueue<SendStream>();
  readonly #resend = new UrgencyQueue<SendStream>();
  readonly #control = new LinkedQueue<ControlSource>();
  readonly #send: SendContext;
  readonly #recvContext: RecvContext & { rtt: Millis };

  constructor(options: StreamsOptions) {
    const { isServer, local, events } = options;
    this.#events = events;
    this.#turns = options.turns ?? new TurnClock(0);
    this.#window = new ReceiveWindow(local.initialMaxData, local.maxConnectionWindow);
    const control = this.#control;
    const onPartDone = (id: number) => this.#table.onPartDone(id);
    this.#send = {
      credit: this.#credit,
      fresh: this.#fresh,
      resend: this.#resend,
      control,
      events,
      turns: this.#turns,
      counts: this.#counts,
      freshCredit: 0,
      framesPerTurn: SHORTEST_TURN,
      onPartDone,
    };
    const waits = this.#waits;
    this.#recvContext = { window: this.#window, rtt: 0, slabs: sharedSlabs, control, events, waits, onPartDone };
    this.#table = new StreamTable({ isServer, local, events, send: this.#send, recv: this.#recvContext });
  }

  // The application's side.

  /** How many streams are open in at least one direction. */
  get count(): number {
    return this.#table.count;
  }

  /** The IDs of the streams that are open in at least one direction, oldest first. */
  ids(): IterableIterator<number> {
    return this.#table.ids();
  }

  /** The flow control of the connection as a whole, both ways, in bytes; for statistics. */
  get connectionLimits(): { sent: number; sendLimit: number; received: number; receiveLimit: number } {
    const { used, limit } = this.#credit;
    return { sent: used, sendLimit: limit, received: this.#window.received, receiveLimit: this.#window.announced };
  }

  /**
   * Opens a stream and answers its ID, or -1 while the peer allows no more: `onStreamsAvailable` says when to try again. Its time
   * begins at `now`; default, when something last happened to the connection.
   */
  open(bidirectional: boolean, now: Millis = this.#turns.now): number {
    this.#turns.advance(now);
    return this.#table.open(bidirectional ? BIDI : UNI);
  }

  /** Lets the peer be `bytes` ahead of the application over all streams, as far as the window may grow; it never shrinks. */
  growWindow(bytes: number): void {
    this.#window.grow(bytes);
  }

  /** Lets the window over all streams grow to no more than `bytes`, from now on. */
  limitWindow(bytes: number): void {
    this.#window.limit(bytes);
  }

  /** The application has taken a stream that `onStreamOpened` told of. Before, it is not forgotten, even when both of its parts are done. */
  accept(id: number): void {
    this.#table.accept(id);
  }

  /** Forgets all streams, once the application has heard of the end: it has those that it still wants to read. */
  forget(): void {
    this.#table.forget();
  }

  /** The sending part of an open stream; undefined when it has none, or is forgotten. */
  sender(id: number): SendStream | undefined {
    return this.#table.sender(id);
  }

  /** The receiving part of an open stream; undefined when it has none, or is forgotten. */
  receiver(id: number): RecvStream | undefined {
    return this.#table.receiver(id);
  }

  /** Takes the limits of the peer's transport parameters, once they are authenticated. */
  setPeerLimits(peer: PeerStreamLimits, now: Millis = 0): void {
    this.#hasPeerLimits = true;
    this.#credit.raise(now, peer.initialMaxData);
    this.#table.setPeerLimits(now, peer);
    this.#raiseStreams(BIDI, peer.initialMaxStreamsBidi);
    this.#raiseStreams(UNI, peer.initialMaxStreamsUni);
  }

  /**
   * What is known of the path: the smoothed round-trip time, for tuning the receive windows, and the congestion window in packets.
   * Streams take longer turns where a window holds many: the receiver wakes fewer readers then, and turns are still short beside
   * a round trip.
   */
  setPath(smoothedRtt: Millis, windowPackets: number): void {
    this.#recvContext.rtt = smoothedRtt;
    this.#send.framesPerTurn = Math.min(
      LONGEST_TURN,
      Math.max(SHORTEST_TURN, Math.floor(windowPackets / TURNS_PER_WINDOW)),
    );
  }

  // What the peer sent. Every method throws the TransportError that the RFC demands.

  onStream(
    now: Millis,
    packetNumber: number,
    id: number,
    offset: number,
    bytes: Uint8Array,
    start: number,
    length: number,
    fin: boolean,
  ): void {
    this.#table.receiving(id, FrameType.STREAM)?.onData(now, packetNumber, offset, bytes, start, length, fin);
  }

  onResetStream(now: Millis, id: number, errorCode: number, finalSize: number): void {
    this.#table.receiving(id, FrameType.RESET_STREAM)?.onReset(now, errorCode, finalSize);
  }

  onStopSending(now: Millis, id: number, errorCode: number): void {
    this.#table.sending(id, FrameType.STOP_SENDING)?.onStopSending(now, errorCode);
  }

  onMaxData(now: Millis, maximum: number): void {
    this.#credit.raise(now, maximum);
  }

  onMaxStreamData(now: Millis, id: number, maximum: number): void {
    this.#table.sending(id, FrameType.MAX_STREAM_DATA)?.onMaxStreamData(now, maximum);
  }

  onMaxStreams(bidirectional: boolean, maximum: number): void {
    this.#raiseStreams(bidirectional ? BIDI : UNI, maximum);
  }

  /** Credit is given as the application reads, whether or not the peer asks (RFC 9000 §4.2): nothing to do. */
  onDataBlocked(): void {}

  /** As `onDataBlocked`; but the frame opens the stream, and must not name one that only sends. RFC 9000 §19.13. */
  onStreamDataBlocked(id: number): void {
    this.#table.receiving(id, FrameType.STREAM_DATA_BLOCKED);
  }

  /** What has come back of the allowance is announced at once. RFC 9000 §19.14. */
  onStreamsBlocked(bidirectional: boolean): void {
    this.#table.theirs[bidirectional ? BIDI : UNI].onPeerBlocked();
  }

  // What streams wait for.

  /** Whether data that streams may send waits for the connection's credit, and nothing is there that needs none. */
  get isConnectionBlocked(): boolean {
    return this.#resend.isEmpty && !this.#fresh.isEmpty && this.#credit.available === 0;
  }

  /** Bytes that flow control of the connection lets through, for streams that have data. */
  get connectionCredit(): number {
    return this.#credit.available;
  }

  /** Bytes that the own limits of the streams let through that have data within them. */
  get streamCredit(): number {
    return this.#send.freshCredit;
  }

  /** How many streams have data that their own limit holds back. */
  get blockedStreams(): number {
    return this.#counts[SendLimitIndex.STREAM_FLOW_CONTROL]!;
  }

  /** How many streams have sent everything, and wait for acknowledgements. */
  get streamsInDelivery(): number {
    return this.#counts[SendLimitIndex.DELIVERY]!;
  }

  /** How many streams hold data that has not been read. */
  get receiveWaits(): Readonly<ReceiveWaits> {
    return this.#waits;
  }

  // What there is to send.

  /** Whether `writeControl` has something to write. */
  get wantsControl(): boolean {
    return (
      !this.#control.isEmpty ||
      this.#window.isDue ||
      this.#table.theirs[BIDI].isDue ||
      this.#table.theirs[UNI].isDue ||
      this.#isReportDue ||
      (this.#hasPeerLimits && (this.#table.ours[BIDI].isReportDue || this.#table.ours[UNI].isReportDue))
    );
  }

  /** Whether `writeData` has something to write that flow control allows now. */
  get wantsData(): boolean {
    return !this.#resend.isEmpty || (!this.#fresh.isEmpty && this.#credit.available > 0);
  }

  /** Writes into [at, end) every frame that is due but STREAM, as far as they fit; answers the offset behind them. */
  writeControl(bytes: Uint8Array, at: number, end: number, sent: SentFrames): number {
    let next = this.#writeConnectionControl(bytes, at, end, sent);
    for (let link = this.#control.first; link !== undefined; link = this.#control.first) {
      next = link.item.writeControl(bytes, next, end, sent);
      if (next < 0) return -1 - next;
    }
    return next;
  }

  /**
   * Fills [at, end) with STREAM frames of the most urgent streams; answers the offset behind them. Streams of one urgency
   * take turns, a few packets each. A frame that reaches `end` has no length field: nothing may follow it in the packet.
   */
  writeData(now: Millis, bytes: Uint8Array, at: number, end: number, sent: SentFrames, packetNumber: number): number {
    let next = at;
    for (let stream = this.#nextStream(); stream !== undefined; stream = this.#nextStream()) {
      const before = next;
      next = stream.writeFrame(now, bytes, before, end, sent, packetNumber);
      if (next === before) return next;
      stream.yieldTurn();
      if (next === end) return next;
    }
    return next;
  }

  // The fate of what was sent. Records of streams that are forgotten need nothing.

  onFrameAcked(now: Millis, kind: SentKind, a: number, b: number, c: number, packetNumber: number): void {
    if (kind === SentKind.STREAM) {
      this.#table.sender(a)?.onAcked(now, b, c >>> 1, (c & 1) === 1, packetNumber);
    } else if (kind === SentKind.RESET_STREAM) this.#table.sender(a)?.onResetAcked();
  }

  onFrameLost(now: Millis, kind: SentKind, a: number, b: number, c: number): void {
    switch (kind) {
      case SentKind.STREAM:
        this.#table.sender(a)?.onLost(now, b, c >>> 1, (c & 1) === 1);
        break;
      case SentKind.RESET_STREAM:
        this.#table.sender(a)?.onResetLost();
        break;
      case SentKind.STREAM_DATA_BLOCKED:
        this.#table.sender(a)?.onReportLost(now, b);
        break;
      case SentKind.STOP_SENDING:
        this.#table.receiver(a)?.onStopLost();
        break;
      case SentKind.MAX_STREAM_DATA:
        this.#table.receiver(a)?.onCreditLost(b);
        break;
      case SentKind.MAX_DATA:
        this.#window.onAnnouncementLost(b);
        break;
      case SentKind.MAX_STREAMS:
        this.#table.theirs[a === 0 ? BIDI : UNI].onAnnouncementLost(b);
        break;
      case SentKind.DATA_BLOCKED:
        this.#credit.onReportLost(b);
        break;
      case SentKind.STREAMS_BLOCKED:
        this.#table.ours[a === 0 ? BIDI : UNI].onReportLost(b);
        break;
    }
  }

  /** Whether the connection's limit holds data back and the peer hasn't been told. RFC 9000 §4.1. */
  get #isReportDue(): boolean {
    return this.#credit.isReportDue && !this.#fresh.isEmpty;
  }

  /** Whose turn it is: the most urgent, and of those first who has something to send again. */
  #nextStream(): SendStream | undefined {
    const resend = this.#resend;
    if (this.#fresh.isEmpty || this.#credit.available === 0 || resend.urgency <= this.#fresh.urgency)
      return resend.first;
    return this.#fresh.first;
  }

  #writeConnectionControl(bytes: Uint8Array, at: number, end: number, sent: SentFrames): number {
    let next = at;
    if (this.#window.isDue && next + maxDataSize(this.#window.announced + this.#window.size) <= end) {
      const maximum = this.#window.announce();
      next = writeMaxData(bytes, next, maximum);
      sent.add(SentKind.MAX_DATA, 0, maximum, 0);
    }
    if (this.#isReportDue && next + dataBlockedSize(this.#credit.limit) <= end) {
      const limit = this.#credit.report();
      next = writeDataBlocked(bytes, next, limit);
      sent.add(SentKind.DATA_BLOCKED, 0, limit, 0);
    }
    next = this.#writeStreamCounts(BIDI, bytes, next, end, sent);
    return this.#writeStreamCounts(UNI, bytes, next, end, sent);
  }

  #writeStreamCounts(kind: StreamKind, bytes: Uint8Array, at: number, end: number, sent: SentFrames): number {
    let next = at;
    const theirs = this.#table.theirs[kind];
    const ours = this.#table.ours[kind];
    if (theirs.isDue && next + maxStreamsSize(theirs.due) <= end) {
      const maximum = theirs.announce();
      next = writeMaxStreams(bytes, next, kind === BIDI, maximum);
      sent.add(SentKind.MAX_STREAMS, kind, maximum, 0);
    }
    if (this.#hasPeerLimits && ours.isReportDue && next + streamsBlockedSize(ours.maximum) <= end) {
      const limit = ours.report();
      next = writeStreamsBlocked(bytes, next, kind === BIDI, limit);
      sent.add(SentKind.STREAMS_BLOCKED, kind, limit, 0);
    }
    return next;
  }

  #raiseStreams(kind: StreamKind, maximum: number): void {
    if (this.#table.ours[kind].raise(maximum)) this.#events.onStreamsAvailable(kind === BIDI);
  }
}
