import { ArrivalMeter } from '../../results/index.ts';

/** What came of one stream in one iteration. */
export class StreamArrivals {
  readonly meter: ArrivalMeter;
  /** Datagrams that said END. */
  #ends = 0;
  /** Bytes that had come before the first END; -1 before that. */
  #firstEndAt = -1;
  /** Datagrams with data after the first END. */
  #dataAfterEnd = 0;
  /** Bytes of data in the largest datagram, and in the last one. */
  #largest = 0;
  #last = 0;
  /** Datagrams with data after one that was shorter than the largest: senders fill all but the last. */
  #afterShort = 0;

  /** @param stream from 1. */
  constructor(stream: number) {
    this.meter = new ArrivalMeter(stream);
  }

  /** @param length bytes of data. */
  onData(now: number, length: number): void {
    if (this.#ends > 0) this.#dataAfterEnd++;
    else if (this.meter.packets > 0 && this.#last < this.#largest) this.#afterShort++;
    this.#last = length;
    if (length > this.#largest) this.#largest = length;
    this.meter.onPacket(now, length);
  }

  onEnd(): void {
    if (this.#ends === 0) this.#firstEndAt = this.meter.bytes;
    this.#ends++;
  }

  get bytes(): number {
    return this.meter.bytes;
  }

  get hasEnded(): boolean {
    return this.#ends > 0;
  }

  get largest(): number {
    return this.#largest;
  }

  /** Signs that datagrams came in another order than they were sent in; without offsets, not all reordering leaves one. */
  get reorderingSigns(): number {
    return this.#dataAfterEnd + this.#afterShort;
  }

  /**
   * Where in the data an END stood that was followed by more, so that it may have been data itself; -1 when there is none.
   * Only the byte counts can tell.
   */
  get doubtfulEndAt(): number {
    return this.#ends > 1 || this.#dataAfterEnd > 0 ? this.#firstEndAt : -1;
  }
}
