import { createHash, webcrypto } from 'node:crypto';

/** What is hashed at once: ten microseconds, less than handing it to another thread costs. Bytes. */
const IN_PLACE_BYTES = 16 << 10;

/** SHA-256 of the bytes; more than a few are hashed on a thread of the pool, so that packets go on meanwhile. */
export async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  if (bytes.length <= IN_PLACE_BYTES) return new Uint8Array(createHash('sha256').update(bytes).digest());
  return new Uint8Array(await webcrypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
}

/** Whether two digests are the same. Not for secrets. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
