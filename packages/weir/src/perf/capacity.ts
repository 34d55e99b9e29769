/** How much all clients of a server may make it hold together. */
export interface CapacityOptions {
  /** Bytes of the receive windows that are larger than the least. */
  readonly windowBytes: number;
  /** The least that each client's receive window may grow to, and the most. */
  readonly leastWindow: number;
  readonly mostWindow: number;
  /** Streams that are open, requests and answers. */
  readonly streams: number;
}

/**
 * What the clients of one server share: its memory. A stranger may fill a receive window with data behind a gap, and open streams whose answers it never
 * takes, on as many connections as there are; so the early ones get large windows and those beside them smaller ones, and where all together have too
 * many streams open, the client with most of them goes.
 */
export class Capacity {
  readonly #options: CapacityOptions;
  readonly #shares = new Set<Share>();
  #streams = 0;

  constructor(options: CapacityOptions) {
    this.#options = options;
  }

  /** A client's share; leave it in the end. @param close closes the client's connection. */
  enter(close: () => void): Share {
    const { windowBytes, leastWindow, mostWindow } = this.#options;
    let left = windowBytes;
    for (const share of this.#shares) left -= share.window;
    // Half of what is left, so that there always is something left.
    const window = Math.max(leastWindow, Math.min(mostWindow, Math.floor(left / 2)));
    const share = new Share(window, close, (change) => this.#count(change));
    this.#shares.add(share);
    return share;
  }

  /** Takes a client off the list. Does nothing the second time. */
  leave(share: Share): void {
    if (!this.#shares.delete(share)) return;
    this.#streams -= share.streams;
    share.end();
  }

  #count(change: number): void {
    this.#streams += change;
    if (this.#streams <= this.#options.streams) return;
    const [first, ...others] = this.#shares;
    const largest = others.reduce((most, share) => (share.streams > most.streams ? share : most), first!);
    this.leave(largest);
    largest.close();
  }
}

/** One client's share of a server. */
export class Share {
  /** Bytes that its receive window may grow to. */
  readonly window: number;
  /** Streams that it has open. */
  streams = 0;
  /** Closes its connection. */
  readonly close: () => void;
  #onCount: ((change: number) => void) | undefined;

  /** Made by Capacity. */
  constructor(window: number, close: () => void, onCount: (change: number) => void) {
    this.window = window;
    this.close = close;
    this.#onCount = onCount;
  }

  /** Counts a stream until it is closed. */
  count(stream: { readonly closed: Promise<unknown> }): void {
    this.#change(1);
    const end = () => this.#change(-1);
    stream.closed.then(end, end);
  }

  /** Internal: it counts no more. */
  end(): void {
    this.#onCount = undefined;
  }

  #change(by: number): void {
    this.streams += by;
    this.#onCount?.(by);
  }
}
