import type { CarrierStream } from './carrier.ts';
import { TransferError } from './errors.ts';
import { TAG_BYTES } from './tag.ts';

/** First byte of each data stream. */
const STREAM_TYPE = 0x57;

/** Bytes of a data stream's preamble: type, iteration, index. */
export const PREAMBLE_BYTES = 9;

/** Bytes in front of each chunk: offset, length, tag. */
export const RECORD_HEADER_BYTES = 12 + TAG_BYTES;

/** Which stream of which iteration a data stream is. */
export interface Preamble {
  /** From 1. */
  readonly iteration: number;
  /** From 1, as streams are counted for people. */
  readonly index: number;
}

/** What stands in front of a chunk. */
export interface RecordHeader {
  readonly offset: number;
  readonly length: number;
  readonly tag: Uint8Array;
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

export function encodeRecordHeader(header: RecordHeader): Uint8Array {
  const bytes = Buffer.alloc(RECORD_HEADER_BYTES);
  bytes.writeBigUInt64BE(BigInt(header.offset), 0);
  bytes.writeUInt32BE(header.length, 8);
  bytes.set(header.tag, 12);
  return bytes;
}

/** Copies what it returns: `bytes` may be used again. */
export function decodeRecordHeader(bytes: Uint8Array): RecordHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, RECORD_HEADER_BYTES);
  return {
    offset: Number(view.getBigUint64(0)),
    length: view.getUint32(8),
    tag: bytes.slice(12, RECORD_HEADER_BYTES),
  };
}

/** Reads a stream in amounts that the caller chooses. It awaits only when nothing has arrived, not for each packet. */
export class StreamInput {
  readonly #stream: CarrierStream;

  constructor(stream: CarrierStream) {
    this.#stream = stream;
  }

  /**
   * Fills the first `length` bytes of `into`. Returns false when the stream ended cleanly before the first of them.
   * @throws TransferError `protocol` when it ended in the middle; the stream's error.
   */
  async fill(into: Uint8Array, length: number): Promise<boolean> {
    let filled = 0;
    while (filled < length) {
      const count = this.#stream.readInto(into.subarray(filled, length));
      filled += count;
      if (count > 0 || (await this.#stream.wait())) continue;
      if (filled === 0) return false;
      throw new TransferError('protocol', `stream ${this.#stream.id} ended in the middle of a record`);
    }
    return true;
  }
}
