import { messageOf, systemCode } from '../../text/index.ts';
import type { Device } from './device.ts';

/** Bytes of words that wait for a reader who has stopped reading; what comes then is left out, and counted. */
const WORDS_LIMIT = 1 << 20;

/** Bytes of documents that wait; one document alone may be larger. */
const DATA_LIMIT = 64 << 20;

/** Bytes that a device is offered at once. */
const PIECE = 1 << 16;

/** Milliseconds after which a device that took nothing is asked again: twice as many each time, up to the most. */
const FIRST_PAUSE = 1;
const LONGEST_PAUSE = 50;

/** What could not be written, first of all. */
export interface OutletFailure {
  /** Whether the reader went away, as `| head` does, rather than that there is no room. */
  readonly isGone: boolean;
  /** Whether a document is incomplete, of which nobody can say that he has seen enough. */
  readonly isDataLost: boolean;
  /** In one line. */
  readonly message: string;
}

/** How long `drain` waits. */
export interface Patience {
  /** Milliseconds without a byte taken after which the reader counts as gone. */
  readonly silence: number;
  /** Ends the wait at once. */
  readonly signal?: AbortSignal | undefined;
}

/** What an outlet takes of the world; for tests. */
export interface OutletClock {
  setTimeout(callback: () => void, milliseconds: number): { [Symbol.dispose](): void };
}

