import { heapArena } from '../base/arena.ts';
import type { CryptoEngine } from '../crypto/engine.ts';
import { initialSecrets } from '../crypto/initial.ts';
import { DirectionKeys } from '../crypto/key-schedule.ts';
import { TLS_AES_128_GCM_SHA256 } from '../crypto/suite.ts';
import type { Header } from '../wire/header.ts';
import { decodePacketNumber, readTruncated } from '../wire/packet-number.ts';

/** Bytes from the packet number on that a packet has at least: a header protection sample starts four behind it. */
const LEAST_PROTECTED = 4 + 16;

/**
 * Whether the first Initial packet of a connection, whose header is `header`, is as its client sent it. Works on a copy. The
 * keys follow from the packet itself (RFC 9001 §5.2): this tells noise from packets, not friend from foe.
 */
export function isAuthentic(engine: CryptoEngine, bytes: Uint8Array, header: Header): boolean {
  const { start, end, version, dcidStart, dcidLength } = header;
  if (header.pnOffset + LEAST_PROTECTED > end) return false;
  const arena = heapArena(end - start);
  arena.bytes.set(bytes.subarray(start, end));
  const { client } = initialSecrets(version, bytes.slice(dcidStart, dcidStart + dcidLength));
  const keys = new DirectionKeys(engine, version, TLS_AES_128_GCM_SHA256, client);
  const pnOffset = header.pnOffset - start;
  keys.headerKey.unprotect(arena, { count: 1, start: Int32Array.of(0), pnOffset: Int32Array.of(pnOffset) });
  const pnLength = (arena.bytes[0]! & 0x03) + 1;
  const packetNumber = decodePacketNumber(-1, readTruncated(arena.bytes, pnOffset, pnLength), pnLength);
  const payload = pnOffset + pnLength;
  const authentic = keys.packetKey.open(arena, 0, payload, arena.bytes.length - payload, packetNumber);
  keys.destroy();
  return authentic;
}
