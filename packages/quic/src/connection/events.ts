import type { Address } from '../base/address.ts';
import { TransportErrorCode } from '../base/errors.ts';
import type { HandshakeSummary } from '../tls/session.ts';

/** Why a connection ended, as both the application and the logs hear it. */
export interface CloseInfo {
  /** Who or what ended it. */
  readonly source:
    | 'local'
    | 'peer'
    | 'idle_timeout'
    | 'handshake_timeout'
    | 'stateless_reset'
    | 'version_negotiation'
    | 'internal';
  /** Whether `code` is the application protocol's (CONNECTION_CLOSE of type 0x1d) or the transport's. */
  readonly application: boolean;
  readonly code: number;
  /** The frame type that provoked a transport error; 0 when unknown. */
  readonly frameType: number;
  /** One line for people; may be empty. */
  readonly reason: string;
}

/** An end that is no application's doing. */
export function ended(
  source: CloseInfo['source'],
  reason: string,
  code: number = TransportErrorCode.NO_ERROR,
): CloseInfo {
  return { source, application: false, code, frameType: 0, reason };
}

/** What the application should hear, in order, from `Connection.pollEvent`. */
export type ConnectionEvent =
  /** Judge the peer's certificates and answer with `Connection.verdict`; the handshake waits. */
  | { readonly type: 'verify'; readonly certificates: readonly Uint8Array[]; readonly serverName: string | undefined }
  /** A line for SSLKEYLOGFILE. */
  | { readonly type: 'keylog'; readonly line: string }
  /** TLS is complete on this side (RFC 9001 §4.1.1): application data may flow. */
  | { readonly type: 'handshake_complete'; readonly summary: HandshakeSummary }
  /** RFC 9001 §4.1.2. */
  | { readonly type: 'handshake_confirmed' }
  /** The peer opened a stream. */
  | { readonly type: 'stream_opened'; readonly id: number }
  | { readonly type: 'stream_readable'; readonly id: number }
  | { readonly type: 'stream_writable'; readonly id: number }
  /** The peer asks to stop sending on it (STOP_SENDING). */
  | { readonly type: 'stream_stopped'; readonly id: number; readonly code: number }
  /** The peer abandoned its sending side (RESET_STREAM). */
  | { readonly type: 'stream_reset'; readonly id: number; readonly code: number }
  /** Everything that was sent on it, FIN included, has been acknowledged; or its reset has. */
  | { readonly type: 'stream_send_done'; readonly id: number }
  /** The peer allows more streams. */
  | { readonly type: 'streams_available'; readonly bidirectional: boolean }
  /** An unreliable datagram, RFC 9221. */
  | { readonly type: 'datagram'; readonly bytes: Uint8Array }
  /** A token for a later connection's Initial, RFC 9000 §8.1.3. */
  | { readonly type: 'new_token'; readonly token: Uint8Array }
  /** The path to this address has been validated, RFC 9000 §8.2. */
  | { readonly type: 'path_validated'; readonly address: Address }
  /** The connection is closing or draining: nothing more can be sent (RFC 9000 §10.2). */
  | { readonly type: 'closing'; readonly info: CloseInfo }
  /** All state is gone. The last event. */
  | { readonly type: 'closed'; readonly info: CloseInfo };
