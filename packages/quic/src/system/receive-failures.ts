/** So many failures with nothing received between them are nobody's ICMP and no passing shortage. */
const MAX_FAILURES = 1000;

/**
 * What to make of a UDP socket's `error` events of node:dgram: what somebody's ICMP or a shortage of memory brought about ends nothing, the socket
 * receives on.
 */
export class ReceiveFailures {
  #inRow = 0;

  /** Something was received. */
  reset(): void {
    this.#inRow = 0;
  }

  /** Whether the socket is of no use any more. */
  isFatal({ code }: NodeJS.ErrnoException): boolean {
    return code === 'EBADF' || code === 'ENOTSOCK' || ++this.#inRow >= MAX_FAILURES;
  }
}
