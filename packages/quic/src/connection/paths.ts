import { type Address, sameAddress } from '../base/address.ts';
import { sameBytes } from '../base/cursor.ts';
import { type Random, randomBytes } from '../base/random.ts';
import { type Millis, NEVER } from '../base/time.ts';

/** How many PATH_RESPONSE frames may wait: a peer that floods challenges gets only the newest answered. */
const MAX_RESPONSES = 8;
/** How often a challenge is sent before the path counts as failed. */
const MAX_CHALLENGES = 3;

/** One remote address that the connection uses, with its anti-amplification account. RFC 9000 §8.1. */
export class Path {
  readonly remote: Address;
  /** Whether the peer has shown that it receives there. */
  validated: boolean;
  bytesReceived = 0;
  bytesSent = 0;

  constructor(remote: Address, validated: boolean) {
    this.remote = remote;
    this.validated = validated;
  }

  /** How many bytes may be sent now: three times what came, until the address is validated. */
  get allowance(): number {
    return this.validated ? Number.POSITIVE_INFINITY : Math.max(0, 3 * this.bytesReceived - this.bytesSent);
  }
}

/** A PATH_CHALLENGE to be answered, on the path that it came by. */
export interface PathResponse {
  readonly remote: Address;
  readonly data: Uint8Array;
  /** How large the answer's datagram may be where the address isn't the active one: three times what came. */
  readonly limit: number;
}

/** A PATH_CHALLENGE sent on the active path. */
interface PathChallenge {
  readonly data: Uint8Array;
  /** Whether its datagram was as large as every path must carry: an answer to a smaller one says nothing of the path MTU. */
  readonly full: boolean;
}

/** Which address the connection uses, and the validation of a new one. RFC 9000 §8.2 and §9. */
export class Paths {
  active: Path;
  /** The last validated path, to return to when the new one fails. */
  #previous: Path | undefined;
  /** Whether the path just left must be asked whether the peer is still there. */
  #recheck = false;
  readonly #random: Random;
  /** The challenges sent on the active path and not answered. */
  #challenges: PathChallenge[] = [];
  #challengesSent = 0;
  /** When the next challenge goes out, or the validation has failed. */
  #challengeAt: Millis = NEVER;
  #responses: PathResponse[] = [];
  /** The packet that the newest of #responses answers. */
  #challengePacket = -1;

  constructor(remote: Address, validated: boolean, random: Random) {
    this.active = new Path(remote, validated);
    this.#random = random;
  }

  /** Whether `remote` is the active path's. */
  isActive(remote: Address): boolean {
    return sameAddress(remote, this.active.remote);
  }

  /** The peer sent a non-probing packet from another address: follows it there, and asks whether it is really there. */
  migrate(now: Millis, remote: Address, datagramSize: number): void {
    if (this.#previous !== undefined && sameAddress(this.#previous.remote, remote)) {
      this.revert();
      return;
    }
    if (this.active.validated) {
      this.#previous = this.active;
      this.#recheck = true;
    }
    this.active = new Path(remote, false);
    this.active.bytesReceived = datagramSize;
    this.#challenges = [];
    this.#challengesSent = 0;
    this.#challengeAt = now;
  }

  /** When to send the next challenge or to give the path up. */
  timeout(): Millis {
    return this.#challengeAt;
  }

  /** Whether a challenge is due on the active path. */
  challengeDue(now: Millis): boolean {
    return now >= this.#challengeAt && this.#challengesSent < MAX_CHALLENGES;
  }

  /**
   * The data of a challenge; when it is one for the active path, the next is due a PTO later, doubling. `full` says that its
   * datagram is as large as every path must carry.
   */
  nextChallenge(now: Millis, pto: Millis, forActive: boolean, full: boolean): Uint8Array {
    const data = randomBytes(this.#random, 8);
    if (!forActive) return data;
    this.#challenges.push({ data, full });
    this.#challengeAt = now + pto * 2 ** this.#challengesSent;
    this.#challengesSent++;
    return data;
  }

  /**
   * The address just left, once after each migration: a challenge there makes a peer that was not the one to move say so
   * (RFC 9000 §9.3.3). Its answer needs no check, for what brings the connection back is the peer's next packet.
   */
  takeRecheck(): Address | undefined {
    if (!this.#recheck) return undefined;
    this.#recheck = false;
    return this.#previous?.remote;
  }

  /** Whether there is a validated path to return to, should the active one fail. */
  get hasWayBack(): boolean {
    return this.#previous !== undefined;
  }

  /** Whether the validation of the active path has failed by now. */
  hasFailed(now: Millis): boolean {
    return now >= this.#challengeAt && this.#challengesSent >= MAX_CHALLENGES;
  }

  /** Returns to the last validated path; false when there is none (RFC 9000 §9.3.2). */
  revert(): boolean {
    this.#challengeAt = NEVER;
    this.#challenges = [];
    this.#recheck = false;
    if (this.#previous === undefined) return false;
    this.active = this.#previous;
    this.#previous = undefined;
    return true;
  }

  /**
   * A PATH_RESPONSE arrived; returns whether it validated the active path. RFC 9000 §8.2.3: where the limit of §8.1 kept the
   * challenge small, the peer is there, but another one must show that full datagrams get there too. The way back stays open.
   */
  onResponse(data: Uint8Array): boolean {
    const answered = this.#challenges.find((sent) => sameBytes(sent.data, data));
    if (answered === undefined) return false;
    this.#challenges = [];
    this.#challengesSent = 0;
    // 0: at once.
    this.#challengeAt = answered.full ? NEVER : 0;
    if (answered.full) this.#previous = undefined;
    const first = !this.active.validated;
    this.active.validated = true;
    return first;
  }

  /**
   * A PATH_CHALLENGE arrived from `remote`, in packet `packetNumber` and a datagram of `datagramSize` bytes. Of several in
   * one packet only the last is answered: an answer is as large as a datagram, and would go to an address unproven.
   */
  onChallenge(remote: Address, data: Uint8Array, packetNumber: number, datagramSize: number): void {
    const again = packetNumber === this.#challengePacket && this.#responses.length > 0;
    if (again) this.#responses.pop();
    else if (this.#responses.length >= MAX_RESPONSES) this.#responses.shift();
    this.#challengePacket = packetNumber;
    this.#responses.push({ remote, data, limit: 3 * datagramSize });
  }

  /** Whether answers, or a challenge for the address left, wait for datagrams of their own. The peer chooses how many there are. */
  get probesWaiting(): boolean {
    return this.#responses.length > 0 || this.#recheck;
  }

  takeResponse(): PathResponse | undefined {
    return this.#responses.shift();
  }
}
