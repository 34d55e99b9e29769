import { QuicError } from './errors.ts';
import type { AddressLike } from './options.ts';

/** A host (name or number, no brackets) and a port. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/**
 * Reads `host:port`, `[ipv6]:port` or `:port` (any address), or the parts. A zone is written `%eth0`, or `%25eth0` as in a URI.
 * @throws QuicError ERR_QUIC_INVALID_ARGUMENT.
 */
export function parseAddress(address: AddressLike): HostAndPort {
  const { host, port } = typeof address === 'string' ? split(address) : parts(address);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new QuicError('ERR_QUIC_INVALID_ARGUMENT', `port ${port} is not between 0 and 65535`);
  }
  return { host, port };
}

function split(text: string): HostAndPort {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,6})$/.exec(text);
  if (match === null) {
    throw new QuicError('ERR_QUIC_INVALID_ARGUMENT', `'${text}' is not an address: write host:port or [ipv6]:port`);
  }
  const host = match[1]?.replace('%25', '%') ?? match[2]!;
  return { host: host === '' ? '::' : host, port: Number(match[3]) };
}

function parts(address: Exclude<AddressLike, string>): HostAndPort {
  return { host: 'host' in address ? address.host : address.address, port: address.port };
}
