import type { Address } from '../base/address.ts';
import { sameBytes } from '../base/cursor.ts';
import { TransportErrorCode } from '../base/errors.ts';
import type { Millis } from '../base/time.ts';
import type { Connection } from '../connection/connection.ts';
import { isNamed, type TokenSealer } from '../crypto/token.ts';
import { CreationRates } from './creation-rates.ts';
import { Crowd } from './crowd.ts';
import type { EndpointLimits } from './limits.ts';
import { remoteHost } from './remote-host.ts';

/** When a server answers a first Initial with a Retry: never, always, or while many handshakes are under way. */
export type RetryPolicy = 'never' | 'always' | 'when-busy';

/** Handshakes under way at once that count as busy: in total, and for one remote host. */
const BUSY_HANDSHAKES = 256;
const BUSY_HANDSHAKES_PER_HOST = 64;
/** Handshakes under way at once, however real their addresses are: in total, and for one remote host. */
const MAX_HANDSHAKES = 1024;
const MAX_HANDSHAKES_PER_HOST = 256;
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
/** The client's address may be forged. */
const UNPROVEN: Decision = { type: 'accept', originalId: undefined, validated: false };
const PROVEN: Decision = { type: 'accept', originalId: undefined, validated: true };

/** Decides what becomes of a client's first Initial: how much a stranger may make this endpoint remember. RFC 9000 §8.1, §21. */
export class Admission {
  readonly #tokens: TokenSealer;
  readonly #limits: EndpointLimits;
  readonly #rates: CreationRates;
  /** Accepted connections, all of them and by remote host. */
  readonly #all = new Crowd();
  readonly #byHost = new Map<string, Crowd>();
  /** The host that each accepted connection came from. */
  readonly #hosts = new Map<Connection, string>();

  constructor(tokens: TokenSealer, limits: EndpointLimits) {
    this.#tokens = tokens;
    this.#limits = limits;
    this.#rates = new CreationRates(limits);
  }

  decide(now: Millis, remote: Address, id: Uint8Array, token: Uint8Array, policy: RetryPolicy): Decision {
    if (this.#isFull()) return FULL;
    const decision = token.length === 0 ? undefined : this.#byToken(now, remote, id, token);
    if (decision?.type === 'refuse') return decision;
    const crowd = this.#byHost.get(remoteHost(remote));
    if (decision === undefined && (policy === 'always' || (policy === 'when-busy' && this.#isBusy(crowd))))
      return RETRY;
    return this.#isHostFull(crowd) ? FULL : (decision ?? UNPROVEN);
  }

  /** What the token says; undefined when it says nothing. */
  #byToken(now: Millis, remote: Address, id: Uint8Array, token: Uint8Array): Decision | undefined {
    const opened = this.#tokens.open(token, remote.host, remote.port);
    if (opened?.kind === 'retry') return this.#afterRetry(now, id, opened.issuedAt, opened.payload);
    if (opened?.kind === 'new_token' && now - opened.issuedAt <= NEW_TOKEN_LIFETIME) return PROVEN;
    // The token and the ID of one Retry, which no longer open: the client's port or this server's secret is another now. It
    // would ignore another Retry. No other token has the ID in it that the client chose at random. RFC 9000 §8.1.2.
    return opened === undefined && isNamed(token, 'retry', id) ? BAD_TOKEN : undefined;
  }

  #afterRetry(now: Millis, id: Uint8Array, issuedAt: Millis, payload: Uint8Array): Decision {
    const originalLength = payload[0]!;
    const originalId = payload.slice(1, 1 + originalLength);
    const isOurs = sameBytes(payload.subarray(1 + originalLength), id);
    if (!isOurs || now - issuedAt > RETRY_TOKEN_LIFETIME) return BAD_TOKEN;
    return { type: 'accept', originalId, validated: true };
  }

  /** Whether nobody may come any more. */
  #isFull(): boolean {
    const { busy, maxConnectionsTotal } = this.#limits;
    if (busy || this.#all.hasHandshakes(MAX_HANDSHAKES)) return true;
    return maxConnectionsTotal > 0 && this.#all.hasOpen(maxConnectionsTotal);
  }

  #isHostFull(crowd: Crowd | undefined): boolean {
    if (crowd === undefined) return false;
    const { maxConnectionsPerHost } = this.#limits;
    if (maxConnectionsPerHost > 0 && crowd.hasOpen(maxConnectionsPerHost)) return true;
    return crowd.hasHandshakes(MAX_HANDSHAKES_PER_HOST);
  }

  /**
   * Whether many handshakes are under way, in total or with one host. Of the connections that there may be, only half are given to who
   * has not proved to be there: whoever forges addresses leaves the other half to their owners.
   */
  #isBusy(crowd: Crowd | undefined): boolean {
    const { maxConnectionsTotal, maxConnectionsPerHost } = this.#limits;
    if (this.#all.hasHandshakes(Math.min(BUSY_HANDSHAKES, halfOf(maxConnectionsTotal)))) return true;
    return crowd?.hasHandshakes(Math.min(BUSY_HANDSHAKES_PER_HOST, halfOf(maxConnectionsPerHost))) ?? false;
  }

  /** Whether the remote host has not started too many connections lately; counts another one. */
  mayCreate(now: Millis, remote: Address): boolean {
    return this.#rates.take(now, remoteHost(remote));
  }

  onAccepted(connection: Connection, remote: Address): void {
    const host = remoteHost(remote);
    let crowd = this.#byHost.get(host);
    if (crowd === undefined) {
      crowd = new Crowd();
      this.#byHost.set(host, crowd);
    }
    this.#hosts.set(connection, host);
    this.#all.add(connection);
    crowd.add(connection);
  }

  onForgotten(connection: Connection): void {
    const host = this.#hosts.get(connection)!;
    const crowd = this.#byHost.get(host);
    this.#hosts.delete(connection);
    this.#all.remove(connection);
    crowd?.remove(connection);
    if (crowd?.isEmpty) this.#byHost.delete(host);
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

/** Half of a limit on connections, of which 0 is none. */
function halfOf(limit: number): number {
  return limit === 0 ? Number.POSITIVE_INFINITY : Math.ceil(limit / 2);
}
