import type { PlacesOptions, Strangers } from '../transfer/index.ts';

/** Files, and measurements, at the same time: a file may hold some 100 MiB of memory. */
const PLACES = 6;

/** Of those, from one address. */
const PLACES_EACH = 4;

/** Who waits for a place, in all and from one address. */
const LINE = 32;
const LINE_EACH = 16;

/** Connections that have not shown a token: each takes some 100 kB, and what it sends before is some 100 kB more at most. */
export const STRANGERS = { most: 128, mostEach: 64 };

/** All connections, handshakes included: places and lines of both kinds, strangers, and some room for handshakes. */
export const CONNECTIONS = { maxConnectionsTotal: 512 };

/** Milliseconds between two lines about strangers. */
const STRANGERS_PAUSE = 60_000;

/** The places for `files` or `measurements`. @param most how many; default PLACES. */
export function placesFor(what: 'files' | 'measurements', most = PLACES): PlacesOptions {
  return {
    most,
    mostEach: Math.min(most, PLACES_EACH),
    line: LINE,
    lineEach: LINE_EACH,
    taken: most === 1 ? 'another file' : `other ${what}`,
  };
}

/** What to say of strangers that had to go, if anything. @param sinceMs since that was last said. */
export function strangersLine({ evicted }: Strangers, sinceMs: number): string | undefined {
  if (evicted === 0 || sinceMs < STRANGERS_PAUSE) return undefined;
  return `many connections that show no ticket: the oldest are closed for those who come (${evicted} so far)`;
}
