import { type Address, sameAddress } from '../base/address.ts';
import { sameBytes } from '../base/cursor.ts';
import { TransportError, TransportErrorCode } from '../base/errors.ts';
import { Ranges } from '../base/ranges.ts';
import { FrameType } from '../wire/frame-type.ts';
import { retireConnectionIdSize, writeRetireConnectionId } from '../wire/frames.ts';
import { type SentFrames, SentKind } from '../wire/sent-frames.ts';

/** A connection ID that the peer chose. */
interface RemoteId {
  readonly sequence: number;
  readonly id: Uint8Array;
  /** Token of a stateless reset; undefined for the handshake's when none was announced. */
  readonly resetToken: Uint8Array | undefined;
}

/** How many ranges of sequence numbers are remembered; a peer that counts as it should needs one. */
const MAX_SEEN_RANGES = 64;

/** The connection IDs by which this endpoint reaches the peer, RFC 9000 §5.1. */
export class RemoteConnectionIds {
  /** Told of the reset token to watch for. */
  readonly #expectReset: (token: Uint8Array | undefined) => void;
  /** In use. Its reset token, and no other, is watched for. */
  #current: RemoteId;
  /** Offered by the peer and not used yet, ascending by sequence. */
  #spare: RemoteId[] = [];
  /** For probes of an address that isn't the one in use. RFC 9000 §9.5: no two addresses are to be linked by an ID. */
  #probe: RemoteId | undefined;
  #probedAddress: Address | undefined;
  /** Sequence numbers that were ever offered: one that was and is not here any more has been retired. */
  readonly #seen = new Ranges();
  /** Sequence numbers below this are retired. */
  #retirePriorTo = 0;
  /** Retired here, RETIRE_CONNECTION_ID not sent. */
  #unsentRetirements: number[] = [];
  /** Retirements sent and not acknowledged; bounds what a peer can make us queue (RFC 9000 §5.1.2). */
  #outstandingRetirements = 0;
  /** How many may be active at once: this endpoint's active_connection_id_limit. */
  readonly #limit: number;

  constructor(initial: Uint8Array, limit: number, expectReset: (token: Uint8Array | undefined) => void) {
    this.#expectReset = expectReset;
    this.#current = { sequence: 0, id: initial, resetToken: undefined };
    this.#seen.add(0, 1);
    this.#limit = limit;
  }

  /** The connection ID to put on packets. */
  get current(): Uint8Array {
    return this.#current.id;
  }

  /** During the handshake: the peer's first packet, or a Retry, named its connection ID. */
  replaceInitial(id: Uint8Array): void {
    this.#use({ sequence: 0, id, resetToken: undefined });
  }

