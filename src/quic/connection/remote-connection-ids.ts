import { sameBytes } from '../base/cursor.ts';
import { TransportError, TransportErrorCode } from '../base/errors.ts';
import { FrameType } from '../wire/frame-type.ts';
import { retireConnectionIdSize, writeRetireConnectionId } from '../wire/frames.ts';
import { type SentFrames, SentKind } from '../wire/sent-frames.ts';

/** A connection ID that the peer chose. */
interface RemoteId {
  readonly sequence: number;
  readonly id: Uint8Array;
  /** Token of a stateless reset; undefined for the handshake's when none was announced. */
  resetToken: Uint8Array | undefined;
}

/** The connection IDs by which this endpoint reaches the peer, RFC 9000 §5.1. */
export class RemoteConnectionIds {
  /** In use. */
  #current: RemoteId;
  /** Offered by the peer and not used yet, ascending by sequence. */
  #spare: RemoteId[] = [];
  /** Sequence numbers below this are retired. */
  #retirePriorTo = 0;
  /** Retired here, RETIRE_CONNECTION_ID not sent. */
  #unsentRetirements: number[] = [];
  /** Retirements sent and not acknowledged; bounds what a peer can make us queue (RFC 9000 §5.1.2). */
  #outstandingRetirements = 0;
  /** How many may be active at once: this endpoint's active_connection_id_limit. */
  readonly #limit: number;

  constructor(initial: Uint8Array, limit: number) {
    this.#current = { sequence: 0, id: initial, resetToken: undefined };
    this.#limit = limit;
  }

  /** The connection ID to put on packets. */
  get current(): Uint8Array {
    return this.#current.id;
  }

  /** During the handshake: the peer's first packet, or a Retry, named its connection ID. */
  replaceInitial(id: Uint8Array): void {
    this.#current = { sequence: 0, id, resetToken: undefined };
  }

  /** The stateless_reset_token transport parameter, RFC 9000 §18.2. */
  setInitialResetToken(token: Uint8Array): void {
    if (this.#current.sequence === 0) this.#current.resetToken = token;
  }

  /**
   * NEW_CONNECTION_ID arrived, RFC 9000 §19.15. Takes copies.
   * @throws TransportError PROTOCOL_VIOLATION or CONNECTION_ID_LIMIT_ERROR.
   */
  add(sequence: number, retirePriorTo: number, id: Uint8Array, resetToken: Uint8Array): void {
    if (this.#current.id.length === 0) this.#violation('a connection ID for a peer that uses none');
    const known = this.#find(sequence);
    if (known !== undefined) {
      const sameToken = known.resetToken === undefined || sameBytes(known.resetToken, resetToken);
      if (!sameBytes(known.id, id) || !sameToken) this.#violation('a sequence number given twice');
    }
    for (const other of [this.#current, ...this.#spare]) {
      if (other.sequence !== sequence && sameBytes(other.id, id)) this.#violation('a connection ID given twice');
    }
    if (retirePriorTo > this.#retirePriorTo) this.#retireBelow(retirePriorTo);
    if (sequence < this.#retirePriorTo) {
      if (known === undefined) this.#retire(sequence);
    } else if (known === undefined && !this.#unsentRetirements.includes(sequence)) {
      const place = this.#spare.findIndex((other) => other.sequence > sequence);
      this.#spare.splice(place < 0 ? this.#spare.length : place, 0, {
        sequence,
        id: id.slice(),
        resetToken: resetToken.slice(),
      });
    }
    if (this.#current.sequence < this.#retirePriorTo) this.#switchFromRetired();
    if (1 + this.#spare.length > this.#limit) {
      throw new TransportError(
        TransportErrorCode.CONNECTION_ID_LIMIT_ERROR,
        'more connection IDs than active_connection_id_limit',
        FrameType.NEW_CONNECTION_ID,
      );
    }
  }

  #find(sequence: number): RemoteId | undefined {
    if (this.#current.sequence === sequence) return this.#current;
    return this.#spare.find((other) => other.sequence === sequence);
  }

  #retireBelow(limit: number): void {
    this.#retirePriorTo = limit;
    const kept: RemoteId[] = [];
    for (const entry of this.#spare) {
      if (entry.sequence < limit) this.#retire(entry.sequence);
      else kept.push(entry);
    }
    this.#spare = kept;
  }

  #switchFromRetired(): void {
    const next = this.#spare.shift();
    if (next === undefined) this.#violation('retires every connection ID');
    this.#retire(this.#current.sequence);
    this.#current = next;
  }

  #retire(sequence: number): void {
    if (this.#unsentRetirements.length + this.#outstandingRetirements >= 4 * this.#limit) {
      throw new TransportError(
        TransportErrorCode.CONNECTION_ID_LIMIT_ERROR,
        'too many retired connection IDs outstanding',
        FrameType.NEW_CONNECTION_ID,
      );
    }
    this.#unsentRetirements.push(sequence);
  }

  #violation(reason: string): never {
    throw new TransportError(TransportErrorCode.PROTOCOL_VIOLATION, reason, FrameType.NEW_CONNECTION_ID);
  }

  /** Uses the next spare connection ID, when the path changes; returns false when there is none. RFC 9000 §9.5. */
  rotate(): boolean {
    const next = this.#spare.shift();
    if (next === undefined) return false;
    this.#retire(this.#current.sequence);
    this.#current = next;
    return true;
  }

  /** Whether the 16 bytes at `at` are the stateless reset token of the connection ID in use. RFC 9000 §10.3.1. */
  isResetToken(bytes: Uint8Array, at: number): boolean {
    const token = this.#current.resetToken;
    if (token === undefined || token[0] !== bytes[at]) return false;
    let difference = 0;
    for (let i = 0; i < 16; i++) difference |= token[i]! ^ bytes[at + i]!;
    return difference === 0;
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
