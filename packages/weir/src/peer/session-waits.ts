import { QuicError } from 'weir-quic';
import type { CarrierSession } from './carrier.ts';
import { TransferError } from './errors.ts';

/** What a wait ends with beside what it waits for and the session's end. */
export interface WaitLimit {
  /** Milliseconds in which something has to happen. */
  readonly ms: number;
  /** What has not happened then, for people: `the receiver has not answered`. How long is added. */
  readonly unless: string;
  /**
   * A number that changes with whatever shows that it goes on, from either side: each change gives the whole limit again.
   * Without it only the end counts.
   */
  readonly progress?: () => number;
  /**
   * A number that changes with the peer's words, which cost it nothing: they give the whole limit again, too, but without progress they help no longer
   * than `wordsMs` in all.
   */
  readonly words?: () => number;
  readonly wordsMs?: number;
  /** While this is so, the time is this side's own and does not count. */
  readonly pausedWhile?: () => boolean;
}

/** How often within its limit a wait looks whether there was progress. */
const LOOKS = 8;

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
    return this.#attend<T>(work, (_, reject) => new Watch(this.#session, limit, reject));
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

/** Looks from time to time whether there was progress. It counts looks, not time: a process that was stopped has not waited. */
class Watch {
  readonly #session: CarrierSession;
  readonly #limit: WaitLimit;
  readonly #onLimit: (error: TransferError) => void;
  #last: number;
  #lastWords: number;
  /** Looks since there was progress or a word, and since there was progress. */
  #looks = 0;
  #looksAtWords = 0;
  #timer: { cancel(): void };

  constructor(session: CarrierSession, limit: WaitLimit, onLimit: (error: TransferError) => void) {
    this.#session = session;
    this.#limit = limit;
    this.#onLimit = onLimit;
    this.#last = limit.progress?.() ?? 0;
    this.#lastWords = limit.words?.() ?? 0;
    this.#timer = this.#schedule();
  }

  cancel(): void {
    this.#timer.cancel();
  }

  #schedule(): { cancel(): void } {
    return this.#session.setTimer(this.#session.now() + this.#limit.ms / LOOKS, () => this.#look());
  }

  #look(): void {
    const { ms, wordsMs = 0, unless } = this.#limit;
    const hasWord = this.#hasWord();
    if (this.#hasProgress()) {
      this.#looks = 0;
      this.#looksAtWords = 0;
    } else {
      this.#looksAtWords++;
      this.#looks = hasWord && (this.#looksAtWords * ms) / LOOKS < wordsMs ? 0 : this.#looks + 1;
    }
    if (this.#looks < LOOKS) this.#timer = this.#schedule();
    else this.#onLimit(new TransferError('stalled', `${unless} for ${ms / 1000} seconds`));
  }

  #hasProgress(): boolean {
    const { progress, pausedWhile } = this.#limit;
    const before = this.#last;
    this.#last = progress?.() ?? 0;
    return this.#last !== before || pausedWhile?.() === true;
  }

  #hasWord(): boolean {
    const before = this.#lastWords;
    this.#lastWords = this.#limit.words?.() ?? 0;
    return this.#lastWords !== before;
  }
}
