import { TransferError } from './errors.ts';

/** First byte of each data stream. */
const STREAM_TYPE = 0x57;

/** Bytes of a data stream's preamble: type, iteration, index. */
export const PREAMBLE_BYTES = 9;

/** Which stream of which iteration a data stream is. */
export interface Preamble {
  /** From 1. */
  readonly iteration: number;
  /** From 1, as streams are counted for people. */
  readonly index: number;
}

export function encodePreamble(preamble: Preamble): Uint8Array {
  const bytes = Buffer.alloc(PREAMBLE_BYTES);
  bytes.writeUInt8(STREAM_TYPE, 0);
  bytes.writeUInt32BE(preamble.iteration, 1);
  bytes.writeUInt32BE(preamble.index, 5);
  return bytes;
}

/** @throws TransferError `protocol` when these bytes are no preamble. */
export function decodePreamble(bytes: Uint8Array): Preamble {
  const view = new DataView(bytes.buffer, bytes.byteOffset, PREAMBLE_BYTES);
  if (view.getUint8(0) !== STREAM_TYPE)
    throw new TransferError('protocol', 'the peer opened a stream of an unknown type');
  return { iteration: view.getUint32(1), index: view.getUint32(5) };
}
