import { CloseCode, TransferError } from '../transfer/index.ts';
import type { GaugeSession } from './carrier.ts';

/** Milliseconds without a byte of payload after which an iteration is given up, although the peer is alive. */
export const STALL_TIME = 30_000;

/** Ends the session when `progress` stays the same for STALL_TIME. */
export class StallWatch {
  readonly #session: GaugeSession;
  readonly #progress: () => number;
  #last = -1;
  #timer: { cancel(): void };

  constructor(session: GaugeSession, progress: () => number) {
    this.#session = session;
    this.#progress = progress;
    this.#timer = this.#schedule();
  }

  cancel(): void {
    this.#timer.cancel();
  }

  #schedule(): { cancel(): void } {
    return this.#session.setTimer(this.#session.now() + STALL_TIME, () => {
      const now = this.#progress();
      const isStalled = now === this.#last;
      this.#last = now;
      if (!isStalled) this.#timer = this.#schedule();
      else this.#giveUp();
    });
  }

  #giveUp(): void {
    const reason = `nothing of the payload has moved for ${STALL_TIME / 1000} seconds`;
    this.#session.destroy(new TransferError('connection', `${reason}: the other side is there, but stuck`), {
      code: CloseCode.FAILED,
      reason,
    });
  }
}
