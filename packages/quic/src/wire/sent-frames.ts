/**
 * What a sent packet carried that somebody must hear about when it is acknowledged or lost. The kind decides what a, b and c
 * mean. Retransmission is of information, not of packets (RFC 9000 §13.3): a lost record goes back to the component that
 * wrote it, which decides whether anything needs sending again.
 */
export const SentKind = {
  /** a = stream ID, b = offset, c = 2 * length + fin. */
  STREAM: 1,
  /** b = offset, c = length. */
  CRYPTO: 2,
  /** b = largest packet number acknowledged by the ACK frame. */
  ACK: 3,
  /** b = the maximum announced. */
  MAX_DATA: 4,
  /** a = stream ID, b = the maximum announced. */
  MAX_STREAM_DATA: 5,
  /** a = 0 bidirectional, 1 unidirectional; b = the maximum announced. */
  MAX_STREAMS: 6,
  /** a = stream ID. */
  RESET_STREAM: 7,
  /** a = stream ID. */
  STOP_SENDING: 8,
  /** b = sequence number. */
  NEW_CONNECTION_ID: 9,
  /** b = sequence number. */
  RETIRE_CONNECTION_ID: 10,
  HANDSHAKE_DONE: 11,
  NEW_TOKEN: 12,
  /** b = the limit reported. */
  DATA_BLOCKED: 13,
  /** a = stream ID, b = the limit reported. */
  STREAM_DATA_BLOCKED: 14,
  /** a = 0 bidirectional, 1 unidirectional; b = the limit reported. */
  STREAMS_BLOCKED: 15,
  /** a = which path probe. */
  PATH_CHALLENGE: 16,
  /** A datagram (RFC 9221): never retransmitted, but its loss is counted. */
  DATAGRAM: 17,
  /** b = the datagram size probed (RFC 8899). */
  MTU_PROBE: 18,
} as const;
export type SentKind = (typeof SentKind)[keyof typeof SentKind];

/** Collects the records of the packet that is being composed. */
export interface SentFrames {
  add(kind: SentKind, a: number, b: number, c: number): void;
}

/** Hears the fate of each record. `packetNumber` and `sentAt` are those of the packet that carried it. */
export interface SentFramesSink {
  onFrameAcked(
    space: number,
    kind: SentKind,
    a: number,
    b: number,
    c: number,
    packetNumber: number,
    sentAt: number,
  ): void;
  onFrameLost(
    space: number,
    kind: SentKind,
    a: number,
    b: number,
    c: number,
    packetNumber: number,
    sentAt: number,
  ): void;
}
