import { QuicError } from './errors.ts';

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

/** Datagrams cannot be had any more: the peer has been told that none are taken. */
export function noDatagrams(): QuicError {
  const message =
    'ondatagram: the peer was told that none are taken; give it, or transportParams.maxDatagramFrameSize, to';
  return new QuicError('ERR_QUIC_INVALID_ARGUMENT', `${message} connect or listen`);
}
