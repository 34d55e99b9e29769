import type { Millis } from '../base/time.ts';
import { LimitClock, RECEIVE_LIMITS, ReceiveLimitIndex, SEND_LIMITS, SendLimitIndex } from './limit-clock.ts';

/**
 * The time of one connection: in its turns, in other work of the process between them, or idle. A turn begins when something is
 * handed to the connection and ends when it has nothing more to send; only then does it know which limit holds from there on.
 * The turn itself and whatever else the process did count as `event_loop`, what remains for the limit that held.
 */
export class TurnClock {
  readonly send = new LimitClock(SEND_LIMITS.length, SendLimitIndex.HANDSHAKE, SendLimitIndex.EVENT_LOOP);
  readonly receive = new LimitClock(RECEIVE_LIMITS.length, ReceiveLimitIndex.NETWORK, ReceiveLimitIndex.EVENT_LOOP);
  /** Up to when time is accounted for. */
  now: Millis;
  /** How long the process has been idle, since whenever; undefined where nobody can tell: then it is idle between turns. */
  readonly #idleTime: (() => Millis) | undefined;
  /** Its value at `now`. */
  #idleAt: Millis;
  /** Connections begin in a turn. */
  #inTurn = true;
  #isStopped = false;

  constructor(now: Millis, idleTime?: () => Millis) {
    this.now = now;
    this.#idleTime = idleTime;
    this.#idleAt = idleTime === undefined ? 0 : idleTime();
  }

  /** Accounts for the time until `now`. */
  advance(now: Millis): void {
    const passed = now - this.now;
    if (passed <= 0 || this.#isStopped) return;
    this.now = now;
    const idle = this.#inTurn ? 0 : this.#idle(passed);
    this.send.pass(idle, passed - idle);
    this.receive.pass(idle, passed - idle);
  }

  /** Something happens to the connection: from now on the process is at work, until `end`. */
  begin(now: Millis): void {
    this.advance(now);
    this.#inTurn = true;
  }

  /** The connection has done what it could: from now on these limits hold, indexes into SEND_LIMITS and RECEIVE_LIMITS. */
  end(now: Millis, send: number, receive: number): void {
    this.advance(now);
    this.#inTurn = false;
    this.send.limit = send;
    this.receive.limit = receive;
  }

  /** The connection is over, and so is its time. */
  stop(now: Millis): void {
    this.advance(now);
    this.#isStopped = true;
  }

  /** How much of the `passed` milliseconds the process was idle. */
  #idle(passed: Millis): Millis {
    if (this.#idleTime === undefined) return passed;
    const before = this.#idleAt;
    this.#idleAt = this.#idleTime();
    return Math.min(passed, Math.max(0, this.#idleAt - before));
  }
}
