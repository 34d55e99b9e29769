import type { Address } from '../../base/address.ts';
import { AF_INET, AF_INET6, Errno, type Libc, scratch, systemError } from './libc.ts';

/** A sockaddr_in6 is seven words long, a sockaddr_in four. */
export const SOCKADDR_WORDS = 7;
const SOCKADDR_IN_BYTES = 16;
const SOCKADDR_IN6_BYTES = 28;
/** Room for the text of an IPv6 address and for an interface's name (INET6_ADDRSTRLEN, IF_NAMESIZE). */
const TEXT_BYTES = 46;
const NAME_BYTES = 16;
/** The third word of an IPv4-mapped IPv6 address, `::ffff:a.b.c.d`, in memory order. */
const MAPPED_WORD = 0xffff0000 | 0;
/** How many addresses stay interned; strangers' datagrams must not fill memory. */
const MAX_ADDRESSES = 16_384;

/** An address of this datapath, with the sockaddr that the kernel takes for it. */
export class SocketAddress implements Address {
  readonly family: 4 | 6;
  readonly host: string;
  readonly port: number;
  /** The sockaddr, as it lies in memory. */
  readonly words: Int32Array;
  /** Bytes of the sockaddr. */
  readonly length: number;
  /** Whether datagrams to it leave as IPv4, be it through a dual-stack socket. */
  readonly isIpv4: boolean;
  /** Our address that it last sent to, where the socket has several: word 0 for IPv4, all four for IPv6. */
  readonly local = new Int32Array(4);
  /** Whether `local` is known. */
  hasLocal = false;

  constructor(family: 4 | 6, host: string, words: Int32Array) {
    this.family = family;
    this.host = host;
    this.port = portOf(words);
    this.words = words;
    this.length = family === 6 ? SOCKADDR_IN6_BYTES : SOCKADDR_IN_BYTES;
    this.isIpv4 = family === 4 || isMapped(words);
  }

  /** Whether the sockaddr at the start of `words` is this one. */
  matches(words: Int32Array): boolean {
    const own = this.words;
    if (own[0] !== words[0]) return false;
    if (this.family === 4) return own[1] === words[1];
    // Word 1 is the flow label: not part of who it is.
    return (
      own[5] === words[5] && own[4] === words[4] && own[3] === words[3] && own[2] === words[2] && own[6] === words[6]
    );
  }
}

function isMapped(words: Int32Array): boolean {
  return words[2] === 0 && words[3] === 0 && words[4] === MAPPED_WORD;
}

/** The port is in network order behind the 16-bit family, which is in the machine's (little-endian). */
function portOf(words: Int32Array): number {
  const word = words[0]!;
  return ((word >>> 8) & 0xff00) | (word >>> 24);
}

/**
 * Writes the sockaddr of a numeric host, IPv6 with its scope where it has one, into `out`.
 * @throws EINVAL when the host is not a numeric one of the family, ENXIO when there is no interface of its scope's name
 */
export function encodeSockaddr(libc: Libc, family: 4 | 6, host: string, port: number, out: Int32Array): void {
  const { address, words } = scratch();
  const [numeric = '', scope] = host.split('%', 2);
  words.fill(0, 0, 4);
  if (libc.inet_pton(family === 6 ? AF_INET6 : AF_INET, numeric, address) !== 1) {
    throw systemError('inet_pton', Errno.EINVAL, host);
  }
  const portWord = ((port & 0xff) << 24) | ((port & 0xff00) << 8);
  out.fill(0);
  if (family === 4) {
    out[0] = AF_INET | portWord;
    out[1] = words[0]!;
    return;
  }
  out[0] = AF_INET6 | portWord;
  out.set(words.subarray(0, 4), 2);
  if (scope === undefined) return;
  out[6] = /^\d+$/.test(scope) ? Number(scope) : libc.if_nametoindex(scope);
  // Without one the kernel would say EINVAL, which tells nothing.
  if (out[6] === 0) throw systemError('if_nametoindex', Errno.ENXIO, host);
}

/** The numeric text of a sockaddr's host. */
export function hostOf(libc: Libc, family: 4 | 6, sockaddr: Int32Array): string {
  const { address, bytes, words } = scratch();
  const textAt = 16;
  const nameAt = textAt + TEXT_BYTES;
  if (family === 4) words[0] = sockaddr[1]!;
  else words.set(sockaddr.subarray(2, 6));
  libc.inet_ntop(family === 6 ? AF_INET6 : AF_INET, address, address + textAt, TEXT_BYTES);
  const text = cString(bytes, textAt, TEXT_BYTES);
  const scope = family === 6 ? sockaddr[6]! : 0;
  if (scope === 0) return text;
  const named = libc.if_indextoname(scope, address + nameAt) !== 0;
  return `${text}%${named ? cString(bytes, nameAt, NAME_BYTES) : scope}`;
}

function cString(bytes: Uint8Array, start: number, limit: number): string {
  const zero = bytes.indexOf(0, start);
  const end = zero < 0 || zero > start + limit ? start + limit : zero;
  return String.fromCharCode(...bytes.subarray(start, end));
}

/** The interned addresses of one socket: the same host and port are the same object. */
export class AddressTable {
  readonly #libc: Libc;
  readonly #family: 4 | 6;
  readonly #byKey = new Map<number, SocketAddress>();
  /** Makes the keys of IPv6 addresses unpredictable to who would have them collide. */
  readonly #seed = Math.floor(Math.random() * 2 ** 32) | 0;
  readonly #encoded = new Int32Array(SOCKADDR_WORDS);

  constructor(libc: Libc, family: 4 | 6) {
    this.#libc = libc;
    this.#family = family;
  }

  /**
   * The address of a numeric host and port; a dual-stack socket knows IPv4 hosts by their mapped addresses (RFC 4291 §2.5.5.2).
   * @throws EINVAL when the socket cannot reach that family, or the host is not numeric
   */
  of(family: 4 | 6, host: string, port: number): SocketAddress {
    const numeric = family === 4 && this.#family === 6 ? `::ffff:${host}` : host;
    encodeSockaddr(this.#libc, this.#family, numeric, port, this.#encoded);
    return this.intern(this.#encoded);
  }

  /** The address whose sockaddr starts `words`, which may be written again afterwards. */
  intern(words: Int32Array): SocketAddress {
    const key = this.#key(words);
    const known = this.#byKey.get(key);
    if (known?.matches(words)) return known;
    if (this.#byKey.size >= MAX_ADDRESSES) this.#byKey.clear();
    const own = words.slice(0, SOCKADDR_WORDS);
    if (this.#family === 4) own.fill(0, 2);
    else own[1] = 0;
    const address = new SocketAddress(this.#family, hostOf(this.#libc, this.#family, own), own);
    this.#byKey.set(key, address);
    return address;
  }

  /** A number for the map: exact for IPv4 (host and port are 48 bits), 53 mixed bits for IPv6. */
  #key(words: Int32Array): number {
    if (this.#family === 4) return (words[1]! >>> 0) * 0x10000 + (words[0]! >>> 16);
    let a = this.#seed ^ words[0]!;
    let b = words[6]!;
    for (let i = 2; i < 6; i++) {
      a = Math.imul(a ^ words[i]!, 0x9e3779b1);
      a ^= a >>> 15;
      b = Math.imul(b + a, 0x85ebca6b);
      b ^= b >>> 13;
    }
    return (a >>> 0) * 0x200000 + (b >>> 11);
  }
}
