import { ExitCode } from './exit-codes.ts';

/** What a command does when its user stops it: `signal` aborts, the command cleans up and ends with `exitCode`. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** 128 + the signal's number once it came. */
  readonly exitCode: number | undefined;
  /** Gives the signals back to Node. */
  [Symbol.dispose](): void;
}

/** Listens for Ctrl-C and its like. A second one ends the process at once. */
export function listenForInterruption(): Interruption {
  const controller = new AbortController();
  let exitCode: number | undefined;
  const stop = (code: number) => () => {
    if (exitCode !== undefined) process.exit(code);
    exitCode = code;
    controller.abort(new Error('stopped'));
  };
  const listeners = [
    ['SIGINT', stop(ExitCode.INTERRUPTED)],
    ['SIGTERM', stop(ExitCode.TERMINATED)],
    ['SIGHUP', stop(129)],
  ] as const;
  for (const [name, listener] of listeners) process.on(name, listener);
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    [Symbol.dispose]() {
      for (const [name, listener] of listeners) process.off(name, listener);
    },
  };
}
