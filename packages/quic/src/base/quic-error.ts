import { TransportErrorCode, transportErrorName } from './errors.ts';

/** What went wrong, for programs: the `code` of a QuicError. */
export type QuicErrorCode =
  /** The transport closed the connection, on either side: `errorCode` is of RFC 9000 §20.1. */
  | 'ERR_QUIC_TRANSPORT_ERROR'
  /** The peer's application closed the connection: `errorCode` is its own. */
  | 'ERR_QUIC_APPLICATION_ERROR'
  /** Nothing came for the idle timeout (RFC 9000 §10.1). */
  | 'ERR_QUIC_IDLE_TIMEOUT'
  /** Nobody answered, or the handshake made no end in time. */
  | 'ERR_QUIC_HANDSHAKE_TIMEOUT'
  /** TLS failed: `alert` is the alert of RFC 9846 §6. */
  | 'ERR_QUIC_HANDSHAKE_FAILED'
  /** The peer lost its state (RFC 9000 §10.3). */
  | 'ERR_QUIC_STATELESS_RESET'
  /** No version in common (RFC 9000 §6). */
  | 'ERR_QUIC_VERSION_NEGOTIATION'
  /** The session ended before the operation did. */
  | 'ERR_QUIC_SESSION_CLOSED'
  /** The peer abandoned its sending side (RESET_STREAM): `errorCode` is its application's. */
  | 'ERR_QUIC_STREAM_RESET'
  /** The peer reads no more (STOP_SENDING): `errorCode` is its application's. */
  | 'ERR_QUIC_STREAM_STOPPED'
  /** The stream was ended or abandoned here. */
  | 'ERR_QUIC_STREAM_CLOSED'
  /** The peer allows no more streams now, and the caller would not wait. */
  | 'ERR_QUIC_STREAM_LIMIT'
  /** The endpoint is closed. */
  | 'ERR_QUIC_ENDPOINT_CLOSED'
  /** The socket failed; `cause` is the system's error. */
  | 'ERR_QUIC_SOCKET'
  /**
   * Datagrams don't get to the peer, says this system, a router or the peer's host; `cause` is the system's error: ECONNREFUSED when nothing
   * listens there, ENETUNREACH without a route, EHOSTUNREACH, EMSGSIZE, EPERM, …
   */
  | 'ERR_QUIC_UNREACHABLE'
  /** A host name with no address. */
  | 'ERR_QUIC_HOST_NOT_FOUND'
  /** An option or argument that makes no sense. */
  | 'ERR_QUIC_INVALID_ARGUMENT'
  /** A defect in this library. */
  | 'ERR_QUIC_INTERNAL_ERROR';

/** Extra facts of a QuicError. */
export interface QuicErrorOptions {
  readonly errorCode?: number | bigint;
  readonly type?: 'transport' | 'application';
  readonly reason?: string;
  readonly cause?: unknown;
}

/** Every error of this API, AbortSignal's own aside. */
export class QuicError extends Error {
  readonly code: QuicErrorCode;
  /** Whose code `errorCode` is. */
  readonly type: 'transport' | 'application';
  /** The code on the wire; 0 where there is none. */
  readonly errorCode: bigint;
  /** The peer's or the library's reason, one line; may be empty. */
  readonly reason: string;

  constructor(code: QuicErrorCode, message: string, options: QuicErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'QuicError';
    this.code = code;
    this.type = options.type ?? 'transport';
    this.errorCode = BigInt(options.errorCode ?? 0);
    this.reason = options.reason ?? '';
  }

  /** The name of `errorCode`: `FLOW_CONTROL_ERROR`, `CRYPTO_ERROR (alert 42)`; a number for an application's code. */
  get errorName(): string {
    const code = Number(this.errorCode);
    return this.type === 'transport' ? transportErrorName(code) : `0x${code.toString(16)}`;
  }

  /** The TLS alert (RFC 9846 §6) of a failed handshake, or undefined. */
  get alert(): number | undefined {
    const code = Number(this.errorCode);
    const isAlert = this.type === 'transport' && code >= 0x100 && code <= 0x1ff;
    return isAlert ? code - TransportErrorCode.CRYPTO_ERROR : undefined;
  }
}
