import { TransportErrorCode, transportErrorName } from '../base/errors.ts';
import type { CloseInfo } from '../connection/events.ts';

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

/**
 * An error code as the wire takes it (RFC 9000 §16); numbers are exact up to 2^53 - 1.
 * @throws QuicError ERR_QUIC_INVALID_ARGUMENT for what cannot be sent as it is.
 */
export function wireCode(code: number | bigint): number {
  const number = Number(code);
  if (!Number.isSafeInteger(number) || number < 0) {
    throw new QuicError('ERR_QUIC_INVALID_ARGUMENT', `error code ${code} is no integer from 0 to 2^53 - 1`);
  }
  return number;
}

/**
 * The code of an error to tell the peer of: a QuicError's own, 0 where that cannot be sent; INTERNAL_ERROR for any other, as node:quic
 * has it; 0 for none.
 */
export function codeOf(error: unknown): number {
  if (error === undefined) return 0;
  if (!(error instanceof QuicError)) return TransportErrorCode.INTERNAL_ERROR;
  const code = Number(error.errorCode);
  return Number.isSafeInteger(code) && code > 0 ? code : 0;
}

/** Whether the connection ended as both sides meant it: code 0 from either application or transport. */
export function isCleanClose(info: CloseInfo): boolean {
  return (info.source === 'local' || info.source === 'peer') && info.code === 0;
}

/**
 * The error that tells of a connection's end. Also for a clean one: then what was still under way failed for it.
 * @param refusal why this system would not send to the peer, if it lately would not: the cause of a silence.
 */
export function closeError(info: CloseInfo, refusal?: Error): QuicError {
  const { reason } = info;
  const because = reason === '' ? '' : `: ${reason}`;
  if (isCleanClose(info))
    return new QuicError('ERR_QUIC_SESSION_CLOSED', `the session is closed${because}`, { reason });
  switch (info.source) {
    case 'idle_timeout':
      return new QuicError(
        'ERR_QUIC_IDLE_TIMEOUT',
        `the peer has been silent for the idle timeout${refused(refusal)}`,
        {
          reason,
          cause: refusal,
        },
      );
    case 'handshake_timeout':
      return new QuicError('ERR_QUIC_HANDSHAKE_TIMEOUT', `no answer in time: is it the right address and port?`, {
        reason,
        cause: refusal,
      });
    case 'stateless_reset':
      return new QuicError('ERR_QUIC_STATELESS_RESET', 'the peer no longer knows the connection (stateless reset)', {
        reason,
      });
    case 'version_negotiation':
      return new QuicError('ERR_QUIC_VERSION_NEGOTIATION', `no QUIC version in common with the peer${because}`, {
        reason,
      });
    case 'internal':
      return new QuicError('ERR_QUIC_INTERNAL_ERROR', `internal error${because}`, { reason, errorCode: info.code });
    default:
      return codedError(info, because);
  }
}

function refused(refusal: Error | undefined): string {
  return refusal === undefined ? '' : `, and this system would not send to it: ${refusal.message}`;
}

function codedError(info: CloseInfo, because: string): QuicError {
  const { code, reason } = info;
  const who = info.source === 'peer' ? 'the peer' : 'this side';
  if (info.application) {
    const message = `${who} closed the session with application error ${code}${because}`;
    return new QuicError('ERR_QUIC_APPLICATION_ERROR', message, { type: 'application', errorCode: code, reason });
  }
  if (code >= 0x100 && code <= 0x1ff) {
    const message = `the TLS handshake failed: ${who} sent alert ${code - 0x100}${because}`;
    return new QuicError('ERR_QUIC_HANDSHAKE_FAILED', message, { errorCode: code, reason });
  }
  const message = `${who} closed the connection with ${transportErrorName(code)}${because}`;
  return new QuicError('ERR_QUIC_TRANSPORT_ERROR', message, { errorCode: code, reason });
}
