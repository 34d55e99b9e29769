import { isatty } from 'node:tty';
import { ExitCode } from '../exit-codes.ts';

/** Milliseconds in which a second signal of the same kind is the same: npm passes on the Ctrl-C that the terminal has sent already. */
const ECHO = 50;

/** Milliseconds that a command has to clean up, and that the process has to end after it, before it is ended as if by a second signal. */
const CLEANING = 10_000;
const ENDING = 1000;

/** What a command does when its user stops it: `signal` aborts, the command cleans up and ends with `exitCode`. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** 128 + the signal's number once it came. */
  readonly exitCode: number | undefined;
  /** Fulfilled once it came, even if that was before anybody asked. */
  readonly stopped: Promise<void>;
  /** Has this called, synchronously, when the process is ended at once: for what would outlive it. Returns what takes it back. */
  beforeKill(callback: () => void): () => void;
  /** Gives the signals back to Node. */
  [Symbol.dispose](): void;
}

/** The process as far as its signals go; for tests. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
  /** Ends the process as the signal would if nobody listened. */
  die(signal: NodeJS.Signals, exitCode: number): void;
  now(): number;
}

const PROCESS: SignalSource = {
  on: (signal, listener) => process.on(signal, listener),
  off: (signal, listener) => process.off(signal, listener),
  die(signal, exitCode) {
    // Not process.exit: that waits for the thread pool, where a name is looked up or a disk does not answer.
    process.removeAllListeners(signal);
    process.exitCode = exitCode;
    process.kill(process.pid, signal);
    // The first process of a container is not ended by its own signals.
    process.exit(exitCode);
  },
  now: () => performance.now(),
};

/**
 * Listens for Ctrl-C and its like. A second one ends the process at once, as does a command that does not end by itself after the first.
 * @param hasTerminal whether a SIGHUP means this process.
 */
export function listenForInterruption(source = PROCESS, hasTerminal = isOnTerminal()): Interruption {
  const controller = new AbortController();
  const beforeKill = new Set<() => void>();
  let first: { readonly name: NodeJS.Signals; readonly code: number; readonly at: number } | undefined;
  const die = (name: NodeJS.Signals, code: number) => {
    for (const callback of beforeKill) callback();
    source.die(name, code);
  };
  const dieIn = (milliseconds: number) => {
    if (first !== undefined) setTimeout(die, milliseconds, first.name, first.code).unref();
  };
  const stop = (name: NodeJS.Signals, code: number) => () => {
    if (first === undefined) {
      first = { name, code, at: source.now() };
      controller.abort(new Error('stopped'));
      dieIn(CLEANING);
    } else if (name !== first.name || source.now() - first.at >= ECHO) die(name, code);
  };
  const listeners: readonly (readonly [NodeJS.Signals, () => void])[] = [
    ['SIGINT', stop('SIGINT', ExitCode.INTERRUPTED)],
    ['SIGTERM', stop('SIGTERM', ExitCode.TERMINATED)],
    ['SIGHUP', hasTerminal ? stop('SIGHUP', ExitCode.HUNG_UP) : ignore],
  ];
  for (const [name, listener] of listeners) source.on(name, listener);
  return {
    signal: controller.signal,
    get exitCode() {
      return first?.code;
    },
    stopped: new Promise((resolve) => controller.signal.addEventListener('abort', () => resolve(), { once: true })),
    beforeKill(callback) {
      beforeKill.add(callback);
      return () => void beforeKill.delete(callback);
    },
    [Symbol.dispose]() {
      // A hang-up that means nothing still must not end what is left to do.
      for (const [name, listener] of listeners) if (listener !== ignore) source.off(name, listener);
      dieIn(ENDING);
    },
  };
}

function ignore(): void {}

/**
 * Whether a terminal's end is this process's. nohup puts files in the place of every terminal among the standard streams, and makes
 * SIGHUP ignored; but Node forgets, before any program runs, which signals were (node::PlatformInit), so the streams have to tell.
 */
function isOnTerminal(): boolean {
  return process.platform === 'win32' || [0, 1, 2].some((descriptor) => isatty(descriptor));
}
