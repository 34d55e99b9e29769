/** So many places, and a queue for them. Who no longer wants a place leaves the queue at once: its length is that of those who do. */
export class Turns {
  /** Places that nobody has. More than 0 only while nobody waits. */
  #free: number;
  /** Those who wait, first come first. */
  readonly #waiting = new Set<() => void>();

  constructor(places: number) {
    this.#free = places;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Resolves to true when it is the caller's turn, who must `release` it; to false when `over` settled before that. */
  take(over: Promise<unknown>): Promise<boolean> {
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const begin = () => resolve(true);
      this.#waiting.add(begin);
      const leave = () => {
        if (this.#waiting.delete(begin)) resolve(false);
      };
      over.then(leave, leave);
    });
  }

  release(): void {
    for (const begin of this.#waiting) {
      this.#waiting.delete(begin);
      begin();
      return;
    }
    this.#free++;
  }
}
