/** How many urgencies there are: 0 (first) to 7 (last), as RFC 9218 §4.1 has them. */
export const URGENCIES = 8;

/** An item's place in one queue; owned by the item, so that joining and leaving cost O(1) and allocate nothing. */
export class Link<T> {
  readonly item: T;
  next: Link<T> | undefined;
  previous: Link<T> | undefined;
  /** The queue that the item waits in, if any. */
  queue: LinkedQueue<T> | undefined;

  constructor(item: T) {
    this.item = item;
  }

  get isQueued(): boolean {
    return this.queue !== undefined;
  }
}

/** A queue of items that carry their own links. */
export class LinkedQueue<T> {
  first: Link<T> | undefined;
  #last: Link<T> | undefined;

  get isEmpty(): boolean {
    return this.first === undefined;
  }

  /** Appends a link that is in no queue. */
  push(link: Link<T>): void {
    const last = this.#last;
    link.queue = this;
    link.previous = last;
    link.next = undefined;
    if (last === undefined) this.first = link;
    else last.next = link;
    this.#last = link;
  }

  /** Takes out a link of this queue. */
  remove(link: Link<T>): void {
    if (link.previous === undefined) this.first = link.next;
    else link.previous.next = link.next;
    if (link.next === undefined) this.#last = link.previous;
    else link.next.previous = link.previous;
    link.next = undefined;
    link.previous = undefined;
    link.queue = undefined;
  }

  /** Moves a link of this queue to its end. */
  rotate(link: Link<T>): void {
    if (this.#last === link) return;
    this.remove(link);
    this.push(link);
  }
}

/** Items by urgency, and in order of arrival within one urgency. Every operation costs O(1). */
export class UrgencyQueue<T> {
  readonly #levels: readonly LinkedQueue<T>[] = Array.from({ length: URGENCIES }, () => new LinkedQueue<T>());
  /** Bit u is set while level u holds items. */
  #occupied = 0;

  get isEmpty(): boolean {
    return this.#occupied === 0;
  }

  /** The most urgent level that holds items; URGENCIES when there is none. */
  get urgency(): number {
    const occupied = this.#occupied;
    return occupied === 0 ? URGENCIES : 31 - Math.clz32(occupied & -occupied);
  }

  /** The first item of the most urgent level. */
  get first(): T | undefined {
    return this.#occupied === 0 ? undefined : this.#levels[this.urgency]!.first?.item;
  }

  /** Adds a link, unless it is queued already. */
  add(link: Link<T>, urgency: number): void {
    if (link.queue !== undefined) return;
    this.#levels[urgency]!.push(link);
    this.#occupied |= 1 << urgency;
  }

  /** Takes out a link, if it is queued at `urgency`, where it was added. */
  remove(link: Link<T>, urgency: number): void {
    if (link.queue === undefined) return;
    const level = this.#levels[urgency]!;
    level.remove(link);
    if (level.isEmpty) this.#occupied &= ~(1 << urgency);
  }

  /** Lets the others of the same urgency go first, if the link is still queued. */
  rotate(link: Link<T>): void {
    link.queue?.rotate(link);
  }
}
