import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { DEFAULT_PORT } from '../../peer/index.ts';
import { CliError, ExitCode } from '../exit-codes.ts';

/** Where to listen. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Reads `[::]:12345`, `192.0.2.1:5000`, `localhost`, `:5000`, `::1`, `5000`. @throws CliError. */
export function parseListenAddress(text: string, defaultPort = DEFAULT_PORT): ListenAddress {
  if (isIPv6(text)) return { host: withPlainZone(text), port: defaultPort };
  const match = /^(?:\[([^\]]+)\]|([^\s:[\]]*))(?::(\d{1,5}))?$/u.exec(text);
  if (match === null)
    throw new CliError(ExitCode.USAGE, `'${text}' is no address to listen on: use HOST:PORT or [IPV6]:PORT`);
  const name = match[1] === undefined ? (match[2] ?? '') : withPlainZone(match[1]);
  const isPortAlone = match[3] === undefined && /^\d{1,5}$/u.test(name);
  const port = Number(match[3] ?? (isPortAlone ? name : defaultPort));
  if (port > 65_535) throw new CliError(ExitCode.USAGE, `port ${port} is not between 0 and 65535`);
  return { host: name === '' || isPortAlone ? '::' : name, port };
}

/** A zone may be written as in a URI, `%25eth0` (RFC 6874 §2). */
function withPlainZone(host: string): string {
  return host.replace('%25', '%');
}

/** The hosts by which a receiver can be reached, sorted by who can use them. */
export interface ReachableHosts {
  /** For senders on this machine. */
  readonly local: readonly string[];
  /** For senders elsewhere. */
  readonly remote: readonly string[];
}

/** What to put into tickets of a socket that is bound to `host`. */
export function reachableHosts(host: string, interfaces = networkInterfaces()): ReachableHosts {
  const isAny6 = host === '::';
  if (!isAny6 && host !== '0.0.0.0') {
    return isLoopback(host) ? { local: [host], remote: [] } : { local: [], remote: [host] };
  }
  const addresses = Object.values(interfaces).flatMap((list) => list ?? []);
  const remote = addresses
    .filter(({ internal, address, family }) => !internal && (family === 'IPv4' || (isAny6 && isGlobalIPv6(address))))
    .sort((a, b) => a.family.localeCompare(b.family))
    .map(({ address }) => address);
  return { local: ['127.0.0.1'], remote: [...new Set(remote)].slice(0, 6) };
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.') || host.startsWith('::ffff:127.');
}

/** Link-local addresses need a zone that differs between machines. */
function isGlobalIPv6(address: string): boolean {
  return !/^fe[89ab]/iu.test(address);
}
