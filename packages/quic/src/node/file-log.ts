import { close, open, write, writeSync } from 'node:fs';

/** Bytes that may wait for the disk: a tenth of a second of what a connection of a Gbit/s logs. */
const MAX_WAITING = 4 << 20;

/** Bytes of all logs of the process that may wait. */
const MAX_WAITING_TOTAL = 64 << 20;

/** The calls of node:fs that a log makes; for tests. */
export interface LogFiles {
  readonly open: typeof open;
  readonly write: typeof write;
  readonly close: typeof close;
}

/** How a log is opened. */
export interface FileLogOptions {
  /** `w`: the file begins anew; `a`: what is written comes after what is there. */
  readonly flags: 'w' | 'a';
  /** Permissions of a new file, less the umask. Default 0o666. */
  readonly mode?: number;
  /** Told once, when the file cannot be written: the log ends there. */
  readonly onProblem?: ((error: Error) => void) | undefined;
  readonly files?: LogFiles;
}

/** Bytes that wait in all logs of the process. */
let waitingTotal = 0;

/** Logs with something left to write; when the process is ended, that is done first. */
const unfinished = new Set<FileLog>();
let isExitWatched = false;

/**
 * A file that is written behind the event loop's back: a slow disk holds no connection up. What waits is bounded; more is left out.
 */
export class FileLog {
  readonly #files: LogFiles;
  readonly #onProblem: ((error: Error) => void) | undefined;
  readonly #appends: boolean;
  #file: number | undefined;
  /** In order; the first is being written when `#isBusy` and the file is open. */
  #queue: Buffer[] = [];
  #waiting = 0;
  /** Where the queue's first byte belongs. */
  #position = 0;
  #isBusy = true;
  #isClosing = false;
  #isOver = false;

  constructor(path: string, { flags, mode = 0o666, onProblem, files = { open, write, close } }: FileLogOptions) {
    this.#files = files;
    this.#onProblem = onProblem;
    this.#appends = flags === 'a';
    unfinished.add(this);
    watchExit();
    files.open(path, flags, mode, (error, file) => {
      this.#isBusy = false;
      if (error !== null) return this.#fail(error);
      this.#file = file;
      this.#next();
    });
  }

  /** Takes the text and writes it when the disk is ready. False: too much waits, and this was left out. */
  write(text: string): boolean {
    if (this.#isClosing || this.#isOver) return true;
    const bytes = Buffer.from(text);
    const isFull = this.#waiting > 0 && this.#waiting + bytes.length > MAX_WAITING;
    if (isFull || waitingTotal + bytes.length > MAX_WAITING_TOTAL) return false;
    this.#queue.push(bytes);
    this.#count(bytes.length);
    this.#next();
    return true;
  }

  /** The file is closed as soon as all is written. */
  close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#next();
  }

  /** Writes what waits before it returns: the process ends. What a thread is writing just now it will have written, too. */
  finishNow(): void {
    if (this.#file === undefined || this.#isOver) return;
    let position = this.#position;
    try {
      for (const [i, bytes] of this.#queue.entries()) {
        if (i > 0 || !this.#isBusy) writeSync(this.#file, bytes, 0, bytes.length, this.#appends ? null : position);
        position += bytes.length;
      }
    } catch {
      // What could be written is written.
    }
  }

  #next(): void {
    if (this.#isBusy || this.#isOver) return;
    const [first] = this.#queue;
    if (first === undefined) {
      if (this.#isClosing) this.#end();
      return;
    }
    this.#isBusy = true;
    const position = this.#appends ? null : this.#position;
    this.#files.write(this.#file!, first, 0, first.length, position, (error, written) => {
      this.#isBusy = false;
      if (error !== null) return this.#fail(error);
      this.#position += written;
      this.#count(-written);
      // A disk that is nearly full takes part of what it is given.
      if (written < first.length) this.#queue[0] = first.subarray(written);
      else this.#queue.shift();
      this.#next();
    });
  }

  #count(bytes: number): void {
    this.#waiting += bytes;
    waitingTotal += bytes;
  }

  #fail(error: Error): void {
    this.#end();
    this.#onProblem?.(error);
  }

  #end(): void {
    this.#isOver = true;
    unfinished.delete(this);
    this.#queue = [];
    this.#count(-this.#waiting);
    if (this.#file !== undefined) this.#files.close(this.#file, () => {});
    this.#file = undefined;
  }
}

function watchExit(): void {
  if (isExitWatched) return;
  isExitWatched = true;
  process.on('exit', () => {
    for (const log of unfinished) log.finishNow();
  });
}
