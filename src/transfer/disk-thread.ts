import { Worker } from 'node:worker_threads';

/** Files of at least this size are worth the start of a thread, some 30 ms of CPU. Bytes. */
export const THREAD_FROM_BYTES = 64 << 20;

/** What a DiskThread's worker is started with. */
export interface DiskThreadData {
  /** The open file. */
  readonly fd: number;
  /** The same file opened for direct writes, or -1. */
  readonly directFd: number;
  /** From the file into memory, or from memory into the file. */
  readonly direction: 'read' | 'write';
}

/** One chunk to move: the first `length` bytes of `memory` and those of the file at `offset`. */
export interface DiskTask {
  readonly id: number;
  readonly memory: ArrayBuffer;
  readonly offset: number;
  readonly length: number;
}

/** What became of a task. */
export type DiskAnswer =
  | ({ readonly id: number } & MovedChunk)
  | {
      readonly id: number;
      readonly memory: ArrayBuffer;
      readonly problem: { readonly message: string; readonly code: string };
    };

/** A chunk that was moved. */
export interface MovedChunk {
  /** The memory that was handed over, in an ArrayBuffer of its own: the one that was given is empty for good. */
  readonly memory: ArrayBuffer;
  /** How many bytes were moved: fewer than asked when the file ended before. */
  readonly count: number;
  /** Whether it was written into the page cache, and so may not be on the disk. */
  readonly isCached: boolean;
  /** SHA-256 of the chunk. */
  readonly hash: Uint8Array;
}

interface PendingTask {
  readonly resolve: (moved: MovedChunk) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A thread that reads or writes one file and hashes what passes, so that the thread of the packets does neither. Memory is
 * handed over, not shared: while the thread has it, nobody else can touch it.
 */
export class DiskThread {
  readonly #worker: Worker;
  readonly #pending = new Map<number, PendingTask>();
  /** Tasks of this turn, which go together. */
  #outgoing: DiskTask[] = [];
  #nextId = 0;
  /** Why it takes no more tasks. */
  #error: Error | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (answers: DiskAnswer[]) => this.#onAnswers(answers));
    worker.on('error', (error) => this.#fail(new Error(`its thread failed: ${error.message}`, { cause: error })));
    worker.on('exit', (code) => this.#fail(new Error(`its thread ended with code ${code}`)));
    // It keeps the process alive only while it has something to do.
    worker.unref();
  }

  /** Starts one for an open file, or answers undefined where threads are not allowed. The file must stay open until `close`. */
  static start(fd: number, direction: 'read' | 'write', directFd = -1): DiskThread | undefined {
    const workerData: DiskThreadData = { fd, directFd, direction };
    // A program that came on the command line (--eval) has this flag, which a worker in a file must not have.
    const execArgv = process.execArgv.filter((argument) => !argument.startsWith('--input-type'));
    try {
      return new DiskThread(new Worker(new URL('disk-worker.js', import.meta.url), { workerData, execArgv }));
    } catch {
      return undefined;
    }
  }

  /**
   * Moves one chunk and hashes it. Takes `memory` away: it comes back with the answer.
   * @throws Error of the system, with its `code`, or of the thread when that has ended.
   */
  move(memory: ArrayBuffer, offset: number, length: number): Promise<MovedChunk> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#outgoing.length === 0) queueMicrotask(() => this.#post());
    const id = this.#nextId++;
    this.#outgoing.push({ id, memory, offset, length });
    if (this.#pending.size === 0) this.#worker.ref();
    return new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject }));
  }

  /** Ends it after what it is doing at the moment; tasks that wait are rejected. */
  async close(): Promise<void> {
    this.#fail(new Error('its thread was closed'));
    await this.#worker.terminate();
  }

  #post(): void {
    const tasks = this.#outgoing;
    this.#outgoing = [];
    if (this.#error !== undefined) return;
    const memories = tasks.map(({ memory }) => memory);
    try {
      this.#worker.postMessage(tasks, memories);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #onAnswers(answers: readonly DiskAnswer[]): void {
    for (const answer of answers) {
      const pending = this.#pending.get(answer.id);
      if (pending === undefined) continue;
      this.#pending.delete(answer.id);
      if ('problem' in answer) {
        const { message, code } = answer.problem;
        pending.reject(Object.assign(new Error(message), { code }));
      } else pending.resolve(answer);
    }
    // `terminate` keeps the process alive until the thread has ended: late answers must not undo that.
    if (this.#pending.size === 0 && this.#error === undefined) this.#worker.unref();
  }

  #fail(error: Error): void {
    this.#error ??= error;
    for (const { reject } of this.#pending.values()) reject(this.#error);
    this.#pending.clear();
    this.#worker.unref();
  }
}
