import type { Address } from '../base/address.ts';
import type { TransmitBatch } from '../base/batch.ts';
import { Deque } from '../base/deque.ts';
import { type Random, randomBytes } from '../base/random.ts';
import type { Millis } from '../base/time.ts';
import { MIN_RESETTABLE } from '../connection/compose.ts';
import { retryIntegrityTag } from '../crypto/retry.ts';
import { type Header, RETRY_TAG_LENGTH, writeRetry, writeVersionNegotiation } from '../wire/header.ts';
import type { EndpointCounters } from './counters.ts';
import type { EndpointLimits } from './limits.ts';
import { TokenBucket } from './token-bucket.ts';

/** How many answers may wait: what a flood asks for beyond that is dropped. */
const MAX_WAITING = 64;
/** A stateless reset looks like a short packet: 5 bytes of noise at the least, and a token. RFC 9000 §10.3. */
export const MIN_RESET = 21;
/**
 * Bytes of the resets sent here. What is no longer than that is not answered, so no reset is ever the answer to one: two endpoints
 * that know nothing of each other exchange one and fall silent, whatever the link duplicates. RFC 9000 §10.3.3.
 */
export const RESET_LENGTH = MIN_RESETTABLE - 1;
const TOKEN_LENGTH = 16;

/** Answers by what limits them. */
export type AnswerKind = 'retry' | 'versionNegotiation' | 'statelessReset' | 'immediateClose';

interface Answer {
  readonly remote: Address;
  readonly bytes: Uint8Array;
}

/**
 * Answers that need no connection: Version Negotiation, Retry, refusal, stateless reset. Each kind has a rate of its own, because each
 * is sent to an address that may be forged. Before one is made, `allows` must have been asked.
 */
export class StatelessAnswers {
  readonly #random: Random;
  readonly #counters: EndpointCounters;
  readonly #buckets: Readonly<Record<AnswerKind, TokenBucket>>;
  readonly #waiting = new Deque<Answer>();

  constructor(random: Random, limits: EndpointLimits, counters: EndpointCounters) {
    this.#random = random;
    this.#counters = counters;
    this.#buckets = {
      retry: new TokenBucket(limits.retryRate, limits.retryBurst),
      versionNegotiation: new TokenBucket(limits.versionNegotiationRate, limits.versionNegotiationBurst),
      statelessReset: new TokenBucket(limits.statelessResetRate, limits.statelessResetBurst),
      immediateClose: new TokenBucket(limits.immediateCloseRate, limits.immediateCloseBurst),
    };
  }

  /** Whether another answer of this kind may be given. Costs little: what it takes to make the answer comes behind it. */
  allows(now: Millis, kind: AnswerKind): boolean {
    if (this.#waiting.length < MAX_WAITING && this.#buckets[kind].has(now)) return true;
    this.#counters[`${kind}RateLimited`]++;
    return false;
  }

  /** Moves one answer into `out`; false when there is none. */
  poll(out: TransmitBatch): boolean {
    const answer = this.#waiting.shift();
    if (answer === undefined) return false;
    out.clear();
    out.arena.bytes.set(answer.bytes);
    out.length = answer.bytes.length;
    out.segmentSize = answer.bytes.length;
    out.destination = answer.remote;
    return true;
  }

  /** Lists the versions that the server speaks, and a reserved one that keeps clients honest. RFC 9000 §6. */
  versionNegotiation(now: Millis, remote: Address, bytes: Uint8Array, header: Header, spoken: readonly number[]): void {
    const random = randomBytes(this.#random, 5);
    const grease = ((random[1]! << 24) | (random[2]! << 16) | (random[3]! << 8) | random[4]!) & 0xf0f0f0f0;
    const versions = [...spoken, (grease | 0x0a0a0a0a) >>> 0];
    const out = new Uint8Array(1024);
    const dcid = bytes.subarray(header.scidStart, header.scidStart + header.scidLength);
    const scid = bytes.subarray(header.dcidStart, header.dcidStart + header.dcidLength);
    this.#push(
      now,
      'versionNegotiation',
      remote,
      out.subarray(0, writeVersionNegotiation(out, 0, dcid, scid, versions, random[0]!)),
    );
  }

  /** Asks the client to come back with `token`. RFC 9000 §8.1.2. */
  retry(
    now: Millis,
    remote: Address,
    version: number,
    clientId: Uint8Array,
    retryId: Uint8Array,
    originalId: Uint8Array,
    token: Uint8Array,
  ): void {
    const out = new Uint8Array(64 + clientId.length + retryId.length + token.length);
    const end = writeRetry(out, 0, version, clientId, retryId, token);
    out.set(retryIntegrityTag(version, originalId, out.subarray(0, end)), end);
    this.#push(now, 'retry', remote, out.subarray(0, end + RETRY_TAG_LENGTH));
  }

  /** Tells the peer that the connection it speaks of, in a packet of more than RESET_LENGTH bytes, is not known here. RFC 9000 §10.3. */
  reset(now: Millis, remote: Address, token: Uint8Array): void {
    const out = randomBytes(this.#random, RESET_LENGTH);
    out[0] = (out[0]! & 0x3f) | 0x40;
    out.set(token, RESET_LENGTH - TOKEN_LENGTH);
    this.#push(now, 'statelessReset', remote, out);
  }

  /** Tells a client that it gets no connection, in a packet of `refusalPacket`. */
  refusal(now: Millis, remote: Address, packet: Uint8Array): void {
    this.#push(now, 'immediateClose', remote, packet);
  }

  #push(now: Millis, kind: AnswerKind, remote: Address, bytes: Uint8Array): void {
    this.#buckets[kind].take(now);
    this.#counters[`${kind}Count`]++;
    this.#waiting.push({ remote, bytes });
  }
}
