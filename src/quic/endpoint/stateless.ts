import type { Address } from '../base/address.ts';
import type { TransmitBatch } from '../base/batch.ts';
import { type Random, randomBytes } from '../base/random.ts';
import { retryIntegrityTag } from '../crypto/retry.ts';
import { type Header, RETRY_TAG_LENGTH, writeRetry, writeVersionNegotiation } from '../wire/header.ts';

/** How many answers may wait: what a flood asks for beyond that is dropped. */
const MAX_WAITING = 64;
/** A stateless reset looks like a short packet: 5 bytes of noise at the least, and a token. RFC 9000 §10.3. */
export const MIN_RESET = 21;
const MAX_RESET = 43;
const TOKEN_LENGTH = 16;

interface Answer {
  readonly remote: Address;
  readonly bytes: Uint8Array;
}

/** Answers that need no connection: Version Negotiation, Retry, refusal, stateless reset. */
export class StatelessAnswers {
  readonly #random: Random;
  #waiting: Answer[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  /** Whether one more answer would be kept. */
  get hasRoom(): boolean {
    return this.#waiting.length < MAX_WAITING;
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
  versionNegotiation(remote: Address, bytes: Uint8Array, header: Header, spoken: readonly number[]): void {
    if (!this.hasRoom) return;
    const random = randomBytes(this.#random, 5);
    const grease = ((random[1]! << 24) | (random[2]! << 16) | (random[3]! << 8) | random[4]!) & 0xf0f0f0f0;
    const versions = [...spoken, (grease | 0x0a0a0a0a) >>> 0];
    const out = new Uint8Array(1024);
    const dcid = bytes.subarray(header.scidStart, header.scidStart + header.scidLength);
    const scid = bytes.subarray(header.dcidStart, header.dcidStart + header.dcidLength);
    this.#push(remote, out.subarray(0, writeVersionNegotiation(out, 0, dcid, scid, versions, random[0]!)));
  }

  /** Asks the client to come back with `token`. RFC 9000 §8.1.2. */
  retry(
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
    this.#push(remote, out.subarray(0, end + RETRY_TAG_LENGTH));
  }

  /**
   * Tells the peer that the connection it speaks of is not known here. Always shorter than what provoked it, so that two
   * endpoints cannot reset each other in circles. RFC 9000 §10.3.3.
   */
  reset(remote: Address, token: Uint8Array, provokedBy: number): void {
    const length = Math.min(provokedBy - 1, MAX_RESET);
    if (length < MIN_RESET) return;
    const out = randomBytes(this.#random, length);
    out[0] = (out[0]! & 0x3f) | 0x40;
    out.set(token, length - TOKEN_LENGTH);
    this.#push(remote, out);
  }

  /** Tells a client that it gets no connection, in a packet of `refusalPacket`. */
  refusal(remote: Address, packet: Uint8Array): void {
    this.#push(remote, packet);
  }

  #push(remote: Address, bytes: Uint8Array): void {
    if (this.hasRoom) this.#waiting.push({ remote, bytes });
  }
}
