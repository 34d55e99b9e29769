/** How many connections may be there that have not shown their token. */
export interface StrangersOptions {
  readonly most: number;
  /** Of one address. */
  readonly mostEach: number;
}

/** A connection of which nobody knows yet who it is. */
interface Stranger {
  readonly client: string;
  readonly close: () => void;
}

/**
 * The connections that have not shown a token yet. A new one is always let in; where that makes too many, the one that has been silent longest goes: of
 * the same address, or of the one that has most. So whoever has a token, and shows it at once, is served while strangers fill what they may.
 */
export class Strangers {
  readonly #options: StrangersOptions;
  /** By address, oldest first. */
  readonly #byClient = new Map<string, Set<Stranger>>();
  #count = 0;
  /** Connections that had to go. */
  evicted = 0;

  constructor(options: StrangersOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#count;
  }

  /**
   * Lets a connection in. The returned function takes it off the list: its token is known, or it has ended.
   * @param client whom it counts for: see `clientOf`. @param close closes the connection.
   */
  add(client: string, close: () => void): () => void {
    const stranger = { client, close };
    const own = this.#byClient.get(client) ?? new Set();
    this.#byClient.set(client, own.add(stranger));
    this.#count++;
    if (own.size > this.#options.mostEach) this.#evict(own);
    else if (this.#count > this.#options.most) this.#evict(this.#largest());
    return () => this.#remove(stranger);
  }

  #evict(from: ReadonlySet<Stranger>): void {
    const [oldest] = from;
    this.#remove(oldest!);
    this.evicted++;
    oldest!.close();
  }

  #remove(stranger: Stranger): void {
    const own = this.#byClient.get(stranger.client);
    if (own?.delete(stranger) !== true) return;
    this.#count--;
    if (own.size === 0) this.#byClient.delete(stranger.client);
  }

  #largest(): ReadonlySet<Stranger> {
    let largest: ReadonlySet<Stranger> = new Set();
    for (const own of this.#byClient.values()) if (own.size > largest.size) largest = own;
    return largest;
  }
}
