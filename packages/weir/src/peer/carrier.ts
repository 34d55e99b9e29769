/**
 * What this layer asks of QUIC: the part of the public API's QuicSession and QuicStream that it uses, as interfaces, so that
 * its tests run without a network.
 */

/** Counters of one stream, see StreamStats of the QUIC API. Bytes, milliseconds on the session's clock, -1 for never. */
export interface CarrierStreamStats {
  readonly bytesSent: number;
  readonly bytesRetransmitted: number;
  readonly packetsSent: number;
  readonly bytesAcked: number;
  readonly packetsAcked: number;
  readonly firstSentAt: number;
  readonly firstAckedAt: number;
  readonly lastAckedAt: number;
  readonly bytesReceived: number;
  readonly bytesDuplicate: number;
  readonly packetsReceived: number;
  readonly firstReceivedAt: number;
  readonly lastReceivedAt: number;
  readonly blockedByStreamMs: number;
  readonly blockedByConnectionMs: number;
  readonly reassemblyMs: number;
  readonly sendLimitMs?: readonly number[];
}

/** Counters of a session, see ConnectionStats of the QUIC API. */
export interface CarrierSessionStats {
  readonly rttMin: number;
  readonly rttSmoothed: number;
  readonly congestionController: string;
  readonly congestionWindow: number;
  readonly maxDatagramSize: number;
  readonly packetsSent: number;
  readonly packetsReceived: number;
  readonly packetsLost: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly bytesLost: number;
  readonly spuriousLosses: number;
  readonly ptoCount: number;
  readonly congestionEvents: number;
  readonly slowStartEndedAt?: number;
  readonly sendLimitMs?: readonly number[];
  readonly receiveLimitMs?: readonly number[];
}

/** The sending side of a stream. Chunks are kept by reference until they are acknowledged. */
export interface CarrierWriter {
  /** Offset below which the stream needs no chunk any more: all is acknowledged. Undefined: chunks are never given back. */
  readonly bytesReleased?: number;
  writev(chunks: readonly Uint8Array[]): Promise<void>;
  end(): Promise<number>;
}

/** One stream. */
export interface CarrierStream {
  readonly id: bigint;
  readonly direction: 'bidi' | 'uni';
  readonly writer: CarrierWriter | undefined;
  readonly closed: Promise<void>;
  readonly stats: CarrierStreamStats;
  readInto(target: Uint8Array): number;
  wait(signal?: AbortSignal): Promise<boolean>;
  stopSending(code: number): void;
  resetStream(code: number): void;
}

/** A method's type, whose parameter may be narrower: a QuicSession's listener takes its own QuicStream. */
export type StreamListener = { call(stream: CarrierStream): void }['call'];

/** What measures a wait: a session's clock, real or simulated. Milliseconds. */
export interface Clock {
  now(): number;
  /** Calls back once, at or soon after this time, unless it is cancelled. */
  setTimer(at: number, callback: () => void): { cancel(): void };
}

/** One connection. Its clock is what the times in `stats` are on. */
export interface CarrierSession extends Clock {
  readonly closed: Promise<void>;
  readonly stats: CarrierSessionStats;
  onstream: StreamListener | undefined;
  readonly destroyed: boolean;
  createBidirectionalStream(): Promise<CarrierStream>;
  createUnidirectionalStream(): Promise<CarrierStream>;
  close(options?: { code?: number; reason?: string }): unknown;
  destroy(error?: unknown, options?: { code?: number; reason?: string }): void;
}
