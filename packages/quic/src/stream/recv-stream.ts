import { TransportError, TransportErrorCode } from '../base/errors.ts';
import type { Millis } from '../base/time.ts';
import { FrameType } from '../wire/frame-type.ts';
import { maxStreamDataSize, stopSendingSize, writeMaxStreamData, writeStopSending } from '../wire/frames.ts';
import { type SentFrames, SentKind } from '../wire/sent-frames.ts';
import { ReceiveWindow } from './flow-control.ts';
import { Reassembly } from './reassembly.ts';
import { Link, type LinkedQueue } from './scheduler.ts';
import type { ControlSource } from './send-stream.ts';
import type { SlabPool } from './slab-pool.ts';
import type { StreamEvents } from './stream-events.ts';
import type { StreamStats } from './stream-stats.ts';

/** The states of a receiving part, RFC 9000 §3.2. A reset counts as read when it has been reported. */
export type RecvState = 'recv' | 'size_known' | 'data_recvd' | 'data_read' | 'reset_recvd';

/** How many streams of a connection hold data that has not been read, or have more coming. */
export interface ReceiveWaits {
  /** In order: the application could read it. */
  readable: number;
  /** Only behind a gap. */
  gapped: number;
  /** Data has come, and not all. */
  arriving: number;
}

/** What the receiving parts of one connection share. */
export interface RecvContext {
  /** The window of all streams together. */
  readonly window: ReceiveWindow;
  /** The smoothed round-trip time, 0 while unknown. */
  readonly rtt: Millis;
  /** Where the memory for their data comes from. */
  readonly slabs: SlabPool;
  readonly control: LinkedQueue<ControlSource>;
  readonly events: StreamEvents;
  /** How many streams wait for what. */
  readonly waits: ReceiveWaits;
  /** The part has reached a terminal state. */
  onPartDone(id: number): void;
}

/**
 * How many stretches behind gaps a stream may have: at least this many, and one more for each 2 KiB of window. Data in
 * packets of ordinary size never comes near it; one-byte frames sent to make the bookkeeping expensive do.
 */
const MIN_GAP_LIMIT = 1024;

/** The receiving part of a stream: the application's side above, the packets' side below. RFC 9000 §3.2. */
export class RecvStream implements ControlSource {
  readonly id: number;
  readonly stats: StreamStats;
  readonly #context: RecvContext;
  readonly #window: ReceiveWindow;
  readonly #reassembly: Reassembly;
  #state: RecvState = 'recv';
  /** Where the stream ends, or -1 while unknown. It never changes: RFC 9000 §4.5. */
  #finalSize = -1;
  #resetCode = -1;
  /** The code of the STOP_SENDING frame, or -1: the application still reads. */
  #stopCode = -1;
  #isStopDue = false;
  #isCreditDue = false;
  /** The application has been told that there is something to read, and has not called `read` since. */
  #isNotified = false;
  /** When the present gap came up, or -1. */
  #gapSince: Millis = -1;
  /** As which of the waits the stream is counted, if any. */
  #wait: 'readable' | 'gapped' | undefined;
  /** Whether the stream is counted as arriving. */
  #isArriving = false;
  /** The last packet number counted. */
  #lastPacket = -1;
  readonly #controlLink = new Link<ControlSource>(this);

  constructor(id: number, window: number, largestWindow: number, stats: StreamStats, context: RecvContext) {
    this.id = id;
    this.stats = stats;
    this.#window = new ReceiveWindow(window, largestWindow);
    this.#context = context;
    this.#reassembly = new Reassembly(context.slabs);
  }

  get state(): RecvState {
    return this.#state;
  }

  /** Bytes that `read` can hand out now. */
  get readable(): number {
    return this.#reassembly.readable;
  }

  /** Whether everything up to the end of the stream has been read. `read` must be called once more to say that it was heard. */
  get finished(): boolean {
    return this.#reassembly.readOffset === this.#finalSize && this.#resetCode < 0 && this.#stopCode < 0;
  }

  /** Where the stream ends, or -1 while unknown. */
  get finalSize(): number {
    return this.#finalSize;
  }

  /** The code with which the peer reset the stream, if it did. */
  get resetCode(): number | undefined {
    return this.#resetCode < 0 ? undefined : this.#resetCode;
  }

  /** Whether nothing more will come of this part. */
  get isDone(): boolean {
    return this.#state === 'data_read' || this.#state === 'reset_recvd';
  }

  /**
   * The next piece of the stream in order, a view that the caller may keep; undefined when nothing is there yet, or ever
   * (`finished`, `resetCode`). Reading gives the peer credit, and arms `onReadable` again: read until undefined or finished.
   */
  read(now: Millis): Uint8Array | undefined {
    this.#isNotified = false;
    const piece = this.#reassembly.read();
    this.#onRead(now, piece === undefined ? 0 : piece.length);
    return piece;
  }

