import { QuicError } from 'weir-quic';
import type { CarrierSession } from './carrier.ts';
import { TransferError } from './errors.ts';
import { type StallLimit, StallWatch } from './stall-watch.ts';

/** What a wait ends with beside what it waits for and the session's end. */
export interface WaitLimit extends StallLimit {
  /** What has not happened then, for people: `the receiver has not answered`. How long is added. */
  readonly unless: string;
}

/**
 * Every wait on a session goes through here, so that each has three ends: what it waits for, the session's end, and a limit. All of them let go
 * of the wait, its timer included. A wait fails by the session's end only when what had arrived before has been looked at.
 */
export class SessionWaits {
  readonly #session: CarrierSession;
  /** What ends the waits that are under way. */
  readonly #pending = new Set<(error: unknown) => void>();
  /** Why the session ended; undefined while it lives. */
  #endError: unknown;

  constructor(session: CarrierSession) {
    this.#session = session;
    session.closed.then(
      () => this.#onEnd(new QuicError('ERR_QUIC_SESSION_CLOSED', 'the session is closed')),
      (error) => this.#onEnd(error),
    );
  }

  /** The work's value. @throws TransferError `stalled` at the limit; the session's error; what the work throws. */
  until<T>(work: Promise<T>, limit: WaitLimit): Promise<T> {
    return this.#attend<T>(work, (_, reject) => {
      const error = () => new TransferError('stalled', `${limit.unless} for ${limit.ms / 1000} seconds`);
      return new StallWatch(this.#session, limit, () => reject(error()));
    });
  }

  /** The work's value, or undefined when the time is up first. @throws the session's error; what the work throws. */
  within<T>(work: Promise<T>, milliseconds: number): Promise<T | undefined> {
    return this.#attend<T | undefined>(work, (resolve) =>
      this.#session.setTimer(this.#session.now() + milliseconds, () => resolve(undefined)),
    );
  }

  /** Waits until the session has ended, in whatever way, or until the time is up: then ends it with this code. */
  async settle(milliseconds: number, code: number, reason = ''): Promise<void> {
    const ended = this.#session.closed.then(
      () => true,
      () => true,
    );
    const isOver = await this.within(ended, milliseconds).catch(() => true);
    if (isOver === undefined) this.#session.destroy(undefined, { code, reason });
  }

  async #attend<T>(
    work: Promise<T>,
    arm: (resolve: (value: T) => void, reject: (error: unknown) => void) => { cancel(): void },
  ): Promise<T> {
    let end!: (error: unknown) => void;
    let timer!: { cancel(): void };
    const outcome = new Promise<T>((resolve, reject) => {
      end = reject;
      timer = arm(resolve, reject);
      work.then(resolve, reject);
    });
    this.#pending.add(end);
    if (this.#endError !== undefined) setImmediate(end, this.#endError);
    try {
      return await outcome;
    } finally {
      timer.cancel();
      this.#pending.delete(end);
    }
  }

  #onEnd(error: unknown): void {
    this.#endError = error;
    // What came before the end is read without a turn of the event loop in between: then it counts.
    setImmediate(() => {
      for (const end of this.#pending) end(error);
    });
  }
}
