import { writeSync } from 'node:fs';
import { Worker, workerData } from 'node:worker_threads';
import { cpuTime } from './watched.ts';

/** Milliseconds of CPU after which an input counts as hung: it must be killed, because it does not come back to be judged. */
const HUNG = 30_000;
/** How often to look, in milliseconds. */
const LOOK = 500;

/** Kills the process with a word when one input has used too much CPU. A thread of its own: the inputs' may be in an endless loop. */
export class Watchdog {
  /** Which input runs: counts up. */
  readonly #current = new Int32Array(new SharedArrayBuffer(4));

  constructor() {
    new Worker(new URL(import.meta.url), { workerData: this.#current }).unref();
  }

  /** The next input begins. */
  next(): void {
    Atomics.add(this.#current, 0, 1);
  }
}

if (workerData instanceof Int32Array) watch(workerData);

function watch(current: Int32Array): void {
  let last = -1;
  let since = 0;
  setInterval(() => {
    const now = Atomics.load(current, 0);
    if (now !== last) since = cpuTime();
    last = now;
    if (cpuTime() - since < HUNG) return;
    writeSync(2, `hung: more than ${HUNG / 1000} s of CPU\n`);
    process.kill(process.pid, 'SIGKILL');
  }, LOOK);
}
