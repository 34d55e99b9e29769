import { TAG_BYTES } from './tag.ts';

/** Bytes in front of each chunk: offset, length, tag. */
export const RECORD_HEADER_BYTES = 12 + TAG_BYTES;

/** What stands in front of a chunk. */
export interface RecordHeader {
  readonly offset: number;
  readonly length: number;
  readonly tag: Uint8Array;
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
