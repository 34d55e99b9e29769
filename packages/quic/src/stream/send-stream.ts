import { varintSize } from '../base/cursor.ts';
import type { Millis } from '../base/time.ts';
import {
  resetStreamSize,
  streamDataBlockedSize,
  writeResetStream,
  writeStreamDataBlocked,
  writeStreamHeader,
} from '../wire/frames.ts';
import { type SentFrames, SentKind } from '../wire/sent-frames.ts';
import type { ConnectionCredit } from './flow-control.ts';
import { SendLimitIndex } from './limit-clock.ts';
import { Link, type LinkedQueue, URGENCIES, type UrgencyQueue } from './scheduler.ts';
import { SendBuffer } from './send-buffer.ts';
import { CONNECTION, ENDED, StreamClock, type StreamCounts } from './stream-clock.ts';
import type { StreamEvents } from './stream-events.ts';
import type { StreamStats } from './stream-stats.ts';
import type { TurnClock } from './turn-clock.ts';

/** The states of a sending part, RFC 9000 §3.1. `reset_sent` begins when the reset is decided. */
export type SendState = 'ready' | 'send' | 'data_sent' | 'data_recvd' | 'reset_sent' | 'reset_recvd';

/** A part of a stream that has control frames to send; it waits in one queue of the connection's. */
export interface ControlSource {
  /** Writes what it has into [at, end) and answers the offset behind it, or -1 - offset when something did not fit. */
  writeControl(bytes: Uint8Array, at: number, end: number, sent: SentFrames): number;
}

/** What the sending parts of one connection share. */
export interface SendContext {
  readonly credit: ConnectionCredit;
  /** Streams with something that needs no connection credit: lost data, or a FIN alone. */
  readonly resend: UrgencyQueue<SendStream>;
  /** Streams with data never sent, inside their own limit. */
  readonly fresh: UrgencyQueue<SendStream>;
  readonly control: LinkedQueue<ControlSource>;
  readonly events: StreamEvents;
  readonly turns: TurnClock;
  /** How many streams wait for what. */
  readonly counts: StreamCounts;
  /** Bytes that the streams in `fresh` may send as far as their own limits go, whether or not they have them. */
  freshCredit: number;
  /** The part has reached a terminal state. */
  onPartDone(id: number): void;
  /** STREAM frames that a stream writes before the next stream of its urgency gets its turn. */
  framesPerTurn: number;
}

/** A STREAM frame is not begun for fewer bytes than this at a packet's end, unless they are all there is. */
const MIN_FRAGMENT = 16;

const DEFAULT_HIGH_WATER_MARK = 256 << 10;
const DEFAULT_URGENCY = 3;

/** The sending part of a stream: the application's side above, the packets' side below. RFC 9000 §3.1. */
export class SendStream implements ControlSource {
  readonly id: number;
  readonly stats: StreamStats;
  /** Unsent bytes at which the buffer counts as full. */
  highWaterMark = DEFAULT_HIGH_WATER_MARK;
  /** Whether streams of this urgency take turns, a few packets each; otherwise this one keeps its turn. RFC 9218 §4.2. */
  incremental = true;
  readonly #context: SendContext;
  readonly #buffer = new SendBuffer();
  readonly #clock: StreamClock;
  #state: SendState = 'ready';
  #urgency = DEFAULT_URGENCY;
  /** Frames written in this turn. */
  #framesInTurn = 0;
  /** Offset up to which the peer allows this stream to send. */
  #limit: number;
  /** The application has finished: the stream ends at the buffer's end. */
  #isFinished = false;
  /** A FIN is to be sent: for the first time, or because it was lost. */
  #isFinDue = false;
  #isFinAcked = false;
  /** `write` has filled the buffer, and the application has not been told of room since. */
  #awaitsRoom = false;
  /** The code of the RESET_STREAM frame. */
  #resetCode = 0;
  #isResetDue = false;
  /** The limit that the last STREAM_DATA_BLOCKED frame named, or -1. */
  #reportedLimit = -1;
  #isReportDue = false;
  /** When the stream's limit began to hold data back, or -1. */
  #blockedSince: Millis = -1;
  /** The connection's clock of blocked time when this stream joined `fresh`. */
  #connectionClock: Millis = 0;
  /** The stream's part of `freshCredit`. */
  #freshCredit = 0;
  /** The last packet numbers counted as sent and as acknowledged. */
  #lastSentPacket = -1;
  #lastAckedPacket = -1;
  readonly #resendLink = new Link<SendStream>(this);
  readonly #freshLink = new Link<SendStream>(this);
  readonly #controlLink = new Link<ControlSource>(this);

