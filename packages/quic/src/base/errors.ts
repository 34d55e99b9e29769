/** Transport error codes, RFC 9000 §20.1. */
export const TransportErrorCode = {
  NO_ERROR: 0x00,
  INTERNAL_ERROR: 0x01,
  CONNECTION_REFUSED: 0x02,
  FLOW_CONTROL_ERROR: 0x03,
  STREAM_LIMIT_ERROR: 0x04,
  STREAM_STATE_ERROR: 0x05,
  FINAL_SIZE_ERROR: 0x06,
  FRAME_ENCODING_ERROR: 0x07,
  TRANSPORT_PARAMETER_ERROR: 0x08,
  CONNECTION_ID_LIMIT_ERROR: 0x09,
  PROTOCOL_VIOLATION: 0x0a,
  INVALID_TOKEN: 0x0b,
  APPLICATION_ERROR: 0x0c,
  CRYPTO_BUFFER_EXCEEDED: 0x0d,
  KEY_UPDATE_ERROR: 0x0e,
  AEAD_LIMIT_REACHED: 0x0f,
  NO_VIABLE_PATH: 0x10,
  /** RFC 9368 §8. */
  VERSION_NEGOTIATION_ERROR: 0x11,
  /** 0x0100 to 0x01ff carry a TLS alert: CRYPTO_ERROR + alert (RFC 9001 §4.8). */
  CRYPTO_ERROR: 0x0100,
} as const;

/**
 * What a peer did against the specification. It closes that one connection with `code`; it is thrown where the
 * violation is read and caught in one place (connection/connection.ts).
 */
export class TransportError extends Error {
  readonly code: number;
  /** The frame type that provoked it, or 0 when unknown (RFC 9000 §19.19). */
  readonly frameType: number;

  constructor(code: number, reason: string, frameType = 0) {
    super(reason);
    this.name = 'TransportError';
    this.code = code;
    this.frameType = frameType;
  }
}

/** The name of a transport error code, for messages: `FLOW_CONTROL_ERROR`, `CRYPTO_ERROR (alert 42)`, `0x1234`. */
export function transportErrorName(code: number): string {
  if (code >= 0x100 && code <= 0x1ff) return `CRYPTO_ERROR (alert ${code - 0x100})`;
  for (const [name, value] of Object.entries(TransportErrorCode)) if (value === code) return name;
  return `0x${code.toString(16)}`;
}

/** Marks the end of an exhaustive switch: a new variant that is not handled becomes a type error here. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
