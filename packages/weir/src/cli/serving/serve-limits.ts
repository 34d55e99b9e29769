import type { PlacesOptions } from '../../peer/index.ts';

/** Files, and measurements, at the same time: a file may hold some 100 MiB of memory. */
const PLACES = 6;

/** Of those, from one address. */
const PLACES_EACH = 4;

/** Who waits for a place, in all and from one address. */
const LINE = 32;
const LINE_EACH = 16;

/** Connections that have not shown a token: each takes some 100 kB, and what it sends before is some 100 kB more at most. */
export const STRANGERS = { most: 80, mostEach: 40 };

/** All connections, handshakes included: places and lines of both kinds, strangers, and some room for handshakes. */
export const CONNECTIONS = { maxConnectionsTotal: 512, maxConnectionsPerHost: 256 };

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