  constructor(id: number, limit: number, stats: StreamStats, context: SendContext) {
    this.id = id;
    this.stats = stats;
    this.#limit = limit;
    this.#context = context;
    this.#clock = new StreamClock(context.turns, context.counts);
  }

  get state(): SendState {
    return this.#state;
  }

  /** Bytes written and never sent. */
  get unsent(): number {
    return this.#buffer.unsent;
  }

  /** Bytes sent and not acknowledged. */
  get unacked(): number {
    return this.#buffer.unacked;
  }

  /** Offset below which everything is acknowledged: the application's memory there is its own again. */
  get released(): number {
    return this.#buffer.released;
  }

  /** Whether the application should write now: the stream is open and its buffer is not full. */
  get writable(): boolean {
    return this.#isOpen && !this.#isFinished && this.#buffer.unsent < this.highWaterMark;
  }

  /** Whether nothing will ever be sent again: everything, or the reset, is acknowledged. */
  get isDone(): boolean {
    return this.#state === 'data_recvd' || this.#state === 'reset_recvd';
  }

  /** 0 (sent first) to 7. RFC 9218 §4.1. */
  get urgency(): number {
    return this.#urgency;
  }

  set urgency(urgency: number) {
    const next = Math.min(Math.max(Math.trunc(urgency) || 0, 0), URGENCIES - 1);
    const isFresh = this.#freshLink.isQueued;
    const isResend = this.#resendLink.isQueued;
    this.#context.fresh.remove(this.#freshLink, this.#urgency);
    this.#context.resend.remove(this.#resendLink, this.#urgency);
    this.#urgency = next;
    if (isFresh) this.#context.fresh.add(this.#freshLink, next);
    if (isResend) this.#context.resend.add(this.#resendLink, next);
  }

