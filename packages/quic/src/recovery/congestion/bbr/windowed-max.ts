/** Windows are shorter than this; a power of two. */
const CAPACITY = 16;

/**
 * The largest value of the last few ticks of a clock that counts something: rounds, probing cycles. Keeps only values that
 * can still become the maximum, of which there is one a tick at most, so an update costs O(1) on average.
 */
export class WindowedMax {
  /** The maximum as of the last update; 0 before the first. */
  max = 0;
  readonly #values = new Float64Array(CAPACITY);
  readonly #ticks = new Float64Array(CAPACITY);
  /** Candidates are [#first, #end), in falling order of value and rising order of tick. */
  #first = 0;
  #end = 0;

  /** Takes a value at `tick`, which never falls, and forgets those of `length` ticks ago and before. `length` < 16. */
  update(value: number, tick: number, length: number): void {
    while (this.#end > this.#first && this.#values[(this.#end - 1) & (CAPACITY - 1)]! <= value) this.#end--;
    const last = (this.#end - 1) & (CAPACITY - 1);
    // A larger one of the same tick stays for as long as this one would.
    if (this.#end === this.#first || this.#ticks[last]! < tick) {
      this.#values[this.#end & (CAPACITY - 1)] = value;
      this.#ticks[this.#end & (CAPACITY - 1)] = tick;
      this.#end++;
    }
    while (this.#ticks[this.#first & (CAPACITY - 1)]! <= tick - length) this.#first++;
    this.max = this.#values[this.#first & (CAPACITY - 1)]!;
  }
}
