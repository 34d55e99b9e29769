import { readFileSync } from 'node:fs';
import { BlockList } from 'node:net';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import type { Address } from '../base/address.ts';
import type { Millis } from '../base/time.ts';

/** How long what the system said is believed: interfaces come and go. */
const LIFETIME: Millis = 10_000;
const MAPPED = '::ffff:';

/** What there is to know about a machine's interfaces; tests have their own machine. */
export interface InterfaceSource {
  interfaces(): NodeJS.Dict<NetworkInterfaceInfo[]>;
  /** The text of a file of the system's, or undefined where there is none. */
  read(path: string): string | undefined;
}

const SYSTEM: InterfaceSource = {
  interfaces: networkInterfaces,
  read: (path) => {
    try {
      return readFileSync(path, 'latin1');
    } catch {
      return undefined;
    }
  },
};

/** Tells the MTU of the interface that a datagram leaves by. Known on Linux only, where sysfs has it. */
export class InterfaceMtus {
  readonly #source: InterfaceSource;
  #interfaces: [name: string, addresses: NetworkInterfaceInfo[]][] = [];
  /** By interface name; undefined for unknown. */
  readonly #mtus = new Map<string, number | undefined>();
  #readAt: Millis = Number.NEGATIVE_INFINITY;

  constructor(source: InterfaceSource = SYSTEM) {
    this.#source = source;
  }

  /** The MTU in bytes between a local address, which may be unspecified, and a remote one; undefined when it is not known. */
  between(now: Millis, local: Address, remote: Address): number | undefined {
    if (now - this.#readAt > LIFETIME) {
      this.#readAt = now;
      this.#mtus.clear();
      this.#interfaces = Object.entries(this.#source.interfaces()).map(([name, addresses = []]) => [name, addresses]);
    }
    const name = this.#leadingTo(numeric(local.host), numeric(remote.host));
    return name === undefined ? undefined : this.#mtuOf(name);
  }

  #leadingTo(local: string, remote: string): string | undefined {
    const has = (host: string) => this.#find(({ address }) => address === host);
    // What goes to this machine goes by the loopback interface, whatever the address.
    if (isLoopback(remote) || has(remote) !== undefined) return this.#find(({ internal }) => internal);
    return has(local) ?? this.#find(({ cidr }) => cidr !== null && isWithin(remote, cidr)) ?? this.#default(remote);
  }

  #find(matches: (address: NetworkInterfaceInfo) => boolean): string | undefined {
    return this.#interfaces.find(([, addresses]) => addresses.some(matches))?.[0];
  }

  /** The interface of the default route. */
  #default(remote: string): string | undefined {
    if (remote.includes(':')) {
      const routes = this.#lines('/proc/net/ipv6_route').filter(([to, length]) => length === '00' && /^0+$/u.test(to!));
      return routes.find((route) => route.at(-1) !== 'lo')?.at(-1);
    }
    return this.#lines('/proc/net/route').find((route) => route[1] === '00000000' && route[7] === '00000000')?.[0];
  }

  #lines(path: string): string[][] {
    const text = this.#source.read(path) ?? '';
    return text.split('\n').map((line) => line.trim().split(/\s+/u));
  }

  #mtuOf(name: string): number | undefined {
    if (!this.#mtus.has(name)) {
      const mtu = Number.parseInt(this.#source.read(`/sys/class/net/${name}/mtu`) ?? '', 10);
      this.#mtus.set(name, mtu > 0 ? mtu : undefined);
    }
    return this.#mtus.get(name);
  }
}

/** Without a zone, and as IPv4 when it is that inside (RFC 4291 §2.5.5.2). */
function numeric(host: string): string {
  const bare = host.split('%', 1)[0]!;
  return bare.startsWith(MAPPED) ? bare.slice(MAPPED.length) : bare;
}

function isLoopback(host: string): boolean {
  return host === '::1' || host.startsWith('127.');
}

function isWithin(host: string, cidr: string): boolean {
  const family = host.includes(':') ? 'ipv6' : 'ipv4';
  const [network, length] = cidr.split('/') as [string, string];
  if (network.includes(':') !== host.includes(':')) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(length), family);
  return list.check(host, family);
}
