import type { CarrierStream } from './carrier.ts';
import { TransferError } from './errors.ts';

/** Reads a stream in amounts that the caller chooses. It awaits only when nothing has arrived, not for each packet. */
export class StreamInput {
  readonly #stream: CarrierStream;

  constructor(stream: CarrierStream) {
    this.#stream = stream;
  }

  /**
   * Fills the first `length` bytes of `into`. Returns false when the stream ended cleanly before the first of them.
   * @throws TransferError `protocol` when it ended in the middle; the stream's error.
   */
  async fill(into: Uint8Array, length: number): Promise<boolean> {
    let filled = 0;
    while (filled < length) {
      const count = this.#stream.readInto(into.subarray(filled, length));
      filled += count;
      if (count > 0 || (await this.#stream.wait())) continue;
      if (filled === 0) return false;
      throw new TransferError('protocol', `stream ${this.#stream.id} ended in the middle of a record`);
    }
    return true;
  }
}
