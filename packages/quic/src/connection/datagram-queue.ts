import { varintSize, writeBytes } from '../base/cursor.ts';
import { Deque } from '../base/deque.ts';
import { datagramHeaderSize, writeDatagramHeader } from '../wire/frames.ts';
import { type SentFrames, SentKind } from '../wire/sent-frames.ts';

/** How many bytes of datagrams may wait; beyond that the oldest are dropped, as RFC 9221 §5 allows. */
const QUEUE_LIMIT = 1 << 20;

/** Unreliable datagrams that wait to be sent, RFC 9221. */
export class DatagramQueue {
  readonly #queue = new Deque<Uint8Array>();
  #bytes = 0;
  /** Dropped here because the queue was full, or because no packet of the path can hold them any more. */
  dropped = 0;
  sent = 0;
  received = 0;

  get wantsSend(): boolean {
    return this.#queue.length > 0;
  }

  push(bytes: Uint8Array): void {
    this.#queue.push(bytes);
    this.#bytes += bytes.length;
    while (this.#bytes > QUEUE_LIMIT && this.#queue.length > 1) {
      this.#bytes -= this.#queue.shift()!.length;
      this.dropped++;
    }
  }

  /** Writes what fits into [at, end), and drops what is longer than `largest`: no packet can hold it. */
  writeFrames(bytes: Uint8Array, at: number, end: number, sent: SentFrames, largest: number): number {
    let next = at;
    for (let datagram = this.#queue.at(0); datagram !== undefined; datagram = this.#queue.at(0)) {
      if (datagram.length > largest) {
        this.dropped++;
      } else {
        if (next + datagramHeaderSize(datagram.length) + datagram.length > end) return next;
        next = writeBytes(bytes, writeDatagramHeader(bytes, next, datagram.length), datagram);
        sent.add(SentKind.DATAGRAM, 0, 0, 0);
        this.sent++;
      }
      this.#queue.shift();
      this.#bytes -= datagram.length;
    }
    return next;
  }
}

/** The largest datagram that fits into a DATAGRAM frame of `frameSize` bytes, type and length included. */
export function datagramCapacity(frameSize: number): number {
  return Math.max(0, frameSize - 1 - varintSize(frameSize));
}
