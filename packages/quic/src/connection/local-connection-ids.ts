import { sameBytes } from '../base/cursor.ts';
import { TransportError, TransportErrorCode } from '../base/errors.ts';
import { FrameType } from '../wire/frame-type.ts';
import { newConnectionIdSize, writeNewConnectionId } from '../wire/frames.ts';
import { type SentFrames, SentKind } from '../wire/sent-frames.ts';

/** Length of every connection ID that this implementation issues, in bytes. */
export const LOCAL_ID_LENGTH = 8;

/** A connection ID that this endpoint chose, with the token that a stateless reset of it would carry. */
export interface IssuedConnectionId {
  readonly id: Uint8Array;
  readonly resetToken: Uint8Array;
}

/** The endpoint's side: makes connection IDs that route to this connection, and forgets them. */
export interface ConnectionIdIssuer {
  issue(): IssuedConnectionId;
  retire(id: Uint8Array): void;
  /** Routes datagrams that end in this stateless reset token of the peer's here, and those of an earlier one no more. */
  expectReset(token: Uint8Array | undefined): void;
}

/** How many connection IDs this endpoint offers at most, whatever more the peer would keep. */
const OFFERED = 4;
/** How many that the peer has retired still route here, for packets that were overtaken on their way. */
const LINGERING = 4;

/** The connection IDs by which the peer reaches this connection, RFC 9000 §5.1. */
export class LocalConnectionIds {
  readonly #issuer: ConnectionIdIssuer;
  /** Those that are not retired, by sequence number. At most OFFERED. */
  readonly #active = new Map<number, IssuedConnectionId>();
  /**
   * The last few that were retired, oldest first. Packets sent before RETIRE_CONNECTION_ID may arrive behind it: unrouted, they
   * would be lost and answered with a stateless reset, which is not for a connection that lives (RFC 9000 §10.3).
   */
  readonly #lingering: Uint8Array[] = [];
  /** The sequence number that the next one gets. */
  #nextSequence = 1;
  /** Sequence numbers whose NEW_CONNECTION_ID waits to be sent, or sent again. */
  #unsent: number[] = [];
  /** The highest sequence number that was ever sent. */
  #highestSent = 0;
  /** How many the peer keeps: its active_connection_id_limit. */
  #limit = 1;

  constructor(issuer: ConnectionIdIssuer, first: IssuedConnectionId) {
    this.#issuer = issuer;
    this.#active.set(0, first);
  }

  /** The peer's active_connection_id_limit is known: offers more. */
  setPeerLimit(limit: number): void {
    this.#limit = Math.min(limit, OFFERED);
    this.#offer();
  }

  #offer(): void {
    while (this.#active.size < this.#limit) {
      const sequence = this.#nextSequence++;
      this.#active.set(sequence, this.#issuer.issue());
      this.#unsent.push(sequence);
    }
  }

  get wantsSend(): boolean {
    return this.#unsent.length > 0;
  }

  /** Writes the NEW_CONNECTION_ID frames that fit into [at, end). */
  writeFrames(bytes: Uint8Array, at: number, end: number, sent: SentFrames): number {
    let next = at;
    while (this.#unsent.length > 0) {
      const sequence = this.#unsent[0]!;
      const entry = this.#active.get(sequence);
      if (entry !== undefined) {
        if (next + newConnectionIdSize(sequence, 0, entry.id.length) > end) return next;
        next = writeNewConnectionId(bytes, next, sequence, 0, entry.id, entry.resetToken);
        sent.add(SentKind.NEW_CONNECTION_ID, 0, sequence, 0);
        this.#highestSent = Math.max(this.#highestSent, sequence);
      }
      this.#unsent.shift();
    }
    return next;
  }

  onLost(sequence: number): void {
    if (this.#active.has(sequence) && !this.#unsent.includes(sequence)) this.#unsent.push(sequence);
  }

  /**
   * RETIRE_CONNECTION_ID arrived in a packet addressed to `packetId`; RFC 9000 §19.16.
   * @throws TransportError PROTOCOL_VIOLATION for one never sent, or the very one that the packet used.
   */
  onRetire(sequence: number, packetId: Uint8Array): void {
    if (sequence > this.#highestSent) violation('retires a connection ID never issued');
    const entry = this.#active.get(sequence);
    if (entry === undefined) return;
    if (sameBytes(entry.id, packetId)) violation('retires the connection ID it came with');
    this.#active.delete(sequence);
    this.#lingering.push(entry.id);
    if (this.#lingering.length > LINGERING) this.#issuer.retire(this.#lingering.shift()!);
    this.#offer();
  }

  /** Forgets them all: the connection is over. */
  retireAll(): void {
    for (const entry of this.#active.values()) this.#issuer.retire(entry.id);
    for (const id of this.#lingering) this.#issuer.retire(id);
    this.#active.clear();
    this.#lingering.length = 0;
    this.#unsent = [];
  }
}

function violation(reason: string): never {
  throw new TransportError(TransportErrorCode.PROTOCOL_VIOLATION, reason, FrameType.RETIRE_CONNECTION_ID);
}
