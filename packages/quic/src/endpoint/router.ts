import { toHex } from '../base/cursor.ts';
import { type Random, randomBytes } from '../base/random.ts';
import type { Connection } from '../connection/connection.ts';
import type { ConnectionIdIssuer, IssuedConnectionId } from '../connection/local-connection-ids.ts';
import { LOCAL_ID_LENGTH } from '../connection/local-connection-ids.ts';
import { statelessResetToken } from '../crypto/token.ts';

/**
 * Which connection a connection ID belongs to. IDs are random; the first 48 bits of each are unique here, so that the hot
 * path looks a number up instead of making a string.
 */
export class Router {
  readonly #random: Random;
  readonly #resetKey: Uint8Array;
  readonly #byLocalId = new Map<number, Connection>();
  /** IDs that clients chose for their first Initial packets, in hexadecimal. */
  readonly #byInitialId = new Map<string, Connection>();
  /**
   * By the token that the peer's stateless reset would carry, put through a keyed function: how long a look-up takes then
   * says nothing about the token (RFC 9000 §10.3.1).
   */
  readonly #byResetToken = new Map<string, Connection>();

  constructor(random: Random, resetKey: Uint8Array) {
    this.#random = random;
    this.#resetKey = resetKey;
  }

  /** The connection that issued the ID at `at`, or undefined. */
  byLocalId(bytes: Uint8Array, at: number): Connection | undefined {
    return this.#byLocalId.get(routingNumber(bytes, at));
  }

  /** The connection whose peer would send a stateless reset with the 16 bytes that end at `end`. RFC 9000 §10.3.1. */
  byResetToken(bytes: Uint8Array, end: number): Connection | undefined {
    return this.#byResetToken.size === 0
      ? undefined
      : this.#byResetToken.get(this.#watched(bytes.slice(end - 16, end)));
  }

  byInitialId(id: Uint8Array): Connection | undefined {
    return this.#byInitialId.size === 0 ? undefined : this.#byInitialId.get(toHex(id));
  }

  addInitialId(id: Uint8Array, connection: Connection): void {
    this.#byInitialId.set(toHex(id), connection);
  }

  removeInitialId(id: Uint8Array): void {
    this.#byInitialId.delete(toHex(id));
  }

  /** A new connection ID that nobody has; it routes once it is `assign`ed. */
  create(): IssuedConnectionId {
    for (;;) {
      const id = randomBytes(this.#random, LOCAL_ID_LENGTH);
      if (!this.#byLocalId.has(routingNumber(id, 0))) return { id, resetToken: this.resetToken(id) };
    }
  }

  assign(id: Uint8Array, connection: Connection): void {
    this.#byLocalId.set(routingNumber(id, 0), connection);
  }

  /** The issuer for one connection, which is not there yet when it needs its first ID. */
  issuer(connection: () => Connection): ConnectionIdIssuer {
    let expected: string | undefined;
    return {
      expectReset: (token) => {
        if (expected !== undefined) this.#byResetToken.delete(expected);
        expected = token === undefined ? undefined : this.#watched(token);
        if (expected !== undefined) this.#byResetToken.set(expected, connection());
      },
      issue: () => {
        const issued = this.create();
        this.assign(issued.id, connection());
        return issued;
      },
      retire: (id) => this.#byLocalId.delete(routingNumber(id, 0)),
    };
  }

  #watched(token: Uint8Array): string {
    return toHex(statelessResetToken(this.#resetKey, token));
  }

  /** The token of a stateless reset for this ID. RFC 9000 §10.3.2. */
  resetToken(id: Uint8Array): Uint8Array {
    return statelessResetToken(this.#resetKey, id);
  }
}

function routingNumber(bytes: Uint8Array, at: number): number {
  const high = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
  const low = (bytes[at + 3]! << 16) | (bytes[at + 4]! << 8) | bytes[at + 5]!;
  return high * 16777216 + low;
}
