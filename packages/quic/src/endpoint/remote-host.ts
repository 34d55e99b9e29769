import type { Address } from '../base/address.ts';

const MAPPED = '::ffff:';

/**
 * What limits for each remote address go by: an IPv4 address, or the /64 of an IPv6 one, all of which its holder has to choose from.
 * A link-local address counts for itself, because all hosts of a link have that /64 in common.
 */
export function remoteHost({ family, host }: Address): string {
  if (family === 4) return host;
  // What a socket for both families says of IPv4.
  if (host.startsWith(MAPPED)) return host.slice(MAPPED.length);
  if (/^fe[89ab]/i.test(host)) return host;
  return groupsOf(host).slice(0, 4).join(':');
}

/** The groups of an IPv6 address as far as its `::`, which is filled up to the first four. */
function groupsOf(host: string): string[] {
  const [head, tail] = host.split('::') as [string, string | undefined];
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array.from({ length: Math.max(0, gap) }, () => '0'), ...right];
}
