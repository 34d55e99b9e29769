import { TransportErrorCode, transportErrorName } from '../base/errors.ts';
import { QuicError } from '../base/quic-error.ts';
import type { CloseInfo } from '../connection/events.ts';

export { QuicError, type QuicErrorCode, type QuicErrorOptions } from '../base/quic-error.ts';

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
