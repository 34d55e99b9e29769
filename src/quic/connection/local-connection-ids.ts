import { sameBytes } from '../base/cursor.ts';
import { TransportError, TransportErrorCode } from '../base/errors.ts';
import { FrameType } from '../wire/frame-type.ts';
import { newConnectionIdSize, writeNewConnectionId } from '../wire/frames.ts';
import { type SentFrames, SentKind } from '../wire/sent-frames.ts';

/** A connection ID that this endpoint chose, with the token that a stateless reset of it would carry. */
export interface IssuedConnectionId {
  readonly id: Uint8Array;
  readonly resetToken: Uint8Array;
}

/** The endpoint's side: makes connection IDs that route to this connection, and forgets them. */
export interface ConnectionIdIssuer {
  issue(): IssuedConnectionId;
  retire(id: Uint8Array): void;
}

/** How many connection IDs this endpoint offers at most, whatever more the peer would keep. */
const OFFERED = 4;

/** The connection IDs by which the peer reaches this connection, RFC 9000 §5.1. */
export class LocalConnectionIds {
  readonly #issuer: ConnectionIdIssuer;
  /** By sequence number; a retired one is undefined. */
  readonly #ids: (IssuedConnectionId | undefined)[] = [];
  /** Sequence numbers whose NEW_CONNECTION_ID waits to be sent. */
  #unsent: number[] = [];
  /** How many the peer keeps: its active_connection_id_limit. */
  #limit = 1;

  constructor(issuer: ConnectionIdIssuer, first: IssuedConnectionId) {
    this.#issuer = issuer;
    this.#ids.push(first);
  }

  /** The peer's active_connection_id_limit is known: offers more. */
  setPeerLimit(limit: number): void {
    this.#limit = Math.min(limit, OFFERED);
    this.#offer();
  }

  #offer(): void {
    let active = 0;
    for (const entry of this.#ids) if (entry !== undefined) active++;
    for (; active < this.#limit; active++) {
      this.#unsent.push(this.#ids.length);
      this.#ids.push(this.#issuer.issue());
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
      const entry = this.#ids[sequence];
      if (entry !== undefined) {
        if (next + newConnectionIdSize(sequence, 0, entry.id.length) > end) return next;
        next = writeNewConnectionId(bytes, next, sequence, 0, entry.id, entry.resetToken);
        sent.add(SentKind.NEW_CONNECTION_ID, 0, sequence, 0);
      }
      this.#unsent.shift();
    }
    return next;
  }

  onLost(sequence: number): void {
    if (this.#ids[sequence] !== undefined && !this.#unsent.includes(sequence)) this.#unsent.push(sequence);
  }

  /**
   * RETIRE_CONNECTION_ID arrived in a packet addressed to `packetId`; RFC 9000 §19.16.
   * @throws TransportError PROTOCOL_VIOLATION for one never issued, or the very one that the packet used.
   */
  onRetire(sequence: number, packetId: Uint8Array): void {
    const entry = this.#ids[sequence];
    if (sequence >= this.#ids.length) {
      throw new TransportError(
        TransportErrorCode.PROTOCOL_VIOLATION,
        'retires a connection ID never issued',
        FrameType.RETIRE_CONNECTION_ID,
      );
    }
    if (entry === undefined) return;
    if (sameBytes(entry.id, packetId)) {
      throw new TransportError(
        TransportErrorCode.PROTOCOL_VIOLATION,
        'retires the connection ID it came with',
        FrameType.RETIRE_CONNECTION_ID,
      );
    }
    this.#ids[sequence] = undefined;
    this.#issuer.retire(entry.id);
    this.#offer();
  }

  /** Whether `bytes[start, start+length)` is one of them. */
  has(bytes: Uint8Array, start: number, length: number): boolean {
    const id = bytes.subarray(start, start + length);
    for (const entry of this.#ids) if (entry !== undefined && sameBytes(entry.id, id)) return true;
    return false;
  }

  /** Forgets them all: the connection is over. */
  retireAll(): void {
    for (const entry of this.#ids) if (entry !== undefined) this.#issuer.retire(entry.id);
    this.#ids.fill(undefined);
    this.#unsent = [];
  }
}
