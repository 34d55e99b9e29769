import { type Announcement, HEADER_BYTES, isEnd, MAX_DATAGRAM, streamOf } from './messages.ts';
import { StreamArrivals } from './stream-arrivals.ts';

/** What a datagram turned out to be. All but the first two change nothing. */
export type Verdict =
  | 'data'
  | 'end'
  /** Another END of a stream that has one. */
  | 'duplicate-end'
  /** More data than the file has. */
  | 'excess'
  /** Too short or too long, without data, or of a stream that was not announced. */
  | 'malformed';

/** How an iteration came to its end. */
export type Ending = 'ends' | 'idle' | 'interrupted';

/** One iteration as it arrives at the server: an announcement, then data and one END for each stream, in any order. */
export class Iteration {
  /** From 1. */
  readonly number: number;
  readonly announcement: Announcement;
  /** When the initial message came. */
  readonly announcedAt: number;
  /** When the last datagram came that changed something. */
  lastAt: number;
  /** Undefined while it runs. */
  ending: Ending | undefined;
  /** By number, only those that were seen. */
  readonly #streams = new Map<number, StreamArrivals>();
  #bytes = 0;
  #ended = 0;
  /** Streams that brought as many bytes as the file has. */
  #full = 0;

  constructor(number: number, announcement: Announcement, now: number) {
    this.number = number;
    this.announcement = announcement;
    this.announcedAt = now;
    this.lastAt = now;
    if (announcement.size === 0) this.#full = announcement.streams;
  }

  /** Takes a datagram of the sender's. */
  onDatagram(now: number, datagram: Uint8Array): Verdict {
    const { streams, size } = this.announcement;
    if (datagram.length < HEADER_BYTES || datagram.length > MAX_DATAGRAM) return 'malformed';
    const id = streamOf(datagram);
    if (id < 1 || id > streams) return 'malformed';
    if (isEnd(datagram)) return this.#onEnd(now, id);
    const length = datagram.length - HEADER_BYTES;
    // A datagram without data can come any number of times: it must not keep an iteration open.
    if (length === 0) return 'malformed';
    if ((this.#streams.get(id)?.bytes ?? 0) + length > size) return 'excess';
    const stream = this.#seen(id);
    stream.onData(now, length);
    this.#bytes += length;
    if (stream.bytes === size) this.#full++;
    this.lastAt = now;
    return 'data';
  }

  #onEnd(now: number, id: number): Verdict {
    const stream = this.#seen(id);
    const isFirst = !stream.hasEnded;
    stream.onEnd();
    if (!isFirst) return 'duplicate-end';
    this.#ended++;
    this.lastAt = now;
    return 'end';
  }

  #seen(id: number): StreamArrivals {
    let stream = this.#streams.get(id);
    if (stream === undefined) {
      stream = new StreamArrivals(id);
      this.#streams.set(id, stream);
    }
    return stream;
  }

  /** Undefined for a stream of which nothing came. */
  stream(id: number): StreamArrivals | undefined {
    return this.#streams.get(id);
  }

  /** Bytes of all streams. */
  get bytes(): number {
    return this.#bytes;
  }

  get hasAllEnds(): boolean {
    return this.#ended === this.announcement.streams;
  }

  /** Nothing but the initial message came. */
  get isEmpty(): boolean {
    return this.#streams.size === 0;
  }

  /** Every byte came, if each stream carries the file, or if all together do. */
  get isWhole(): boolean {
    return this.#full === this.announcement.streams || this.#bytes === this.announcement.size;
  }
}
