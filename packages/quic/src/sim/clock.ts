import { type Millis, NEVER } from '../base/time.ts';
import type { Timer } from '../driver/runtime.ts';

/** Something to be done at a time. */
interface Appointment extends Timer {
  readonly at: Millis;
  /** Order of booking: what is due at the same time is done in this order. */
  readonly sequence: number;
  readonly callback: () => void;
  isCancelled: boolean;
}

/**
 * Time that only moves when it is told to. Appointments are kept in a binary heap by (time, order of booking), so a run is
 * the same every time.
 */
export class VirtualClock {
  #now: Millis;
  #sequence = 0;
  readonly #heap: Appointment[] = [];

  constructor(start: Millis = 0) {
    this.#now = start;
  }

  get now(): Millis {
    return this.#now;
  }

  /** When the next appointment is; NEVER when there is none. */
  get next(): Millis {
    while (this.#heap.length > 0 && this.#heap[0]!.isCancelled) this.#removeFirst();
    return this.#heap[0]?.at ?? NEVER;
  }

  /** Books `callback` for `at`, or for now when that has passed. */
  book(at: Millis, callback: () => void): Timer {
    const appointment: Appointment = {
      at: Math.max(at, this.#now),
      sequence: this.#sequence++,
      callback,
      isCancelled: false,
      cancel() {
        this.isCancelled = true;
      },
    };
    this.#insert(appointment);
    return appointment;
  }

  /** Moves to the next appointment and runs it; false when there is none. */
  step(): boolean {
    if (this.next === NEVER) return false;
    const appointment = this.#removeFirst();
    this.#now = appointment.at;
    appointment.callback();
    return true;
  }

  #insert(appointment: Appointment): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(appointment);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!isBefore(appointment, heap[parent]!)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = appointment;
  }

  #removeFirst(): Appointment {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
    return first;
  }
}

function isBefore(a: Appointment, b: Appointment): boolean {
  return a.at < b.at || (a.at === b.at && a.sequence < b.sequence);
}
