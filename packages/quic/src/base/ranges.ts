/**
 * A set of integers kept as sorted, disjoint, non-adjacent half-open ranges [start, end). Additions at the top end (the
 * usual case: packet numbers and stream offsets that arrive in order) cost O(1); elsewhere O(log n) to find and O(n) to shift.
 */
export class Ranges {
  /** start0, end0, start1, end1, …, ascending. */
  readonly #edges: number[] = [];

  /** How many ranges there are. */
  get count(): number {
    return this.#edges.length >> 1;
  }

  get isEmpty(): boolean {
    return this.#edges.length === 0;
  }

  /** Start of range `i`, counted from the lowest. */
  start(i: number): number {
    return this.#edges[2 * i]!;
  }

  /** End (exclusive) of range `i`. */
  end(i: number): number {
    return this.#edges[2 * i + 1]!;
  }

  /** Adds [start, end) and returns how many integers of it were new. */
  add(start: number, end: number): number {
    const edges = this.#edges;
    if (end <= start) return 0;
    const n = edges.length;
    if (n === 0 || start > edges[n - 1]!) {
      edges.push(start, end);
      return end - start;
    }
    const lastStart = edges[n - 2]!;
    if (start >= lastStart) {
      const lastEnd = edges[n - 1]!;
      if (end <= lastEnd) return 0;
      edges[n - 1] = end;
      return end - lastEnd;
    }
    return this.#insert(start, end);
  }

  #insert(start: number, end: number): number {
    const edges = this.#edges;
    let i = this.#firstEndingAtOrAfter(start);
    let mergedStart = start;
    let mergedEnd = end;
    let known = 0;
    const first = i;
    while (i < this.count && this.start(i) <= end) {
      known += Math.max(0, Math.min(end, this.end(i)) - Math.max(start, this.start(i)));
      mergedStart = Math.min(mergedStart, this.start(i));
      mergedEnd = Math.max(mergedEnd, this.end(i));
      i++;
    }
    edges.splice(2 * first, 2 * (i - first), mergedStart, mergedEnd);
    return end - start - known;
  }

  /** Removes [start, end) and returns how many integers of it were there. */
  remove(start: number, end: number): number {
    if (end <= start) return 0;
    const edges = this.#edges;
    let i = this.#firstEndingAtOrAfter(start + 1);
    const first = i;
    let removed = 0;
    const kept: number[] = [];
    while (i < this.count && this.start(i) < end) {
      const s = this.start(i);
      const e = this.end(i);
      removed += Math.min(end, e) - Math.max(start, s);
      if (s < start) kept.push(s, start);
      if (e > end) kept.push(end, e);
      i++;
    }
    if (i > first) edges.splice(2 * first, 2 * (i - first), ...kept);
    return removed;
  }

  /** Whether `value` is in the set. */
  has(value: number): boolean {
    const i = this.#firstEndingAtOrAfter(value + 1);
    return i < this.count && this.start(i) <= value;
  }

  /** Whether every integer of [start, end) is in the set. */
  covers(start: number, end: number): boolean {
    if (end <= start) return true;
    const i = this.#firstEndingAtOrAfter(end);
    return i < this.count && this.start(i) <= start;
  }

  /** Index of the first range with anything above `value` - 1, or `count` when there is none. */
  indexAfter(value: number): number {
    return this.#firstEndingAtOrAfter(value + 1);
  }

  /** Drops the lowest `n` ranges. */
  dropLowest(n: number): void {
    if (2 * n >= this.#edges.length) this.#edges.length = 0;
    else this.#edges.splice(0, 2 * n);
  }

  clear(): void {
    this.#edges.length = 0;
  }

  /** Index of the first range whose end is at or after `value`. */
  #firstEndingAtOrAfter(value: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.end(middle) >= value) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
