/**
 * The `perf` protocol (draft-banks-quic-performance): the first eight bytes of a stream say how many bytes the server shall send
 * back, whatever follows them up to FIN is payload, and the answer comes on the same stream (or, to a unidirectional one, on a
 * new unidirectional stream).
 */

/** What it is called in ALPN (RFC 7301). */
export const PERF_ALPN = 'perf';

/** Where servers of this protocol usually listen. */
export const PERF_PORT = 4433;

/** Bytes of a request before its payload. No byte count of this module includes them. */
export const HEADER_BYTES = 8;

/** Asks for bytes without end: the client ends them with STOP_SENDING and code 0. */
export const UNLIMITED = 2n ** 64n - 1n;

/** No stream can be longer (RFC 9000 §4.5): who asks for more has asked for bytes without end. */
const LONGEST_STREAM = 2n ** 62n;

/** The eight bytes of a request. @param wanted bytes to send back, 0 to UNLIMITED. */
export function encodeRequest(wanted: bigint): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  new DataView(header.buffer).setBigUint64(0, wanted);
  return header;
}

/** Takes a request's header out of the pieces of a stream. */
export class RequestReader {
  readonly #header = new Uint8Array(HEADER_BYTES);
  #filled = 0;

  /** Takes the next piece; returns how many of its bytes are payload. */
  take(piece: Uint8Array): number {
    if (this.#filled === HEADER_BYTES) return piece.length;
    const head = piece.subarray(0, HEADER_BYTES - this.#filled);
    this.#header.set(head, this.#filled);
    this.#filled += head.length;
    return piece.length - head.length;
  }

  /** Bytes to send back, Infinity when without end; undefined until the header is whole. */
  get wanted(): number | undefined {
    if (this.#filled < HEADER_BYTES) return undefined;
    const wanted = new DataView(this.#header.buffer).getBigUint64(0);
    return wanted >= LONGEST_STREAM ? Number.POSITIVE_INFINITY : Number(wanted);
  }
}

/** Why a measurement failed: the server broke the protocol, allows fewer streams than the measurement needs, or is there and does nothing. */
export type PerfErrorCode = 'protocol' | 'stream_limit' | 'stalled';

/** What the server is to blame for. The message is one line for people. */
export class PerfError extends Error {
  readonly code: PerfErrorCode;

  constructor(code: PerfErrorCode, message: string) {
    super(message);
    this.name = 'PerfError';
    this.code = code;
  }
}
