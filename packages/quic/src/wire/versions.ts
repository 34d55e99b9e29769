import { PacketType } from './frame-type.ts';

/** QUIC version 1, RFC 9000 §15. */
export const QUIC_V1 = 0x00000001;
/** QUIC version 2, RFC 9369 §3.1. */
export const QUIC_V2 = 0x6b3343cf;

/** The versions this implementation speaks, most preferred first. */
export const SUPPORTED_VERSIONS: readonly number[] = [QUIC_V1, QUIC_V2];

/** Whether `version` is one that this implementation speaks. */
export function isSupported(version: number): boolean {
  return version === QUIC_V1 || version === QUIC_V2;
}

/**
 * The two Long Packet Type bits that stand for `type` in `version`: RFC 9000 §17.2 for version 1; version 2 has them
 * rotated by one so that middleboxes cannot ossify on them (RFC 9369 §3.2).
 */
export function longTypeBits(version: number, type: PacketType): number {
  return version === QUIC_V2 ? (type + 1) & 3 : type;
}

/** The packet type that the two Long Packet Type bits name in `version`: the inverse of `longTypeBits`. */
export function longTypeOf(version: number, bits: number): PacketType {
  return (version === QUIC_V2 ? (bits + 3) & 3 : bits) as PacketType;
}

/** Whether packets of `type` carry a Length and a packet number behind a long header. */
export function isNumberedLong(type: PacketType): boolean {
  return type <= PacketType.HANDSHAKE;
}
