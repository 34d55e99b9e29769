import { TransportErrorCode } from '../base/errors.ts';
import { PacketType, Space } from '../wire/frame-type.ts';

const PACKET_TYPES: Readonly<Record<PacketType, string>> = {
  [PacketType.INITIAL]: 'initial',
  [PacketType.ZERO_RTT]: '0RTT',
  [PacketType.HANDSHAKE]: 'handshake',
  [PacketType.RETRY]: 'retry',
  [PacketType.VERSION_NEGOTIATION]: 'version_negotiation',
  [PacketType.ONE_RTT]: '1RTT',
};

/** qlog's name of a packet type. */
export function packetTypeName(type: PacketType): string {
  return PACKET_TYPES[type];
}

/** qlog's name of the packet type that a packet number space is used by, 0-RTT aside. */
export function spacePacketType(space: Space): string {
  return space === Space.INITIAL ? 'initial' : space === Space.HANDSHAKE ? 'handshake' : '1RTT';
}

/** qlog's prefix of the key type of a space: `client_handshake_secret` is `client_` and this and `_secret`. */
export function spaceKeyName(space: Space): string {
  return space === Space.INITIAL ? 'initial' : space === Space.HANDSHAKE ? 'handshake' : '1rtt';
}

/** qlog's TransportError, CryptoError or ApplicationError of a code; `unknown` when it has no name. */
export function errorName(application: boolean, code: number): string {
  if (application) return 'unknown';
  if (code >= 0x100 && code <= 0x1ff) return `crypto_error_0x${code.toString(16)}`;
  for (const [name, value] of Object.entries(TransportErrorCode)) if (value === code) return name.toLowerCase();
  return 'unknown';
}
