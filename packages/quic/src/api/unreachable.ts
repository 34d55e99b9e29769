import { type Address, formatAddress } from '../base/address.ts';
import { QuicError } from './errors.ts';

/** What the system's codes mean to who wants to reach a host at a port. */
const EXPLANATIONS: Readonly<Record<string, (host: string, port: number) => string>> = {
  ECONNREFUSED: (host, port) =>
    `nothing listens at UDP port ${port} of ${host}: is the server running, and is it the right port?`,
  ENETUNREACH: (host) => `no route to ${host} from here: check the address and the network`,
  EHOSTUNREACH: (host) => `no way to ${host}: the host is off, or a router or firewall refuses`,
  EMSGSIZE: (host) =>
    `the interface that leads to ${host} takes no datagrams of 1,200 bytes, which QUIC needs: raise its MTU to 1,280 or more`,
  EPERM: (host, port) => `this machine does not let datagrams to ${host} port ${port} out: check its firewall`,
  EACCES: (host, port) => `datagrams to ${host} port ${port} are not permitted: check the address and the firewalls`,
  EINVAL: (host) => `datagrams to ${host} cannot be sent from here: check the address`,
  ENXIO: (host) => `${host} names a network interface that is not there`,
  ENETDOWN: (host) => `the network interface that leads to ${host} is down`,
};

/** What to tell of a peer whom datagrams don't get to. @param cause the system's error, with its `code`. */
export function unreachable(cause: NodeJS.ErrnoException, to: Address): QuicError {
  const code = cause.code ?? '';
  const told = EXPLANATIONS[code]?.(to.host, to.port);
  const message = told === undefined ? `${formatAddress(to)} cannot be reached: ${cause.message}` : `${told} (${code})`;
  return new QuicError('ERR_QUIC_UNREACHABLE', message, { cause });
}

/**
 * A link-local address means another host on each link (RFC 4007 §6). The kernel would choose a link, and the answers' address would be
 * another one.
 * @throws QuicError ERR_QUIC_UNREACHABLE when `host` is one without its zone.
 */
export function assertZone(host: string, port: number): void {
  if (!/^fe[89ab][0-9a-f]:/iu.test(host) || host.includes('%')) return;
  const message = `[${host}]:${port} is a link-local address and needs its interface: ${host}%eth0, for example`;
  throw new QuicError('ERR_QUIC_UNREACHABLE', message);
}
