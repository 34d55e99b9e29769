import type { Address } from '../base/address.ts';
import { sameBytes } from '../base/cursor.ts';
import { TransportErrorCode } from '../base/errors.ts';
import type { Millis } from '../base/time.ts';
import type { Connection } from '../connection/connection.ts';
import { isNamed, type TokenSealer } from '../crypto/token.ts';

/** When a server answers a first Initial with a Retry: never, always, or while many handshakes are under way. */
export type RetryPolicy = 'never' | 'always' | 'when-busy';

/** Handshakes under way at once that count as busy. */
const BUSY_HANDSHAKES = 256;
/** A Retry's token is for the very next packet, which may have to be sent often: probes are 1 s and then 2 s apart. */
const RETRY_TOKEN_LIFETIME: Millis = 60_000;
/** RFC 9000 §8.1.3: a NEW_TOKEN's token may be used on a later connection. */
const NEW_TOKEN_LIFETIME: Millis = 24 * 3600 * 1000;

export type Decision =
  /** `originalId` is set when the client comes back from a Retry; `validated` when its address has been shown to be real. */
  | { readonly type: 'accept'; readonly originalId: Uint8Array | undefined; readonly validated: boolean }
  | { readonly type: 'retry' }
  /** `code` is that of the CONNECTION_CLOSE. */
  | { readonly type: 'refuse'; readonly code: number };

/** RFC 9000 §5.2.2. */
const FULL: Decision = { type: 'refuse', code: TransportErrorCode.CONNECTION_REFUSED };
/** RFC 9000 §8.1.2: a client that had a Retry must not wait for nothing. */
const BAD_TOKEN: Decision = { type: 'refuse', code: TransportErrorCode.INVALID_TOKEN };
const RETRY: Decision = { type: 'retry' };

/** Decides what becomes of a client's first Initial: how much a stranger may make this endpoint remember. RFC 9000 §8.1, §21. */
export class Admission {
  readonly #tokens: TokenSealer;
  /** How many accepted connections there are. */
  #connections = 0;
  /** Accepted connections that may still be in their handshakes. */
  readonly #handshaking = new Set<Connection>();

  constructor(tokens: TokenSealer) {
    this.#tokens = tokens;
  }

  decide(
    now: Millis,
    remote: Address,
    id: Uint8Array,
    token: Uint8Array,
    policy: RetryPolicy,
    maxConnections: number,
  ): Decision {
    if (this.#connections >= maxConnections) return FULL;
    if (token.length > 0) {
      const opened = this.#tokens.open(token, remote.host, remote.port);
      if (opened?.kind === 'retry') return this.#afterRetry(now, id, opened.issuedAt, opened.payload);
      if (opened?.kind === 'new_token' && now - opened.issuedAt <= NEW_TOKEN_LIFETIME) {
        return { type: 'accept', originalId: undefined, validated: true };
      }
      // The token and the ID of one Retry, which no longer open: the client's port or this server's secret is another now. It
      // would ignore another Retry. No other token has the ID in it that the client chose at random. RFC 9000 §8.1.2.
      if (opened === undefined && isNamed(token, 'retry', id)) return BAD_TOKEN;
    }
    if (policy === 'always' || (policy === 'when-busy' && this.#isBusy())) return RETRY;
    return { type: 'accept', originalId: undefined, validated: false };
  }

  #afterRetry(now: Millis, id: Uint8Array, issuedAt: Millis, payload: Uint8Array): Decision {
    const originalLength = payload[0]!;
    const originalId = payload.slice(1, 1 + originalLength);
    const isOurs = sameBytes(payload.subarray(1 + originalLength), id);
    if (!isOurs || now - issuedAt > RETRY_TOKEN_LIFETIME) return BAD_TOKEN;
    return { type: 'accept', originalId, validated: true };
  }

  /** Whether many handshakes are under way. */
  #isBusy(): boolean {
    if (this.#handshaking.size < BUSY_HANDSHAKES) return false;
    for (const connection of this.#handshaking) {
      if (connection.state !== 'handshaking') this.#handshaking.delete(connection);
    }
    return this.#handshaking.size >= BUSY_HANDSHAKES;
  }

  onAccepted(connection: Connection): void {
    this.#connections++;
    this.#handshaking.add(connection);
  }

  onForgotten(connection: Connection): void {
    this.#connections--;
    this.#handshaking.delete(connection);
  }

  /** A token that ties the client's address to the two connection IDs, the second of which, of 8 random bytes, is its name. */
  retryToken(now: Millis, remote: Address, originalId: Uint8Array, retryId: Uint8Array): Uint8Array {
    const payload = new Uint8Array(1 + originalId.length + retryId.length);
    payload[0] = originalId.length;
    payload.set(originalId, 1);
    payload.set(retryId, 1 + originalId.length);
    return this.#tokens.seal('retry', remote.host, remote.port, now, payload, retryId);
  }

  /** A token for the client's next connection from the same host. */
  newToken(now: Millis, remote: Address): Uint8Array {
    return this.#tokens.seal('new_token', remote.host, 0, now, new Uint8Array(0));
  }
}
