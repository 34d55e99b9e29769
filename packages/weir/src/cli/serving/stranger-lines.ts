/** Lines in each span, and how long that is in milliseconds. */
const LINES = 10;
const SPAN = 60_000;

/** Says what went wrong with those who have shown no ticket, but not a line for each of thousands: what is left out is counted. */
export class StrangerLines {
  readonly #say: (line: string) => void;
  readonly #now: () => number;
  #since = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #leftOut = 0;

  /** @param now a clock, in milliseconds. */
  constructor(say: (line: string) => void, now: () => number) {
    this.#say = say;
    this.#now = now;
  }

  say(line: string): void {
    if (this.#now() - this.#since >= SPAN) this.#begin();
    if (this.#lines++ < LINES) this.#say(line);
    else this.#leftOut++;
  }

  #begin(): void {
    if (this.#leftOut > 0) this.#say(`${this.#leftOut} more connections that showed no ticket came to nothing`);
    this.#since = this.#now();
    this.#lines = 0;
    this.#leftOut = 0;
  }
}
