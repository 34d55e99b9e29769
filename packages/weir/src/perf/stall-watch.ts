import type { QuicSession } from 'weir-quic';

/** Calls back once when nothing has moved for so long. It ends with `cancel`, which its owner calls when the session or the work ends. */
export class StallWatch {
  readonly #session: QuicSession;
  readonly #limit: number;
  /** Grows with everything that moves. */
  readonly #progress: () => number;
  readonly #onStall: () => void;
  #last: number;
  #timer: { cancel(): void };

  /** @param limit milliseconds; what stalls is noticed after one to two of them. */
  constructor(session: QuicSession, limit: number, progress: () => number, onStall: () => void) {
    this.#session = session;
    this.#limit = limit;
    this.#progress = progress;
    this.#onStall = onStall;
    this.#last = progress();
    this.#timer = this.#schedule();
  }

  cancel(): void {
    this.#timer.cancel();
  }

  #schedule(): { cancel(): void } {
    return this.#session.setTimer(this.#session.now() + this.#limit, () => {
      const now = this.#progress();
      if (now === this.#last) return this.#onStall();
      this.#last = now;
      this.#timer = this.#schedule();
    });
  }
}

/** Bytes that have moved on the streams that are open now, both ways. */
export function movedNow(session: QuicSession): number {
  let bytes = 0;
  for (const { stats } of session.streams) bytes += stats.bytesReceived + stats.bytesAcked;
  return bytes;
}
