import { QuicError } from 'weir-quic';
import { systemCode } from '../text/index.ts';
import type { CarrierSession } from './carrier.ts';
import { CloseCode, TransferError } from './errors.ts';

/**
 * Ends the session as soon as `signal` aborts, which ends every wait on it. Returns the function that stops listening.
 */
export function endOnAbort(session: CarrierSession, signal: AbortSignal | undefined): () => void {
  if (signal === undefined) return () => {};
  const onAbort = () => session.destroy(undefined, { code: CloseCode.CANCELLED, reason: 'stopped by its user' });
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  return () => signal.removeEventListener('abort', onAbort);
}

/** What to tell of a failed transfer: this layer's own error, made from whatever the QUIC API threw. */
export function explain(error: unknown, signal: AbortSignal | undefined): TransferError {
  if (signal?.aborted) return new TransferError('cancelled', 'stopped');
  if (error instanceof TransferError) return error;
  if (!(error instanceof QuicError)) {
    const message = error instanceof Error ? error.message : String(error);
    return new TransferError('connection', message, { cause: error, forPeer: 'an error of its own' });
  }
  const isApplications = error.code === 'ERR_QUIC_APPLICATION_ERROR' || error.code === 'ERR_QUIC_STREAM_RESET';
  if (isApplications && Number(error.errorCode) === CloseCode.CANCELLED) {
    return new TransferError('cancelled_by_peer', 'the other side was stopped by its user', { cause: error });
  }
  if (isApplications && Number(error.errorCode) === CloseCode.PROTOCOL) {
    return new TransferError('protocol', `the other side did not understand: ${error.reason}`, { cause: error });
  }
  return new TransferError('connection', connectionProblem(error), { cause: error });
}

function connectionProblem(error: QuicError): string {
  switch (error.code) {
    case 'ERR_QUIC_IDLE_TIMEOUT':
      return error.cause === undefined
        ? 'the other side has gone silent: it was killed, or the network between is down. Send again'
        : `this machine cannot reach the other side any more (${systemCode(error.cause)}): check its network, and send again`;
    case 'ERR_QUIC_STATELESS_RESET':
      return 'the other side was restarted meanwhile: send again';
    case 'ERR_QUIC_SESSION_CLOSED':
      return 'the other side closed the connection before all was done: send again';
    default:
      return error.message;
  }
}
