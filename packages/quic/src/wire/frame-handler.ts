/** An ACK frame as it was read; one object, reused for every frame. RFC 9000 §19.3. */
export interface AckFrame {
  largest: number;
  /** ACK Delay as on the wire: not yet scaled by ack_delay_exponent. */
  delay: number;
  /** How many ranges follow; range i is [rangeStart[i], rangeEnd[i]], both included, highest first. */
  rangeCount: number;
  rangeStart: Float64Array;
  rangeEnd: Float64Array;
  /** Whether the ECN counts below were on the wire (type 0x03). */
  hasEcn: boolean;
  ect0: number;
  ect1: number;
  ce: number;
}

/**
 * Who hears the frames of one packet, in order. `bytes` with `start` and `length` name a view of the packet: copy what must
 * outlive the call. Any method may throw a TransportError. Offsets and stream IDs are at most 2^53-1.
 */
export interface FrameHandler {
  onPing(): void;
  onAck(ack: AckFrame): void;
  onResetStream(id: number, errorCode: number, finalSize: number): void;
  onStopSending(id: number, errorCode: number): void;
  onCrypto(offset: number, bytes: Uint8Array, start: number, length: number): void;
  onNewToken(bytes: Uint8Array, start: number, length: number): void;
  onStream(id: number, offset: number, bytes: Uint8Array, start: number, length: number, fin: boolean): void;
  onMaxData(maximum: number): void;
  onMaxStreamData(id: number, maximum: number): void;
  onMaxStreams(bidirectional: boolean, maximum: number): void;
  onDataBlocked(limit: number): void;
  onStreamDataBlocked(id: number, limit: number): void;
  onStreamsBlocked(bidirectional: boolean, limit: number): void;
  /** The connection ID is at [start, start+length); its 16-byte stateless reset token at tokenStart. */
  onNewConnectionId(
    sequence: number,
    retirePriorTo: number,
    bytes: Uint8Array,
    start: number,
    length: number,
    tokenStart: number,
  ): void;
  onRetireConnectionId(sequence: number): void;
  /** Eight bytes at `start`. */
  onPathChallenge(bytes: Uint8Array, start: number): void;
  onPathResponse(bytes: Uint8Array, start: number): void;
  /** `frameType` is -1 for an application close (0x1d). */
  onConnectionClose(application: boolean, errorCode: number, frameType: number, reason: string): void;
  onHandshakeDone(): void;
  onDatagram(bytes: Uint8Array, start: number, length: number): void;
}
