import { heapArena } from '../../src/base/arena.ts';
import { initialSecrets } from '../../src/crypto/initial.ts';
import { DirectionKeys } from '../../src/crypto/key-schedule.ts';
import { nodeCryptoEngine } from '../../src/crypto/node-engine.ts';
import { TLS_AES_128_GCM_SHA256 } from '../../src/crypto/suite.ts';
import { PacketType } from '../../src/wire/frame-type.ts';
import { patchLength, writeLongHeader } from '../../src/wire/header.ts';
import { QUIC_V1 } from '../../src/wire/versions.ts';

/** An Initial packet as the server of a client that has chosen the connection ID `chosen` would make it, or the client itself. */
export function initialPacket(
  from: 'client' | 'server',
  chosen: Uint8Array,
  ids: { destination: Uint8Array; source: Uint8Array; token?: Uint8Array },
  packetNumber: number,
  frames: readonly number[],
  size: number,
): Uint8Array {
  const arena = heapArena(size);
  const { destination, source, token = new Uint8Array(0) } = ids;
  const payload = writeLongHeader(
    arena.bytes,
    0,
    PacketType.INITIAL,
    QUIC_V1,
    destination,
    source,
    token,
    4,
    packetNumber,
  );
  arena.bytes.set(frames, payload);
  patchLength(arena.bytes, payload - 4, size - (payload - 4));
  const keys = new DirectionKeys(
    nodeCryptoEngine,
    QUIC_V1,
    TLS_AES_128_GCM_SHA256,
    initialSecrets(QUIC_V1, chosen)[from],
  );
  keys.packetKey.seal(arena, 0, payload, size - payload - 16, packetNumber);
  keys.headerKey.protect(arena, { count: 1, start: Int32Array.of(0), pnOffset: Int32Array.of(payload - 4) });
  return arena.bytes;
}
