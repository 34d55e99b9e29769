import { createCipheriv } from 'node:crypto';
import { fromHex } from '../base/cursor.ts';
import { QUIC_V2 } from '../wire/versions.ts';

/** RFC 9001 §5.8. */
const KEY_V1 = fromHex('be0c690b9f66575a1d766b54e368c84e');
const NONCE_V1 = fromHex('461599d35d632bf2239825bb');
/** RFC 9369 §3.3.3. */
const KEY_V2 = fromHex('8fb4b01b56ac48e260fbcbcead7ccc92');
const NONCE_V2 = fromHex('d86969bc2d7c6d9990efb04a');

/**
 * The 16-byte integrity tag at the end of a Retry packet. RFC 9001 §5.8.
 * @param originalDestinationId Destination Connection ID of the Initial that the Retry answers.
 * @param retryWithoutTag The Retry packet up to its tag.
 */
export function retryIntegrityTag(
  version: number,
  originalDestinationId: Uint8Array,
  retryWithoutTag: Uint8Array,
): Uint8Array {
  const isV2 = version === QUIC_V2;
  const cipher = createCipheriv('aes-128-gcm', isV2 ? KEY_V2 : KEY_V1, isV2 ? NONCE_V2 : NONCE_V1);
  // The Retry Pseudo-Packet; the plaintext is empty.
  const pseudoPacket = new Uint8Array(1 + originalDestinationId.length + retryWithoutTag.length);
  pseudoPacket[0] = originalDestinationId.length;
  pseudoPacket.set(originalDestinationId, 1);
  pseudoPacket.set(retryWithoutTag, 1 + originalDestinationId.length);
  cipher.setAAD(pseudoPacket);
  cipher.final();
  return new Uint8Array(cipher.getAuthTag());
}