  /** The stateless_reset_token transport parameter, RFC 9000 §18.2. */
  setInitialResetToken(resetToken: Uint8Array): void {
    if (this.#current.sequence === 0) this.#use({ ...this.#current, resetToken });
  }

  #use(next: RemoteId): void {
    if (next.resetToken !== this.#current.resetToken) this.#expectReset(next.resetToken);
    this.#current = next;
  }

  /**
   * NEW_CONNECTION_ID arrived, RFC 9000 §19.15. Takes copies.
   * @throws TransportError PROTOCOL_VIOLATION or CONNECTION_ID_LIMIT_ERROR.
   */
  add(sequence: number, retirePriorTo: number, id: Uint8Array, resetToken: Uint8Array): void {
    if (this.#current.id.length === 0) violation('a connection ID for a peer that uses none');
    this.#checkConsistent(sequence, id, resetToken);
    const isNew = !this.#seen.has(sequence);
    this.#seen.add(sequence, sequence + 1);
    if (this.#seen.count > MAX_SEEN_RANGES) this.#seen.dropLowest(1);
    if (retirePriorTo > this.#retirePriorTo) this.#retireBelow(retirePriorTo);
    if (isNew && sequence < this.#retirePriorTo) {
      this.#retire(sequence);
    } else if (isNew) {
      const place = this.#spare.findIndex((other) => other.sequence > sequence);
      const entry = { sequence, id: id.slice(), resetToken: resetToken.slice() };
      this.#spare.splice(place < 0 ? this.#spare.length : place, 0, entry);
    }
    if (this.#current.sequence < this.#retirePriorTo) this.#switchFromRetired();
    const active = 1 + this.#spare.length + (this.#probe === undefined ? 0 : 1);
    if (active > this.#limit) limitExceeded('more connection IDs than active_connection_id_limit');
  }

  #checkConsistent(sequence: number, id: Uint8Array, resetToken: Uint8Array): void {
    for (const known of [this.#current, this.#probe ?? this.#current, ...this.#spare]) {
      if ((known.sequence === sequence) !== sameBytes(known.id, id)) violation('a connection ID given twice');
      if (known.sequence !== sequence || known.resetToken === undefined) continue;
      if (!sameBytes(known.resetToken, resetToken)) violation('a connection ID with another reset token');
    }
  }

  #retireBelow(limit: number): void {
    this.#retirePriorTo = limit;
    if (this.#probe !== undefined && this.#probe.sequence < limit) {
      this.#retire(this.#probe.sequence);
      this.#probe = undefined;
    }
    const kept: RemoteId[] = [];
    for (const entry of this.#spare) {
      if (entry.sequence < limit) this.#retire(entry.sequence);
      else kept.push(entry);
    }
    this.#spare = kept;
  }

  #switchFromRetired(): void {
    const next = this.#spare.shift() ?? this.#probe;
    if (next === undefined) violation('retires every connection ID');
    if (next === this.#probe) this.#probe = undefined;
    this.#retire(this.#current.sequence);
    this.#use(next);
  }

  #retire(sequence: number): void {
    if (this.#isRetirementFull) limitExceeded('too many retired connection IDs outstanding');
    this.#unsentRetirements.push(sequence);
  }

  get #isRetirementFull(): boolean {
    return this.#unsentRetirements.length + this.#outstandingRetirements >= 4 * this.#limit;
  }

  /**
   * Goes on with another connection ID at address `to`, when the path changes: with the one that it was probed with, or the next
   * spare one. Returns false when there is none. RFC 9000 §9.5.
   */
  rotate(to: Address): boolean {
    const probed = this.#isProbed(to);
    const next = probed ? this.#probe : this.#spare[0];
    if (next === undefined || this.#isRetirementFull) return false;
    if (probed) this.#probe = undefined;
    else this.#spare.shift();
    this.#retire(this.#current.sequence);
    this.#use(next);
    return true;
  }

  /** The connection ID for a probe of an address that isn't the one in use: of its own, as long as there is a spare one. */
  forProbe(to: Address): Uint8Array {
    if (this.#isProbed(to)) return this.#probe!.id;
    if (this.#spare.length === 0 || this.#isRetirementFull) return this.current;
    this.retireProbe();
    this.#probe = this.#spare.shift()!;
    this.#probedAddress = to;
    return this.#probe.id;
  }

  #isProbed(address: Address): boolean {
    return this.#probe !== undefined && sameAddress(this.#probedAddress!, address);
  }

  /** No probe goes to where the last one went any more. RFC 9000 §5.1.2. */
  retireProbe(): void {
    if (this.#probe === undefined || this.#isRetirementFull) return;
    this.#retire(this.#probe.sequence);
    this.#probe = undefined;
  }

  /** Whether the 16 bytes at `at` are the stateless reset token of the connection ID in use. RFC 9000 §10.3.1. */
  isResetToken(bytes: Uint8Array, at: number): boolean {
    const token = this.#current.resetToken;
    if (token === undefined) return false;
    // All of it, always: how long it takes must not tell how much was right.
    let difference = 0;
    for (let i = 0; i < 16; i++) difference |= token[i]! ^ bytes[at + i]!;
    return difference === 0;
  }

  /** Watches for no stateless reset any more: the connection is over. */
  forget(): void {
    this.#use({ ...this.#current, resetToken: undefined });
  }

  get wantsSend(): boolean {
    return this.#unsentRetirements.length > 0;
  }

  /** Writes the RETIRE_CONNECTION_ID frames that fit into [at, end). */
  writeFrames(bytes: Uint8Array, at: number, end: number, sent: SentFrames): number {
    let next = at;
    while (this.#unsentRetirements.length > 0) {
      const sequence = this.#unsentRetirements[0]!;
      if (next + retireConnectionIdSize(sequence) > end) return next;
      next = writeRetireConnectionId(bytes, next, sequence);
      sent.add(SentKind.RETIRE_CONNECTION_ID, 0, sequence, 0);
      this.#unsentRetirements.shift();
      this.#outstandingRetirements++;
    }
    return next;
  }

  onRetirementAcked(): void {
    if (this.#outstandingRetirements > 0) this.#outstandingRetirements--;
  }

  onRetirementLost(sequence: number): void {
    if (this.#outstandingRetirements > 0) this.#outstandingRetirements--;
    if (!this.#unsentRetirements.includes(sequence)) this.#unsentRetirements.push(sequence);
  }
}

function violation(reason: string): never {
  throw new TransportError(TransportErrorCode.PROTOCOL_VIOLATION, reason, FrameType.NEW_CONNECTION_ID);
}

function limitExceeded(reason: string): never {
  throw new TransportError(TransportErrorCode.CONNECTION_ID_LIMIT_ERROR, reason, FrameType.NEW_CONNECTION_ID);
}
