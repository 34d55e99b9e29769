import { fromHex } from '../base/cursor.ts';
import { QUIC_V2 } from '../wire/versions.ts';
import { hkdfExpandLabel, hkdfExtract } from './hkdf.ts';

/** RFC 9001 §5.2. */
const SALT_V1 = fromHex('38762cf7f55934b34d179ae6a4c80cadccbb7f0a');
/** RFC 9369 §3.3.1. */
const SALT_V2 = fromHex('0dede3def700a6db819381be6e269dcbf9bd2ed9');

const NO_CONTEXT = new Uint8Array(0);

/**
 * The traffic secrets of Initial packets, always of AES-128-GCM with SHA-256. RFC 9001 §5.2.
 * @param version The version of the packets: QUIC_V1 or QUIC_V2.
 * @param destinationId Destination Connection ID of the client's first Initial, or of its first after a Retry.
 */
export function initialSecrets(version: number, destinationId: Uint8Array): { client: Uint8Array; server: Uint8Array } {
  const initial = hkdfExtract('sha256', version === QUIC_V2 ? SALT_V2 : SALT_V1, destinationId);
  return {
    client: hkdfExpandLabel('sha256', initial, 'client in', NO_CONTEXT, 32),
    server: hkdfExpandLabel('sha256', initial, 'server in', NO_CONTEXT, 32),
  };
}
