import { TransferError } from '../peer/index.ts';

/** Bytes that are written at a time: much more than a packet, so that nothing is awaited for each packet. */
const CHUNK_BYTES = 1 << 20;

/** Payload nobody has asked for anything particular of. */
const ZEROS = new Uint8Array(CHUNK_BYTES);

/**
 * What is sent: bytes, which are repeated; or an application that makes them as it goes, which is asked for at most so many and
 * gives at least one, whenever it has it.
 */
export type Payload = Uint8Array | ((most: number) => Promise<Uint8Array>);

/** The next bytes for a stream that has sent `offset` and has `left` to send. Handed out by reference. */
export type PayloadSource = (offset: number, left: number) => Uint8Array | Promise<Uint8Array>;

/** A source of payload that costs no copy. */
export function payloadSource(payload: Payload | undefined): PayloadSource {
  if (typeof payload === 'function') return (_, left) => checked(payload(left), left);
  const bytes = payload === undefined || payload.length === 0 ? ZEROS : repeated(payload);
  return (offset, left) => {
    const start = offset % bytes.length;
    return bytes.subarray(start, Math.min(bytes.length, start + CHUNK_BYTES, start + left));
  };
}

async function checked(chunk: Promise<Uint8Array>, most: number): Promise<Uint8Array> {
  const { length } = await chunk;
  if (length === 0 || length > most) {
    throw new TransferError('source', `the payload's source gave ${length} bytes where 1 to ${most} were asked for`);
  }
  return chunk;
}

/** A short payload many times over, so that it isn't written a few bytes at a time. */
function repeated(payload: Uint8Array): Uint8Array {
  const times = Math.ceil(CHUNK_BYTES / payload.length);
  if (times === 1) return payload;
  const bytes = new Uint8Array(times * payload.length);
  for (let i = 0; i < times; i++) bytes.set(payload, i * payload.length);
  return bytes;
}