  /** As `read`, but copies into `target`, as far as it has room; answers how many bytes. */
  readInto(now: Millis, target: Uint8Array): number {
    this.#isNotified = false;
    const count = this.#reassembly.readInto(target);
    this.#onRead(now, count);
    return count;
  }

  #onRead(now: Millis, count: number): void {
    if (count > 0) {
      this.#consume(now, count);
      this.#countWait();
    }
    if (this.#state === 'data_recvd' && this.#reassembly.readOffset === this.#finalSize) this.#finishPart('data_read');
  }

  /** Reads no more: what has come is discarded, and the peer is asked with `code` to stop. RFC 9000 §3.5. */
  stopSending(now: Millis, code: number): void {
    if (this.#stopCode >= 0 || this.isDone) return;
    this.#stopCode = code;
    this.#isCreditDue = false;
    this.#discard(now);
    this.#countWait();
    if (this.#state === 'data_recvd') this.#finishPart('data_read');
    else this.#isStopDue = true;
    this.#queueControl();
  }

  /** Brings the statistics of reassembly up to `now`. */
  settle(now: Millis): void {
    if (this.#gapSince < 0) return;
    this.stats.reassemblyMs += now - this.#gapSince;
    this.#gapSince = now;
  }

  // What follows is for Streams: the peer, the packets, and their fate.

  /** A STREAM frame. RFC 9000 §19.8. */
  onData(
    now: Millis,
    packetNumber: number,
    offset: number,
    bytes: Uint8Array,
    start: number,
    length: number,
    fin: boolean,
  ): void {
    const end = offset + length;
    this.#checkSize(end, fin, FrameType.STREAM);
    if (end > this.#window.received) this.#receive(end, FrameType.STREAM);
    this.#countPacket(now, packetNumber);
    if (this.#state !== 'recv' && this.#state !== 'size_known') {
      this.stats.bytesDuplicate += length;
      return;
    }
    const reassembly = this.#reassembly;
    if (fin && this.#finalSize < 0) this.#learnSize(end);
    const before = reassembly.contiguous;
    const count = reassembly.insert(offset, bytes, start, length);
    this.stats.bytesReceived += count;
    this.stats.bytesDuplicate += length - count;
    if (reassembly.gaps > 0 || this.#gapSince >= 0) this.#trackGap(now);
    if (this.#stopCode >= 0) this.#consume(now, this.#window.received - this.#window.consumed);
    else this.#countWait();
    const isComplete = reassembly.contiguous === this.#finalSize;
    if (this.#isArriving === isComplete) this.#countArriving(!isComplete);
    if (isComplete) this.#complete();
    if (isComplete || reassembly.contiguous > before) this.#notify();
  }

  /** RESET_STREAM: the peer gives up. Data that is complete is delivered all the same. RFC 9000 §3.2, §19.4. */
  onReset(now: Millis, code: number, finalSize: number): void {
    this.#checkSize(finalSize, true, FrameType.RESET_STREAM);
    if (finalSize > this.#window.received) this.#receive(finalSize, FrameType.RESET_STREAM);
    if (this.#state !== 'recv' && this.#state !== 'size_known') return;
    this.#finalSize = finalSize;
    this.#resetCode = code;
    if (this.#isArriving) this.#countArriving(false);
    this.settle(now);
    this.#gapSince = -1;
    this.#discard(now);
    this.#countWait();
    this.#finishPart('reset_recvd');
  }

  /** The MAX_STREAM_DATA frame with this maximum was lost: the latest is announced anew. RFC 9000 §13.3. */
  onCreditLost(maximum: number): void {
    if (maximum === this.#window.announced && this.#state === 'recv' && this.#stopCode < 0) this.#oweCredit();
  }

  /** The STOP_SENDING frame was lost: it is repeated while data is still missing. RFC 9000 §13.3. */
  onStopLost(): void {
    if (this.#state !== 'recv' && this.#state !== 'size_known') return;
    this.#isStopDue = true;
    this.#queueControl();
  }

  writeControl(bytes: Uint8Array, at: number, end: number, sent: SentFrames): number {
    let next = at;
    if (this.#isStopDue) {
      if (next + stopSendingSize(this.id, this.#stopCode) > end) return -1 - next;
      next = writeStopSending(bytes, next, this.id, this.#stopCode);
      sent.add(SentKind.STOP_SENDING, this.id, 0, 0);
      this.#isStopDue = false;
    }
    if (this.#isCreditDue) {
      const window = this.#window;
      const maximum = Math.max(window.announced, window.consumed + window.size);
      if (next + maxStreamDataSize(this.id, maximum) > end) return -1 - next;
      next = writeMaxStreamData(bytes, next, this.id, window.announce());
      sent.add(SentKind.MAX_STREAM_DATA, this.id, maximum, 0);
      this.#isCreditDue = false;
    }
    this.#queueControl();
    return next;
  }

  /** A frame says that the stream reaches to `end`, and ends there if `fin`. RFC 9000 §4.5. */
  #checkSize(end: number, fin: boolean, frameType: number): void {
    const size = this.#finalSize;
    if (size >= 0 ? end > size || (fin && end !== size) : fin && end < this.#window.received) {
      const known = size >= 0 ? `final size ${size}` : `${this.#window.received} bytes received`;
      throw new TransportError(
        TransportErrorCode.FINAL_SIZE_ERROR,
        `stream ${this.id}: ${fin ? 'ends at' : 'data up to'} ${end}, but ${known}`,
        frameType,
      );
    }
  }

  /** The highest offset grows to `end`: both limits apply. RFC 9000 §4.1. */
  #receive(end: number, frameType: number): void {
    const window = this.#window;
    const total = this.#context.window;
    const growth = end - window.received;
    if (end > window.announced) {
      const reason = `stream ${this.id}: data up to ${end}, the limit is ${window.announced}`;
      throw new TransportError(TransportErrorCode.FLOW_CONTROL_ERROR, reason, frameType);
    }
    if (total.received + growth > total.announced) {
      const reason = `connection: ${total.received + growth} bytes of data, the limit is ${total.announced}`;
      throw new TransportError(TransportErrorCode.FLOW_CONTROL_ERROR, reason, frameType);
    }
    window.received = end;
    total.received += growth;
  }

  #countPacket(now: Millis, packetNumber: number): void {
    const stats = this.stats;
    if (packetNumber !== this.#lastPacket) {
      this.#lastPacket = packetNumber;
      stats.packetsReceived++;
      if (stats.firstReceivedAt < 0) stats.firstReceivedAt = now;
    }
    stats.lastReceivedAt = now;
  }

  #learnSize(size: number): void {
    this.#finalSize = size;
    this.#reassembly.finalSize = size;
    this.#state = 'size_known';
    // The peer needs no more credit.
    this.#isCreditDue = false;
    this.#queueControl();
  }

  #trackGap(now: Millis): void {
    const gaps = this.#reassembly.gaps;
    if (gaps > MIN_GAP_LIMIT && gaps > this.#window.size / 2048) {
      throw new TransportError(TransportErrorCode.INTERNAL_ERROR, `stream ${this.id}: too many gaps`, FrameType.STREAM);
    }
    if (gaps > 0 && this.#gapSince < 0) this.#gapSince = now;
    else if (gaps === 0) {
      this.settle(now);
      this.#gapSince = -1;
    }
  }

  /** Counts the stream as what its data waits for now: the application, a byte in front of it, or nothing. */
  #countWait(): void {
    const { readable, gaps } = this.#reassembly;
    let wait: 'readable' | 'gapped' | undefined;
    if (this.#stopCode < 0 && this.#resetCode < 0) wait = readable > 0 ? 'readable' : gaps > 0 ? 'gapped' : undefined;
    if (wait === this.#wait) return;
    const { waits } = this.#context;
    if (this.#wait !== undefined) waits[this.#wait]--;
    if (wait !== undefined) waits[wait]++;
    this.#wait = wait;
  }

  #countArriving(isArriving: boolean): void {
    this.#isArriving = isArriving;
    this.#context.waits.arriving += isArriving ? 1 : -1;
  }

  /** All data has come. */
  #complete(): void {
    this.#state = 'data_recvd';
    if (this.#isStopDue) {
      this.#isStopDue = false;
      this.#queueControl();
    }
    if (this.#stopCode >= 0) this.#finishPart('data_read');
  }

  /** Tells the application once, until it has read again. */
  #notify(): void {
    if (this.#isNotified || this.#stopCode >= 0) return;
    this.#isNotified = true;
    this.#context.events.onReadable(this.id);
  }

  /** The application has read `bytes`, or will never read them: the peer may send as many more. */
  #consume(now: Millis, bytes: number): void {
    const { window: total, rtt } = this.#context;
    const window = this.#window;
    total.consume(now, bytes, rtt);
    // The connection's window must let one fast stream use what its own allows.
    if (window.consume(now, bytes, rtt)) total.grow(Math.ceil(window.size * 1.5));
    if (this.#state === 'recv' && this.#stopCode < 0 && window.isDue) this.#oweCredit();
  }

  #discard(now: Millis): void {
    this.#reassembly.discard();
    this.#consume(now, this.#window.received - this.#window.consumed);
  }

  #oweCredit(): void {
    this.#isCreditDue = true;
    this.#queueControl();
  }

  /** Joins or leaves the queue of control frames. */
  #queueControl(): void {
    const isDue = this.#isStopDue || this.#isCreditDue;
    if (isDue === this.#controlLink.isQueued) return;
    if (isDue) this.#context.control.push(this.#controlLink);
    else this.#context.control.remove(this.#controlLink);
  }

  #finishPart(state: 'data_read' | 'reset_recvd'): void {
    this.#state = state;
    this.#isStopDue = false;
    this.#isCreditDue = false;
    this.#queueControl();
    if (state === 'reset_recvd') this.#context.events.onReset(this.id, this.#resetCode);
    this.#context.onPartDone(this.id);
  }
}
