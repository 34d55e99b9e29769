/**
 * A UDP address. Interned by the datapath: the same host and port are the same object while a connection uses it, so the
 * hot path compares identities; `sameAddress` is for everything else.
 */
export interface Address {
  readonly family: 4 | 6;
  /** Numeric host: dotted quad, or IPv6 text with its scope where it has one. */
  readonly host: string;
  readonly port: number;
}

/** Whether both name the same host and port. */
export function sameAddress(a: Address, b: Address): boolean {
  return a === b || (a.port === b.port && a.family === b.family && a.host === b.host);
}

/** `192.0.2.1:443` or `[2001:db8::1]:443`. */
export function formatAddress(address: Address): string {
  return address.family === 6 ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
