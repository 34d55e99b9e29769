import type { Millis } from '../base/time.ts';
import type { CongestionControllerFactory } from '../recovery/congestion/controller.ts';
import type { LocalStreamLimits } from '../stream/stream-limits.ts';

/** What this endpoint announces in its transport parameters, and how far its receive windows may grow. */
export interface TransportOptions extends LocalStreamLimits {
  /** Milliseconds without traffic after which the connection is given up; 0 never. RFC 9000 §10.1. */
  readonly maxIdleTimeout: Millis;
  /** Milliseconds by which an acknowledgement may be late, RFC 9000 §13.2.1. */
  readonly maxAckDelay: Millis;
  readonly ackDelayExponent: number;
  /** How many connection IDs of the peer's this endpoint keeps, RFC 9000 §5.1.1. */
  readonly activeConnectionIdLimit: number;
  /** The largest datagram that this endpoint takes, in bytes of UDP payload. */
  readonly maxUdpPayloadSize: number;
  /** The largest DATAGRAM frame that this endpoint takes, in bytes; 0 turns the extension off. RFC 9221 §3. */
  readonly maxDatagramFrameSize: number;
}

export const DEFAULT_TRANSPORT: TransportOptions = {
  maxIdleTimeout: 30_000,
  initialMaxData: 4 << 20,
  initialMaxStreamDataBidiLocal: 1 << 20,
  initialMaxStreamDataBidiRemote: 1 << 20,
  initialMaxStreamDataUni: 1 << 20,
  initialMaxStreamsBidi: 100,
  initialMaxStreamsUni: 100,
  maxStreamWindow: 8 << 20,
  maxConnectionWindow: 16 << 20,
  maxAckDelay: 25,
  ackDelayExponent: 3,
  activeConnectionIdLimit: 8,
  maxUdpPayloadSize: 65_527,
  maxDatagramFrameSize: 65_535,
};

/** How one connection behaves, on either side. */
export interface ConnectionOptions {
  /** QUIC versions to speak: a server all of them, a client the first. */
  readonly versions: readonly number[];
  readonly transport: TransportOptions;
  readonly congestion: CongestionControllerFactory;
  /** Bytes of UDP payload of a full datagram, 1,200 or more; undefined discovers what the path carries. RFC 9000 §14. */
  readonly datagramSize: number | undefined;
  /** Milliseconds until a handshake that makes no end is given up. */
  readonly handshakeTimeout: Millis;
  /** Milliseconds without traffic after which a PING keeps the connection alive, see IdleTimer.keepAliveAt; 0 never. */
  readonly keepAlive: Millis;
  /** Round-trip time to assume before the first sample, RFC 9002 §6.2.2. */
  readonly initialRtt: Millis;
  /** Whether to mark packets ECT(0), where the datapath can. RFC 9000 §13.4. */
  readonly ecn: boolean;
}
