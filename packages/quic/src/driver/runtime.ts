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
  /**
   * How long the event loop has waited for something to happen since the process began, in milliseconds; it doesn't change while
   * code runs, and must cost little. Left out where nobody can tell: then the process counts as idle between the driver's turns.
   */
  idleTime?(): Millis;
  /** Calls back once the current callbacks have run, before more input is taken. */
  defer(callback: () => void): void;
}
