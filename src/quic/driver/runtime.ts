import type { Millis } from '../base/time.ts';

/** A timer that has been set. */
export interface Timer {
  /** Stops it; harmless when it has fired. */
  cancel(): void;
}

/** The seam to time: the real one reads the process's clock, the simulator's is virtual. */
export interface Runtime {
  now(): Millis;
  /** Calls back once, at or soon after `at`. The process may end while only unreferenced timers are pending. */
  setTimer(at: Millis, callback: () => void): Timer;
  /** Calls back once the current callbacks have run, before more input is taken. */
  defer(callback: () => void): void;
}
