import type { Millis } from '../base/time.ts';

/**
 * What the classes of this folder say to one another, and nobody else may: the package doesn't export these, and its declarations
 * (`stripInternal`) don't tell of the members that they name.
 */
export const make: unique symbol = Symbol('make');
export const deliver: unique symbol = Symbol('deliver');
export const sessionEnded: unique symbol = Symbol('sessionEnded');
export const roomAgain: unique symbol = Symbol('roomAgain');
export const abandoned: unique symbol = Symbol('abandoned');
export const worldOf: unique symbol = Symbol('worldOf');
export const open: unique symbol = Symbol('open');
export const serve: unique symbol = Symbol('serve');

/** What a stream asks of the session that owns it. */
export interface StreamOwner {
  now(): Millis;
  /** Something was queued or read: let the driver transmit at the end of this tick. */
  wake(): void;
  /** Both directions of the stream are over. */
  forget(id: number): void;
  /** Why the session ended, or undefined while it lives. */
  endError(): unknown;
  /** Runs an application's callback; what it throws ends the session and nothing else. */
  tell(callback: ((error: unknown) => void) | undefined, error: unknown): void;
}

/** A promise with its handles outside. It never counts as an unhandled rejection: somebody may look later, or never. */
export class Deferred<T> {
  readonly promise: Promise<T>;
  resolve!: (value: T | PromiseLike<T>) => void;
  reject!: (reason: unknown) => void;
  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.promise.catch(() => {});
  }
}

/** The promise's outcome, or the signal's reason when that aborts first: for what cannot be stopped itself. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** Does something when the signal aborts, unless `over` has settled by then. The signal may live longer than many of its users. */
export function onAbort(
  signal: AbortSignal | undefined,
  over: Promise<unknown>,
  action: (reason: unknown) => void,
): void {
  if (signal === undefined) return;
  if (signal.aborted) return action(signal.reason);
  const listener = () => action(signal.reason);
  signal.addEventListener('abort', listener, { once: true });
  const forget = () => signal.removeEventListener('abort', listener);
  over.then(forget, forget);
}

/** Waits that end together, each of which its AbortSignal can end alone. */
export class Waiters<T> {
  #waiting: Waiter<T>[] = [];

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Waits for `settle` or `fail`. Rejects with the signal's reason when it aborts. */
  wait(signal: AbortSignal | undefined): Promise<T> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise<T>((resolve, reject) => {
      const waiter: Waiter<T> = { resolve, reject, unsubscribe: undefined };
      if (signal !== undefined) {
        const onAbort = () => {
          this.#waiting = this.#waiting.filter((other) => other !== waiter);
          reject(signal.reason);
        };
        signal.addEventListener('abort', onAbort, { once: true });
        waiter.unsubscribe = () => signal.removeEventListener('abort', onAbort);
      }
      this.#waiting.push(waiter);
    });
  }

  /** Ends every wait with `value`. */
  settle(value: T): void {
    if (this.#waiting.length === 0) return;
    for (const waiter of this.#take()) waiter.resolve(value);
  }

  /** Ends every wait with an error. */
  fail(error: unknown): void {
    for (const waiter of this.#take()) waiter.reject(error);
  }

  #take(): Waiter<T>[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const waiter of waiting) waiter.unsubscribe?.();
    return waiting;
  }
}

interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
  unsubscribe: (() => void) | undefined;
}
