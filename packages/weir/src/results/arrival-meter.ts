import type { StreamReading } from '../transfer/index.ts';

/**
 * The meter of one stream for sources that see packets themselves, such as plain UDP. A QUIC stream comes metered: its
 * counters are in the transport.
 */
export class ArrivalMeter {
  readonly index: number;
  #bytes = 0;
  #packets = 0;
  /** -1 before the first packet. */
  #firstAt = -1;
  #lastAt = -1;

  /** @param index from 1. */
  constructor(index: number) {
    this.index = index;
  }

  /** A packet with so many bytes of this stream came. @param now milliseconds on a clock of the caller's. */
  onPacket(now: number, bytes: number): void {
    if (this.#firstAt < 0) this.#firstAt = now;
    this.#lastAt = now;
    this.#bytes += bytes;
    this.#packets++;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get packets(): number {
    return this.#packets;
  }

  /** When the first packet came, on the caller's clock; -1 for never. */
  get firstAt(): number {
    return this.#firstAt;
  }

  get lastAt(): number {
    return this.#lastAt;
  }

  /** The reading, with times from `origin` on the caller's clock. */
  read(origin: number): StreamReading {
    return {
      index: this.index,
      bytes: this.#bytes,
      streamBytes: this.#bytes,
      packets: this.#packets,
      firstAt: this.#firstAt < 0 ? -1 : this.#firstAt - origin,
      lastAt: this.#lastAt < 0 ? -1 : this.#lastAt - origin,
      retransmittedBytes: 0,
      duplicateBytes: 0,
      blockedByStreamMs: 0,
      blockedByConnectionMs: 0,
      reassemblyMs: 0,
    };
  }
}
