import { readFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { endianness } from 'node:os';

/** A bound UDP socket's own address. */
interface LocalAddress {
  readonly address: string;
  readonly port: number;
}

/**
 * Datagrams that the kernel has thrown away because nobody read these sockets in time (Linux, /proc/net/udp: the last column,
 * proc(5)). null where the system does not tell.
 */
export function kernelDrops(sockets: readonly LocalAddress[]): number | null {
  const wanted = new Set(sockets.map(({ address, port }) => `${addressWords(address)}:${hex(port, 4)}`));
  let drops = 0;
  let found = 0;
  for (const file of ['/proc/net/udp', '/proc/net/udp6']) {
    for (const row of rows(file)) {
      const columns = row.trim().split(/\s+/u);
      if (!wanted.has(columns[1] ?? '')) continue;
      found++;
      drops += Number(columns.at(-1));
    }
  }
  return found === 0 || Number.isNaN(drops) ? null : drops;
}

function rows(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(1);
  } catch {
    return []; // not Linux, or no IPv6
  }
}

/** How /proc/net/udp writes an address: words of 32 bits as this machine reads them in memory. */
export function addressWords(address: string): string {
  const bytes = isIPv4(address) ? address.split('.').map(Number) : ipv6Bytes(address);
  const little = endianness() === 'LE';
  let text = '';
  for (let at = 0; at < bytes.length; at += 4) {
    const word = bytes.slice(at, at + 4);
    text += (little ? word.reverse() : word).map((byte) => hex(byte, 2)).join('');
  }
  return text;
}

/** The 16 bytes of an IPv6 address (RFC 4291 §2.2), its zone left out. */
function ipv6Bytes(text: string): number[] {
  const [head = '', tail] = text.replace(/%.*$/u, '').split('::');
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  return [...before, ...new Array<number>(Math.max(0, 16 - before.length - after.length)).fill(0), ...after];
}

function groups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0');
}
