import { type Millis, NEVER } from 'weir-quic/sim';

/** What waits for its time. */
interface Entry<T> {
  readonly at: Millis;
  /** Entries of the same time leave in the order in which they came. */
  readonly order: number;
  readonly item: T;
}

/** Items by the time at which they are due, in a binary heap: O(log n) for each. */
export class DeliveryQueue<T> {
  readonly #heap: Entry<T>[] = [];
  #order = 0;

  get length(): number {
    return this.#heap.length;
  }

  /** When the earliest item is due; NEVER when there is none. */
  get earliest(): Millis {
    return this.#heap[0]?.at ?? NEVER;
  }

  push(at: Millis, item: T): void {
    const heap = this.#heap;
    const entry: Entry<T> = { at, order: this.#order++, item };
    let place = heap.length;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!isBefore(entry, heap[parent]!)) break;
      heap[place] = heap[parent]!;
      place = parent;
    }
    heap[place] = entry;
  }

  /** Takes out and returns the earliest item when it is due at or before `now`, else undefined. */
  takeDue(now: Millis): T | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || first.at > now) return undefined;
    const last = heap.pop()!;
    if (last !== first) this.#sink(last);
    return first.item;
  }

  clear(): void {
    this.#heap.length = 0;
  }

  /** Puts `entry` where the first one was, and then down to its place. */
  #sink(entry: Entry<T>): void {
    const heap = this.#heap;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, entry)) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = entry;
  }
}

function isBefore<T>(a: Entry<T>, b: Entry<T>): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