const PROCESS_CLOCK: OutletClock = {
  setTimeout(callback, milliseconds) {
    const timer = setTimeout(callback, milliseconds);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};

interface Piece {
  readonly bytes: Uint8Array;
  readonly isData: boolean;
}

/**
 * Words and documents on their way to a reader who may be slow, stopped or gone. Writing never waits: what the device does not take
 * is kept, in order, up to a limit. Documents are complete as long as there is a reader; words are left out when too many wait.
 */
export class Outlet {
  readonly #device: Device;
  readonly #clock: OutletClock;
  #queue: Piece[] = [];
  /** Bytes of the queue that are words, and that are documents. */
  #words = 0;
  #data = 0;
  /** Bytes of the first piece that the device has taken. */
  #taken = 0;
  /** Bytes that the device has taken in all. */
  #delivered = 0;
  /** Lines that were left out since the last one that was not. */
  #leftOut = 0;
  /** The device has been given something, and has not answered. */
  #isWriting = false;
  #retry: Disposable | undefined;
  #pause = FIRST_PAUSE;
  #isGone = false;
  #failure: OutletFailure | undefined;
  #onChange: (() => void) | undefined;

  constructor(device: Device, clock: OutletClock = PROCESS_CLOCK) {
    this.#device = device;
    this.#clock = clock;
  }

  /** Words. */
  write(text: string): void {
    if (this.#isGone || text === '') return;
    const bytes = Buffer.from(text);
    if (this.#words > 0 && this.#words + bytes.length > WORDS_LIMIT) {
      this.#leftOut += text.split('\n').length - 1;
      return;
    }
    this.#admit();
    this.#add(bytes, false);
  }

  /** Says, in their place, how many lines are missing. */
  #admit(): void {
    const count = this.#leftOut;
    this.#leftOut = 0;
    if (count > 0) this.#add(Buffer.from(leftOutLine(count)), false);
  }

  /** A document, or a part of one. */
  data(text: string): void {
    if (text === '') return;
    if (this.#isGone) return this.#fail('nobody reads it', true);
    const bytes = Buffer.from(text);
    if (this.#data > 0 && this.#data + bytes.length > DATA_LIMIT) this.#fail('too much waits for its reader', true);
    else this.#add(bytes, true);
  }

  /** Whether something waits: a picture of the moment would be old when it is seen. */
  get isBehind(): boolean {
    return this.#queue.length > 0;
  }

  /** Set when something could not be written. */
  get failure(): OutletFailure | undefined {
    return this.#failure;
  }

  /** Fulfilled when all has been taken (true), or the patience is at its end (false): then the rest is dropped. */
  async drain({ silence, signal }: Patience): Promise<boolean> {
    this.#admit();
    while (this.isBehind && signal?.aborted !== true) {
      const before = this.#delivered;
      await this.#changed(silence, signal);
      if (this.#delivered === before && this.isBehind) break;
    }
    if (!this.isBehind) return true;
    this.#fail(`nobody read it for ${silence / 1000} s`, this.#data > 0);
    this.#end();
    return false;
  }

  /** Fulfilled when less than a piece waits, or nobody reads any more: what makes documents bit by bit waits here. */
  async ready(): Promise<void> {
    while (this.#words + this.#data > PIECE) await this.#changed(Number.POSITIVE_INFINITY, undefined);
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** Fulfilled when the device took something or there is nothing more to take, and when the time is up. */
  async #changed(silence: number, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = deferred();
    using _timer = silence === Number.POSITIVE_INFINITY ? undefined : this.#clock.setTimeout(resolve, silence);
    signal?.addEventListener('abort', resolve, { once: true });
    this.#onChange = resolve;
    await promise;
    this.#onChange = undefined;
    signal?.removeEventListener('abort', resolve);
  }

  #add(bytes: Uint8Array, isData: boolean): void {
    this.#queue.push({ bytes, isData });
    this.#count(bytes.length, isData);
    if (this.#retry === undefined && !this.#isWriting) this.#pump();
  }

  #count(bytes: number, isData: boolean): void {
    if (isData) this.#data += bytes;
    else this.#words += bytes;
  }

  /** Hands on as much as the device takes at once. */
  #pump(): void {
    while (this.#queue.length > 0 && !this.#isWriting) {
      const { bytes } = this.#queue[0]!;
      let taken: number | Promise<number>;
      try {
        taken = this.#device.write(bytes.subarray(this.#taken, this.#taken + PIECE));
      } catch (error) {
        this.#onError(error);
        continue;
      }
      if (typeof taken !== 'number') return this.#await(taken);
      if (taken === 0) return this.#pumpLater();
      this.#onTaken(taken);
    }
  }

  #await(answer: Promise<number>): void {
    this.#isWriting = true;
    answer.then(
      (taken) => {
        this.#isWriting = false;
        if (taken === 0) return this.#pumpLater();
        this.#onTaken(taken);
        this.#pump();
      },
      (error) => {
        this.#isWriting = false;
        this.#onError(error);
        this.#pump();
      },
    );
  }

  #pumpLater(): void {
    this.#retry = this.#clock.setTimeout(() => {
      this.#retry = undefined;
      this.#pump();
    }, this.#pause);
    this.#pause = Math.min(LONGEST_PAUSE, this.#pause * 2);
  }

  #onTaken(bytes: number): void {
    // After the end of all patience an answer may still come.
    const first = this.#queue[0];
    if (first === undefined) return;
    this.#pause = FIRST_PAUSE;
    this.#delivered += bytes;
    this.#taken += bytes;
    if (this.#taken >= first.bytes.length) this.#drop(first);
    this.#onChange?.();
  }

  #drop({ bytes, isData }: Piece): void {
    this.#queue.shift();
    this.#count(-bytes.length, isData);
    this.#taken = 0;
  }

  /** Without a reader all is over; without room the next piece may fare better. */
  #onError(error: unknown): void {
    const first = this.#queue[0];
    if (first === undefined) return;
    if (isReaderGone(error, this.#device)) {
      this.#isGone = true;
      this.#fail(messageOf(error), this.#data > 0);
      return this.#end();
    }
    this.#drop(first);
    this.#fail(messageOf(error), first.isData);
    this.#onChange?.();
  }

  /** Nothing is taken, kept or waited for from now on. */
  #end(): void {
    this.#retry?.[Symbol.dispose]();
    this.#retry = undefined;
    this.#isGone = true;
    this.#queue = [];
    this.#words = this.#data = this.#taken = 0;
    this.#onChange?.();
  }

  #fail(message: string, isDataLost: boolean): void {
    // Of a document whose beginning was read, the reader may have seen enough: weir runs export | head.
    const isMissed = isDataLost && !(this.#isGone && this.#delivered > 0);
    const first = this.#failure ?? { isGone: this.#isGone, isDataLost: false, message };
    this.#failure = { ...first, isDataLost: first.isDataLost || isMissed };
  }
}

function leftOutLine(count: number): string {
  return `weir: ${count} lines were left out here: nobody read them\n`;
}

/** Errors that say that nobody reads any more: a closed pipe, a socket, a terminal that was hung up. */
function isReaderGone(error: unknown, device: Device): boolean {
  const code = systemCode(error);
  if (['EPIPE', 'ECONNRESET', 'ENOTCONN', 'ERR_STREAM_DESTROYED', 'ENXIO'].includes(code)) return true;
  return device.isRead && code === 'EIO';
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve };
}
