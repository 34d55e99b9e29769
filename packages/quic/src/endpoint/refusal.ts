import { heapArena } from '../base/arena.ts';
import { type CryptoEngine, TAG_LENGTH } from '../crypto/engine.ts';
import { initialSecrets } from '../crypto/initial.ts';
import { DirectionKeys } from '../crypto/key-schedule.ts';
import { TLS_AES_128_GCM_SHA256 } from '../crypto/suite.ts';
import { PacketType } from '../wire/frame-type.ts';
import { writeConnectionClose } from '../wire/frames.ts';
import { patchLength, writeLongHeader } from '../wire/header.ts';

const NO_TOKEN = new Uint8Array(0);
/** One: the packet is the only one of its connection. */
const PACKET_NUMBER_LENGTH = 1;
/** A header with the longest connection IDs, and the frame. */
const MOST_BYTES = 96;

/**
 * An Initial packet with nothing but CONNECTION_CLOSE, for a client that gets no connection: RFC 9000 §5.2.2, §8.1.3. It is no
 * longer than a tenth of what the client sent, and nothing is remembered of it.
 * @param clientId the client's connection ID
 * @param initialId the destination connection ID of the client's packet, which its keys follow from (RFC 9001 §5.2)
 */
export function refusalPacket(
  engine: CryptoEngine,
  version: number,
  clientId: Uint8Array,
  serverId: Uint8Array,
  initialId: Uint8Array,
  code: number,
): Uint8Array {
  const arena = heapArena(MOST_BYTES + TAG_LENGTH);
  const { bytes } = arena;
  const number = PACKET_NUMBER_LENGTH;
  const payload = writeLongHeader(bytes, 0, PacketType.INITIAL, version, clientId, serverId, NO_TOKEN, number, 0);
  const end = writeConnectionClose(bytes, payload, MOST_BYTES, false, code, 0, '');
  const pnOffset = payload - number;
  patchLength(bytes, pnOffset, end + TAG_LENGTH - pnOffset);
  const keys = new DirectionKeys(engine, version, TLS_AES_128_GCM_SHA256, initialSecrets(version, initialId).server);
  keys.packetKey.seal(arena, 0, payload, end - payload, 0);
  keys.headerKey.protect(arena, { count: 1, start: Int32Array.of(0), pnOffset: Int32Array.of(pnOffset) });
  keys.destroy();
  return bytes.subarray(0, end + TAG_LENGTH);
}
