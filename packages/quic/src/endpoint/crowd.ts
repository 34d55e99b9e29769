import type { Connection } from '../connection/connection.ts';

/**
 * Connections that a limit is for. Nobody tells when one is through with its handshake, or closing: that is looked up when a limit
 * seems to be reached.
 */
export class Crowd {
  readonly #open = new Set<Connection>();
  readonly #handshaking = new Set<Connection>();

  /** Takes in one that begins its handshake. */
  add(connection: Connection): void {
    this.#open.add(connection);
    this.#handshaking.add(connection);
  }

  remove(connection: Connection): void {
    this.#open.delete(connection);
    this.#handshaking.delete(connection);
  }

  get isEmpty(): boolean {
    return this.#open.size === 0;
  }

  /** Whether `limit` or more are open. */
  hasOpen(limit: number): boolean {
    if (this.#open.size < limit) return false;
    for (const connection of this.#open) if (isOver(connection)) this.#open.delete(connection);
    return this.#open.size >= limit;
  }

  /** Whether `limit` or more are in their handshakes. */
  hasHandshakes(limit: number): boolean {
    if (this.#handshaking.size < limit) return false;
    for (const connection of this.#handshaking) {
      if (connection.state !== 'handshaking') this.#handshaking.delete(connection);
    }
    return this.#handshaking.size >= limit;
  }
}

/** One that is over only waits for stray packets (RFC 9000 §10.2). */
function isOver({ state }: Connection): boolean {
  return state !== 'handshaking' && state !== 'established';
}
