import { TransportError, TransportErrorCode } from '../base/errors.ts';
import { Ranges } from '../base/ranges.ts';
import { FrameType } from '../wire/frame-type.ts';
import { cryptoHeaderSize, writeCryptoHeader } from '../wire/frames.ts';
import { type SentFrames, SentKind } from '../wire/sent-frames.ts';

/** How far ahead of the next needed byte handshake data may run, in bytes. RFC 9000 §7.5 asks for at least 4,096. */
const RECEIVE_LIMIT = 64 << 10;

/**
 * How many bytes may wait for their turn, which is more than the above where pieces overlap. What a piece costs beside its bytes is
 * counted, too (258 bytes of Node 20's heap): a stranger chooses how small they are.
 */
const MAX_HELD = 2 * RECEIVE_LIMIT;
const PIECE_OVERHEAD = 256;

/** A piece of a CRYPTO stream that came ahead of its turn. */
interface Segment {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/**
 * The ordered byte stream of TLS messages in one packet number space (RFC 9000 §7.5, §19.6). Handshakes are small, so both
 * directions keep it simple: everything sent is kept until the space is discarded.
 */
export class CryptoStream {
  /** Bytes of the peer's that came ahead, by offset. Every segment ends behind #read. */
  #segments: Segment[] = [];
  /** What all segments cost together, in bytes. <= MAX_HELD, but for one that came in its turn. */
  #held = 0;
  /** First offset not yet handed to TLS. */
  #read = 0;
  /** All that was ever written here; valid up to #written. */
  #buffer: Uint8Array = new Uint8Array(0);
  #written = 0;
  /** First offset never sent. #nextUnsent <= #written. */
  #nextUnsent = 0;
  /** Sent, declared lost, not sent again since. */
  readonly #lost = new Ranges();
  readonly #acked = new Ranges();

  /**
   * Takes a CRYPTO frame's data. Answers whether all of it has been handed to TLS before.
   * @throws TransportError CRYPTO_BUFFER_EXCEEDED when it runs too far ahead.
   */
  receive(offset: number, bytes: Uint8Array, start: number, length: number): boolean {
    if (offset + length > this.#read + RECEIVE_LIMIT) {
      throw new TransportError(
        TransportErrorCode.CRYPTO_BUFFER_EXCEEDED,
        'handshake data too far ahead',
        FrameType.CRYPTO,
      );
    }
    if (offset + length <= this.#read) return true;
    if (this.#isHeld(offset, offset + length)) return false;
    // What comes in its turn is always taken: it is what empties the list.
    if (this.#held + PIECE_OVERHEAD + length > MAX_HELD && offset > this.#read) {
      throw new TransportError(
        TransportErrorCode.CRYPTO_BUFFER_EXCEEDED,
        'handshake data in too many pieces',
        FrameType.CRYPTO,
      );
    }
    this.#segments.push({ offset, bytes: bytes.slice(start, start + length) });
    this.#held += PIECE_OVERHEAD + length;
    return false;
  }

  /** Whether one segment has all of [offset, end): retransmissions must not pile up. */
  #isHeld(offset: number, end: number): boolean {
    for (const held of this.#segments) if (held.offset <= offset && end <= held.offset + held.bytes.length) return true;
    return false;
  }

  /** The next in-order bytes, or undefined when they have not come. */
  read(): Uint8Array | undefined {
    for (let i = 0; i < this.#segments.length; i++) {
      const { offset, bytes } = this.#segments[i]!;
      if (offset > this.#read) continue;
      this.#segments.splice(i, 1);
      this.#held -= PIECE_OVERHEAD + bytes.length;
      const fresh = bytes.subarray(Math.min(bytes.length, this.#read - offset));
      if (fresh.length === 0) {
        i = -1;
        continue;
      }
      this.#read += fresh.length;
      return fresh;
    }
    return undefined;
  }

  /** Queues bytes for sending. */
  write(bytes: Uint8Array): void {
    if (this.#written + bytes.length > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(2048, 2 * this.#buffer.length, this.#written + bytes.length));
      grown.set(this.#buffer.subarray(0, this.#written));
      this.#buffer = grown;
    }
    this.#buffer.set(bytes, this.#written);
    this.#written += bytes.length;
  }

  /** Whether something waits to be sent or sent again. */
  get wantsSend(): boolean {
    return this.#nextUnsent < this.#written || !this.#lost.isEmpty;
  }

  /** Writes CRYPTO frames into [at, end), lost data first; returns the offset behind them. */
  writeFrames(bytes: Uint8Array, at: number, end: number, sent: SentFrames): number {
    let next = at;
    while (!this.#lost.isEmpty) {
      const from = this.#lost.start(0);
      const length = this.#writeFrame(bytes, next, end, from, this.#lost.end(0) - from);
      if (length === 0) return next;
      next += cryptoHeaderSize(from, length) + length;
      this.#lost.remove(from, from + length);
      sent.add(SentKind.CRYPTO, 0, from, length);
    }
    if (this.#nextUnsent < this.#written) {
      const from = this.#nextUnsent;
      const length = this.#writeFrame(bytes, next, end, from, this.#written - from);
      if (length === 0) return next;
      next += cryptoHeaderSize(from, length) + length;
      this.#nextUnsent += length;
      sent.add(SentKind.CRYPTO, 0, from, length);
    }
    return next;
  }

  /** Writes one frame with as much of [offset, offset+wanted) as fits and returns how much that was. */
  #writeFrame(bytes: Uint8Array, at: number, end: number, offset: number, wanted: number): number {
    // The header for all of it is as long as that for less, or a byte or two longer, which is not worth a second look.
    const length = Math.min(wanted, end - at - cryptoHeaderSize(offset, wanted));
    if (length <= 0) return 0;
    const data = writeCryptoHeader(bytes, at, offset, length);
    bytes.set(this.#buffer.subarray(offset, offset + length), data);
    return length;
  }

  onAcked(offset: number, length: number): void {
    this.#acked.add(offset, offset + length);
    this.#lost.remove(offset, offset + length);
  }

  /** Whether something was sent that is not acknowledged. */
  get isUnacked(): boolean {
    return this.#firstUnacked < this.#nextUnsent;
  }

  get #firstUnacked(): number {
    return this.#acked.isEmpty || this.#acked.start(0) > 0 ? 0 : this.#acked.end(0);
  }

  /** All that was sent and not acknowledged goes again. */
  resend(): void {
    this.onLost(0, this.#nextUnsent);
  }

  /**
   * A probe is to be sent and nothing waits: what was sent first and not acknowledged goes again, as much as one frame of `room` bytes
   * holds, for a PING would bring the handshake no further. RFC 9002 §6.2.4.
   */
  probe(room: number): void {
    if (this.wantsSend) return;
    const from = this.#firstUnacked;
    const length = Math.min(this.#nextUnsent - from, room - cryptoHeaderSize(from, room));
    if (length > 0) this.onLost(from, length);
  }

  onLost(offset: number, length: number): void {
    this.#lost.add(offset, offset + length);
    for (let i = 0; i < this.#acked.count; i++) this.#lost.remove(this.#acked.start(i), this.#acked.end(i));
  }

  /** Forgets everything: the space has been discarded. */
  discard(): void {
    this.restart();
    this.#segments = [];
    this.#held = 0;
    this.#buffer = new Uint8Array(0);
    this.#written = 0;
  }

  /** Sends everything again from the start: the server answered with a Retry (RFC 9000 §17.2.5.3). */
  restart(): void {
    this.#nextUnsent = 0;
    this.#lost.clear();
    this.#acked.clear();
  }
}
