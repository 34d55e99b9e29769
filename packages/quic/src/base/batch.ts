import type { Address } from './address.ts';
import type { Arena } from './arena.ts';

/** ECN codepoints as they stand in the IP header (RFC 3168 §5). */
export const Ecn = { NOT_ECT: 0, ECT1: 1, ECT0: 2, CE: 3 } as const;

/** Datagrams that arrived, back to back or not, in one arena. Struct of arrays: entry i is one datagram. */
export class ReceiveBatch {
  readonly arena: Arena;
  readonly capacity: number;
  /** How many entries are filled. */
  count = 0;
  /** Offset of each datagram in the arena. */
  readonly start: Int32Array;
  /** Length of each datagram in bytes. */
  readonly length: Int32Array;
  /** The ECN codepoint of each datagram; NOT_ECT where the datapath cannot tell. */
  readonly ecn: Uint8Array;
  /** Where each datagram came from. */
  readonly source: Address[] = [];

  constructor(arena: Arena, capacity: number) {
    this.arena = arena;
    this.capacity = capacity;
    this.start = new Int32Array(capacity);
    this.length = new Int32Array(capacity);
    this.ecn = new Uint8Array(capacity);
  }
}

/** Datagrams to send: equal-sized (the last may be shorter), contiguous from the arena's start, to one destination. */
export class TransmitBatch {
  readonly arena: Arena;
  /** How many bytes of the arena may be filled. */
  readonly capacity: number;
  /** Bytes filled. 0 means nothing to send. */
  length = 0;
  /** Size of every datagram but the last. */
  segmentSize = 0;
  destination: Address | undefined;
  ecn = 0;

  constructor(arena: Arena, capacity: number = arena.bytes.length) {
    this.arena = arena;
    this.capacity = capacity;
  }

  /** How many datagrams it holds. */
  get count(): number {
    return this.length === 0 ? 0 : Math.ceil(this.length / this.segmentSize);
  }

  clear(): void {
    this.length = 0;
    this.segmentSize = 0;
    this.destination = undefined;
    this.ecn = 0;
  }
}
