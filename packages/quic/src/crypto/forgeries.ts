import { TransportError, TransportErrorCode } from '../base/errors.ts';

/** How many of a connection's packets failed to open, whatever key they claimed to be under (RFC 9001 §6.6: "across all keys"). */
export class Forgeries {
  #count = 0;

  /**
   * One more.
   * @param integrityLimit How many the AEAD of its key bears.
   * @throws TransportError AEAD_LIMIT_REACHED when there were more
   */
  onForged(integrityLimit: number): void {
    if (++this.#count <= integrityLimit) return;
    throw new TransportError(
      TransportErrorCode.AEAD_LIMIT_REACHED,
      'more forged packets than the integrity limit allows',
    );
  }
}
