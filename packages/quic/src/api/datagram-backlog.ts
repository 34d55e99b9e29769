/** Bytes that may wait, each datagram counted with what it takes beside its own. The oldest go first. */
const MOST_BYTES = 64 << 10;
const BYTES_BESIDE = 256;

/** Datagrams that came before anybody listened. RFC 9221 §5: which are lost is the receiver's choice. */
export class DatagramBacklog {
  #waiting: Uint8Array[] = [];
  #bytes = 0;

  push(datagram: Uint8Array): void {
    this.#waiting.push(datagram);
    this.#bytes += datagram.length + BYTES_BESIDE;
    while (this.#bytes > MOST_BYTES) this.#bytes -= this.#waiting.shift()!.length + BYTES_BESIDE;
  }

  /** All that wait, oldest first; none do any longer. */
  take(): Uint8Array[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    return waiting;
  }
}
