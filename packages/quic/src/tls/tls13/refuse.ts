import { TransportError, TransportErrorCode } from '../../base/errors.ts';

/** Ends the handshake: throws the TransportError that carries a TLS alert (RFC 9001 §4.8), which the session turns into one. */
export function refuse(alert: number, reason: string): never {
  throw new TransportError(TransportErrorCode.CRYPTO_ERROR + alert, reason);
}

/** The TLS alert that an error carries, or -1 when it carries none. */
export function alertOf(error: TransportError): number {
  const alert = error.code - TransportErrorCode.CRYPTO_ERROR;
  return alert >= 0 && alert <= 0xff ? alert : -1;
}
