import { isIPv6 } from 'node:net';
import { Refusal } from './introduction.ts';

/** How many are served at once, and how many may wait for that. */
export interface PlacesOptions {
  /** Clients that are served at once. */
  readonly most: number;
  /** Of those, clients of one address: it shall not hold every place. */
  readonly mostEach: number;
  /** Clients in line. */
  readonly line: number;
  /** Of those, clients of one address. */
  readonly lineEach: number;
  /** What all places are taken by, for people: `4 other files`. */
  readonly taken: string;
}

/** The places of a server, and the line of those who wait for one. First come, first served, except that each address has its share. */
export class Places {
  readonly #options: PlacesOptions;
  readonly #served = new Set<Visit>();
  readonly #line: Visit[] = [];
  /** Why nobody is served any more. */
  #closed: string | undefined;

  constructor(options: PlacesOptions) {
    this.#options = options;
  }

  /** How many have a place. */
  get served(): number {
    return this.#served.size;
  }

  /**
   * A place, or one in line; leave it in the end.
   * @param client whom it counts for: see `clientOf`. @param canWait whether it knows how to stand in line.
   * @throws Refusal `busy`.
   */
  enter(client: string, canWait: boolean): Visit {
    if (this.#closed !== undefined) throw new Refusal('busy', this.#closed);
    const visit = new Visit(client, () => this.#leave(visit));
    if (this.#mayBeServed(client)) {
      this.#served.add(visit);
      return visit;
    }
    const { line, lineEach, taken } = this.#options;
    const isFull = this.#line.length >= line || count(this.#line, client) >= lineEach;
    if (!canWait || isFull) {
      throw new Refusal('busy', `busy with ${taken}${canWait ? ', and the line is full' : ''}: try again later`);
    }
    this.#line.push(visit);
    visit.moveTo(this.#line.length);
    return visit;
  }

  /** Serves nobody more: who stands in line is refused with this reason, and who comes. */
  close(reason: string): void {
    this.#closed = reason;
    for (const visit of this.#line.splice(0)) visit.refuse(new Refusal('busy', reason));
  }

  #mayBeServed(client: string): boolean {
    return this.#served.size < this.#options.most && count(this.#served, client) < this.#options.mostEach;
  }

  #leave(visit: Visit): void {
    this.#served.delete(visit);
    const at = this.#line.indexOf(visit);
    if (at >= 0) this.#line.splice(at, 1);
    for (let i = 0; i < this.#line.length; ) {
      if (!this.#mayBeServed(this.#line[i]!.client)) {
        i++;
        continue;
      }
      const [next] = this.#line.splice(i, 1);
      this.#served.add(next!);
      next!.moveTo(0);
    }
    for (const [i, waiting] of this.#line.entries()) waiting.moveTo(i + 1);
  }
}

/** One client's place, or its place in line. */
export class Visit {
  readonly client: string;
  readonly #onLeave: () => void;
  #position = 0;
  #refusal: Refusal | undefined;
  #hasLeft = false;
  #onMove: (() => void) | undefined;

  /** Made by Places. */
  constructor(client: string, onLeave: () => void) {
    this.client = client;
    this.#onLeave = onLeave;
  }

  /** From 1 in line; 0 once it is served. @throws Refusal when it never will be. */
  get position(): number {
    if (this.#refusal !== undefined) throw this.#refusal;
    return this.#position;
  }

  /** Fulfilled at the next change of `position`. One at a time. */
  moved(): Promise<void> {
    return new Promise((resolve) => {
      this.#onMove = resolve;
    });
  }

  /** Gives the place up. Does nothing the second time. */
  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.#onLeave();
  }

  /** Internal: Places gives it another position. */
  moveTo(position: number): void {
    if (position === this.#position) return;
    this.#position = position;
    this.#onMove?.();
  }

  /** Internal: it will never be served. */
  refuse(refusal: Refusal): void {
    this.#refusal = refusal;
    this.#onMove?.();
  }
}

/** Whom a connection from this numeric address counts for: the address, of IPv6 the network that one subscriber has (/64). */
export function clientOf(host: string): string {
  const [address = ''] = host.split('%');
  if (!isIPv6(address)) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/iu.exec(address);
  if (mapped !== null) return mapped[1]!;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - groups.length - rest.length)).fill('0');
  return [...groups, ...zeros, ...rest]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}

function count(visits: Iterable<Visit>, client: string): number {
  let number = 0;
  for (const visit of visits) if (visit.client === client) number++;
  return number;
}
