import { type Millis, NEVER } from '../base/time.ts';

/** Something with a deadline; `place` belongs to the queue. */
export interface Timed {
  deadline: Millis;
  /** Index in the heap, or -1. */
  place: number;
}

/** Deadlines in a binary heap: the earliest in O(1), changes in O(log n) of the connections. */
export class TimerQueue<T extends Timed> {
  readonly #heap: T[] = [];

  /** The earliest deadline, or NEVER. */
  get earliest(): Millis {
    return this.#heap[0]?.deadline ?? NEVER;
  }

  /** Sets the deadline of an item; NEVER takes it out. */
  set(item: T, deadline: Millis): void {
    if (deadline === NEVER) return this.remove(item);
    const before = item.deadline;
    item.deadline = deadline;
    if (item.place < 0) {
      item.place = this.#heap.length;
      this.#heap.push(item);
      this.#up(item.place);
    } else if (deadline < before) {
      this.#up(item.place);
    } else if (deadline > before) {
      this.#down(item.place);
    }
  }

  remove(item: T): void {
    const place = item.place;
    if (place < 0) return;
    item.place = -1;
    const last = this.#heap.pop()!;
    if (last === item) return;
    this.#heap[place] = last;
    last.place = place;
    this.#up(place);
    this.#down(last.place);
  }

  /** Takes out and returns an item whose deadline is at or before `now`, or undefined. */
  takeDue(now: Millis): T | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.deadline > now) return undefined;
    this.remove(first);
    return first;
  }

  #up(start: number): void {
    const heap = this.#heap;
    let place = start;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (heap[parent]!.deadline <= heap[place]!.deadline) return;
      this.#swap(place, parent);
      place = parent;
    }
  }

  #down(start: number): void {
    const heap = this.#heap;
    let place = start;
    for (;;) {
      let least = place;
      for (let child = 2 * place + 1; child <= 2 * place + 2 && child < heap.length; child++) {
        if (heap[child]!.deadline < heap[least]!.deadline) least = child;
      }
      if (least === place) return;
      this.#swap(place, least);
      place = least;
    }
  }

  #swap(i: number, j: number): void {
    const heap = this.#heap;
    const a = heap[i]!;
    const b = heap[j]!;
    heap[i] = b;
    heap[j] = a;
    b.place = i;
    a.place = j;
  }
}
