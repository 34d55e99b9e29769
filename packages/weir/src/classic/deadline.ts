/** The longest that Node's timers take, in milliseconds. */
const LONGEST = 2 ** 31 - 1;

/**
 * One timer for a state machine whose deadline moves with every datagram: it is looked at when it fires, not set anew each
 * time.
 */
export class Deadline {
  readonly #due: () => number;
  readonly #fire: () => void;
  #timer: NodeJS.Timeout | undefined;
  #setFor = Number.POSITIVE_INFINITY;

  /** @param due the deadline on the clock of `performance.now()`. @param fire is called at or after it. */
  constructor(due: () => number, fire: () => void) {
    this.#due = due;
    this.#fire = fire;
  }

  /** The deadline may have moved: cheap when it moved away. */
  update(): void {
    const due = this.#due();
    if (due >= this.#setFor) return;
    clearTimeout(this.#timer);
    this.#setFor = due;
    this.#timer = setTimeout(
      () => setImmediate(this.#onTimer),
      Math.min(LONGEST, Math.max(0, due - performance.now())),
    );
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#setFor = Number.NEGATIVE_INFINITY;
  }

  /** Datagrams that wait in the kernel come first: a process that was stalled must not take its own pause for silence. */
  readonly #onTimer = (): void => {
    if (this.#setFor === Number.NEGATIVE_INFINITY) return;
    this.#setFor = Number.POSITIVE_INFINITY;
    if (performance.now() >= this.#due()) this.#fire();
    if (Number.isFinite(this.#due())) this.update();
  };
}