  /**
   * Queues `chunk` behind what was written before. It is kept by reference and must not change until it is acknowledged.
   * On a stream that was reset, or that the peer has stopped, it is dropped: the two may cross. Throws after `finish`.
   */
  write(now: Millis, chunk: Uint8Array): void {
    if (this.#isFinished && this.#isOpen) throw new Error(`stream ${this.id}: write after finish`);
    if (!this.#isOpen || chunk.length === 0) return;
    this.#buffer.push(chunk);
    if (this.#buffer.unsent >= this.highWaterMark) this.#awaitsRoom = true;
    this.#schedule(now);
  }

  /** Ends the stream behind what was written. Does nothing the second time, or after a reset. */
  finish(now: Millis): void {
    if (this.#isFinished || !this.#isOpen) return;
    this.#isFinished = true;
    this.#isFinDue = true;
    this.#awaitsRoom = false;
    this.#schedule(now);
  }

  /** Gives up sending: RESET_STREAM with `code` replaces what is not acknowledged. Does nothing when it is too late. */
  reset(now: Millis, code: number): void {
    if (!this.#isOpen) return;
    this.#state = 'reset_sent';
    this.#resetCode = code;
    this.#isResetDue = true;
    this.#isReportDue = false;
    this.#awaitsRoom = false;
    this.#buffer.discard();
    this.#schedule(now);
    this.#queueControl();
  }

  /** Brings the statistics of waiting up to `now`. */
  settle(now: Millis): void {
    this.stats.sendLimitMs = this.#clock.read(now);
    if (this.#blockedSince >= 0) {
      this.stats.blockedByStreamMs += now - this.#blockedSince;
      this.#blockedSince = now;
    }
    if (this.#freshLink.isQueued) this.#chargeConnection(now);
  }

  // What follows is for Streams: the peer, the packets, and their fate.

  /** The peer allows data up to offset `maximum`; a smaller limit than before is ignored. RFC 9000 §19.10. */
  onMaxStreamData(now: Millis, maximum: number): void {
    if (maximum <= this.#limit) return;
    this.#limit = maximum;
    this.#schedule(now);
  }

  /** The peer wants no more. RFC 9000 §3.5: answered by a reset with the same code. */
  onStopSending(now: Millis, code: number): void {
    if (!this.#isOpen) return;
    this.reset(now, code);
    this.#context.events.onStopped(this.id, code);
  }

  /**
   * Writes one STREAM frame into [at, end) and answers the offset behind it: lost data first, or data never sent inside both
   * limits, or a FIN alone. A frame that reaches `end` has no length field. Answers `at` when too little room is left.
   */
  writeFrame(now: Millis, bytes: Uint8Array, at: number, end: number, sent: SentFrames, packetNumber: number): number {
    const buffer = this.#buffer;
    const isResend = buffer.hasLost;
    const offset = isResend ? buffer.lostStart : buffer.next;
    const available = isResend ? buffer.lostEnd - offset : this.#available();
    const room = end - at - 1 - varintSize(this.id) - (offset === 0 ? 0 : varintSize(offset));
    let next = at;
    let length = available;
    let hasLength = false;
    if (available >= room) {
      if (room < MIN_FRAGMENT && room < available) return at;
      length = room;
    } else if (available + varintSize(available) <= room) {
      hasLength = true;
    } else {
      // One to three bytes short of a length field: PADDING in front lets the frame reach the end without one.
      const padded = at + room - available;
      bytes.fill(0, at, padded);
      next = padded;
    }
    const fin = this.#isFinished && offset + length === buffer.end;
    next = writeStreamHeader(bytes, next, this.id, offset, hasLength ? length : -1, fin);
    if (isResend) buffer.takeLost(length, bytes, next);
    else if (length > 0) buffer.takeFresh(length, bytes, next);
    sent.add(SentKind.STREAM, this.id, offset, 2 * length + (fin ? 1 : 0));
    this.#onSent(now, length, isResend, fin, packetNumber);
    return next + length;
  }

  /**
   * A frame was written. After a turn of several, the others of the same urgency go first: finer turns would not be fairer to
   * anybody, and the receiver would have to look after another stream with every packet.
   */
  yieldTurn(): void {
    if (!this.incremental || ++this.#framesInTurn < this.#context.framesPerTurn) return;
    this.#framesInTurn = 0;
    this.#context.resend.rotate(this.#resendLink);
    this.#context.fresh.rotate(this.#freshLink);
  }

  /** A packet with [offset, offset + length) arrived, and the FIN with it if `fin`. */
  onAcked(now: Millis, offset: number, length: number, fin: boolean, packetNumber: number): void {
    if (!this.#isOpen) return;
    const stats = this.stats;
    if (packetNumber !== this.#lastAckedPacket) {
      this.#lastAckedPacket = packetNumber;
      stats.packetsAcked++;
      if (stats.firstAckedAt < 0) stats.firstAckedAt = now;
    }
    stats.lastAckedAt = now;
    const buffer = this.#buffer;
    stats.bytesAcked += buffer.onAcked(offset, offset + length);
    if (fin) {
      this.#isFinAcked = true;
      this.#isFinDue = false;
    }
    // What was queued to be sent again may have arrived after all.
    if (this.#resendLink.isQueued) this.#schedule(now);
    if (this.#isFinAcked && buffer.isAllAcked) this.#finishPart(now, 'data_recvd');
  }

  /** A packet with [offset, offset + length) was lost, and the FIN with it if `fin`. */
  onLost(now: Millis, offset: number, length: number, fin: boolean): void {
    if (!this.#isOpen) return;
    this.#buffer.onLost(offset, offset + length);
    if (fin && !this.#isFinAcked) this.#isFinDue = true;
    this.#schedule(now);
  }

  onResetAcked(): void {
    if (this.#state === 'reset_sent') this.#finishPart(this.#context.turns.now, 'reset_recvd');
  }

  onResetLost(): void {
    if (this.#state !== 'reset_sent') return;
    this.#isResetDue = true;
    this.#queueControl();
  }

  /** The STREAM_DATA_BLOCKED frame with this limit was lost: it is due again while it is still true. RFC 9000 §13.3. */
  onReportLost(now: Millis, limit: number): void {
    if (limit === this.#reportedLimit) this.#reportedLimit = -1;
    this.#schedule(now);
  }

  writeControl(bytes: Uint8Array, at: number, end: number, sent: SentFrames): number {
    let next = at;
    if (this.#isResetDue) {
      const finalSize = this.#buffer.next;
      if (next + resetStreamSize(this.id, this.#resetCode, finalSize) > end) return -1 - next;
      next = writeResetStream(bytes, next, this.id, this.#resetCode, finalSize);
      sent.add(SentKind.RESET_STREAM, this.id, 0, 0);
      this.#isResetDue = false;
    }
    if (this.#isReportDue) {
      if (next + streamDataBlockedSize(this.id, this.#limit) > end) return -1 - next;
      next = writeStreamDataBlocked(bytes, next, this.id, this.#limit);
      sent.add(SentKind.STREAM_DATA_BLOCKED, this.id, this.#limit, 0);
      this.#reportedLimit = this.#limit;
      this.#isReportDue = false;
      if (this.#state === 'ready') this.#state = 'send';
    }
    this.#queueControl();
    return next;
  }

  /** Whether data can still be sent or acknowledged: not reset, not done. */
  get #isOpen(): boolean {
    return this.#state === 'ready' || this.#state === 'send' || this.#state === 'data_sent';
  }

  /** Bytes never sent that both limits allow. */
  #available(): number {
    const buffer = this.#buffer;
    const allowed = Math.min(this.#limit - buffer.next, this.#context.credit.available);
    return Math.min(buffer.unsent, allowed);
  }

  #onSent(now: Millis, length: number, isResend: boolean, fin: boolean, packetNumber: number): void {
    const stats = this.stats;
    if (packetNumber !== this.#lastSentPacket) {
      this.#lastSentPacket = packetNumber;
      stats.packetsSent++;
      if (stats.firstSentAt < 0) stats.firstSentAt = now;
    }
    stats.lastSentAt = now;
    if (isResend) stats.bytesRetransmitted += length;
    else {
      stats.bytesSent += length;
      this.#context.credit.spend(now, length);
    }
    if (fin) {
      this.#isFinDue = false;
      this.#state = 'data_sent';
    } else if (this.#state === 'ready') this.#state = 'send';
    this.#schedule(now);
    if (this.#awaitsRoom && this.#buffer.unsent * 2 <= this.highWaterMark) {
      this.#awaitsRoom = false;
      this.#context.events.onWritable(this.id);
    }
  }

  /** Joins or leaves the queues, as what there is to send and the stream's limit now demand. Every change ends here. */
  #schedule(now: Millis): void {
    const { resend, fresh } = this.#context;
    const buffer = this.#buffer;
    const unsent = buffer.unsent;
    if (buffer.hasLost || (this.#isFinDue && unsent === 0 && this.#isOpen)) resend.add(this.#resendLink, this.#urgency);
    else resend.remove(this.#resendLink, this.#urgency);
    if (unsent > 0 && buffer.next < this.#limit) {
      if (!this.#freshLink.isQueued) {
        this.#connectionClock = this.#context.credit.blockedClock(now);
        fresh.add(this.#freshLink, this.#urgency);
      }
    } else if (this.#freshLink.isQueued) {
      this.#chargeConnection(now);
      fresh.remove(this.#freshLink, this.#urgency);
    }
    const freshCredit = this.#freshLink.isQueued ? this.#limit - buffer.next : 0;
    this.#context.freshCredit += freshCredit - this.#freshCredit;
    this.#freshCredit = freshCredit;
    const isBlocked = unsent > 0 && buffer.next >= this.#limit;
    if (isBlocked || this.#blockedSince >= 0) this.#trackBlocked(now, isBlocked);
    this.#clock.enter(now, this.#limitNow(isBlocked));
  }

  /** What the stream waits for. */
  #limitNow(isBlocked: boolean): number {
    if (this.#freshLink.isQueued || this.#resendLink.isQueued) return CONNECTION;
    if (isBlocked) return SendLimitIndex.STREAM_FLOW_CONTROL;
    const isSent = this.#state === 'data_sent' || this.#state === 'reset_sent';
    return isSent ? SendLimitIndex.DELIVERY : SendLimitIndex.APPLICATION;
  }

  /** The stream's limit holds data back, or no longer does. */
  #trackBlocked(now: Millis, isBlocked: boolean): void {
    if (!isBlocked) {
      this.stats.blockedByStreamMs += now - this.#blockedSince;
      this.#blockedSince = -1;
      this.#isReportDue = false;
    } else {
      if (this.#blockedSince < 0) this.#blockedSince = now;
      this.#isReportDue = this.#reportedLimit !== this.#limit;
    }
    this.#queueControl();
  }

  /** Adds to the statistics what the connection's limit has cost since the last reading. */
  #chargeConnection(now: Millis): void {
    const clock = this.#context.credit.blockedClock(now);
    this.stats.blockedByConnectionMs += clock - this.#connectionClock;
    this.#connectionClock = clock;
  }

  /** Joins or leaves the queue of control frames. */
  #queueControl(): void {
    const isDue = this.#isResetDue || this.#isReportDue;
    if (isDue === this.#controlLink.isQueued) return;
    if (isDue) this.#context.control.push(this.#controlLink);
    else this.#context.control.remove(this.#controlLink);
  }

  #finishPart(now: Millis, state: 'data_recvd' | 'reset_recvd'): void {
    this.#state = state;
    this.#clock.enter(now, ENDED);
    this.#isResetDue = false;
    this.#queueControl();
    this.#context.events.onSendDone(this.id);
    this.#context.onPartDone(this.id);
  }
}
