import { TransportError, TransportErrorCode } from '../../base/errors.ts';
import { TlsAlert } from '../session.ts';
import { messageName } from './code-points.ts';
import { refuse } from './refuse.ts';

/** One handshake message, RFC 9846 §4. Its bytes are its own: they stay valid. */
export interface HandshakeMessage {
  readonly type: number;
  /** Behind the header. */
  readonly body: Uint8Array;
  /** With the header, as the transcript wants it. */
  readonly bytes: Uint8Array;
}

/** The longest message body taken: certificate chains of any sensible length fit, a memory attack does not. */
export const MAX_MESSAGE_LENGTH = 65_536;

/** How much may wait for an answer to a `verify` event before it is CRYPTO_BUFFER_EXCEEDED (RFC 9000 §7.5). */
const MAX_BUFFERED = 2 * MAX_MESSAGE_LENGTH;

const HEADER_LENGTH = 4;

/** Puts handshake messages together from the pieces in which CRYPTO frames deliver them. */
export class MessageBuffer {
  /** Capacity; grows by doubling, so that a message in many pieces is copied a bounded number of times. */
  #bytes = new Uint8Array(2048);
  /** First byte not yet handed out. #start <= #end. */
  #start = 0;
  /** Behind the last byte that arrived. */
  #end = 0;

  /** Whether no byte waits. */
  get isEmpty(): boolean {
    return this.#start === this.#end;
  }

  /** Takes the next bytes in order. Throws CRYPTO_BUFFER_EXCEEDED when too much waits. */
  push(bytes: Uint8Array): void {
    const waiting = this.#end - this.#start;
    if (waiting + bytes.length > MAX_BUFFERED) {
      throw new TransportError(TransportErrorCode.CRYPTO_BUFFER_EXCEEDED, 'too many handshake bytes are waiting');
    }
    if (this.#end + bytes.length > this.#bytes.length) this.#makeRoom(waiting + bytes.length);
    this.#bytes.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** The next whole message, or undefined while it is incomplete. Refuses one that is too long as soon as its header says so. */
  next(): HandshakeMessage | undefined {
    const waiting = this.#end - this.#start;
    if (waiting < HEADER_LENGTH) return undefined;
    const b = this.#bytes;
    const at = this.#start;
    const type = b[at]!;
    const length = (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!;
    if (length > MAX_MESSAGE_LENGTH) {
      refuse(TlsAlert.DECODE_ERROR, `a ${messageName(type)} of ${length} bytes is longer than ${MAX_MESSAGE_LENGTH}`);
    }
    if (waiting < HEADER_LENGTH + length) return undefined;
    const bytes = b.slice(at, at + HEADER_LENGTH + length);
    this.#start += bytes.length;
    return { type, body: bytes.subarray(HEADER_LENGTH), bytes };
  }

  #makeRoom(needed: number): void {
    let capacity = this.#bytes.length;
    while (capacity < needed) capacity *= 2;
    const moved = capacity === this.#bytes.length ? this.#bytes : new Uint8Array(capacity);
    moved.set(this.#bytes.subarray(this.#start, this.#end));
    this.#bytes = moved;
    this.#end -= this.#start;
    this.#start = 0;
  }
}
