import type { TransportOptions } from 'weir-quic';
import type { CapacityOptions } from './capacity.ts';

/** Streams that a server lets a client have open at a time. */
export const MAX_PERF_STREAMS = 1024;

/** Unidirectional requests of one client that are answered at a time; the others are not read until then. */
export const MAX_UNIDIRECTIONAL = 100;

/**
 * Milliseconds without a byte of any request or answer after which a client gives a server up, and a server a client: an idle timeout
 * does not end a peer that is there and silent. Noticed after one to two of them.
 */
export const CLIENT_PATIENCE = 20_000;
export const SERVER_PATIENCE = 30_000;

/** Milliseconds without a packet after which the peer counts as gone. */
const IDLE_TIMEOUT = 10_000;

/** What a client announces. Without a `windowBytes`, windows grow as far as the library lets them. */
export function clientTransport(windowBytes?: number): Partial<TransportOptions> {
  return {
    maxIdleTimeout: IDLE_TIMEOUT,
    initialMaxStreamsBidi: 0,
    initialMaxStreamsUni: 0,
    ...windows(windowBytes),
  };
}

/** What a server announces. */
export function serverTransport(windowBytes?: number): Partial<TransportOptions> {
  return {
    maxIdleTimeout: IDLE_TIMEOUT,
    initialMaxStreamsBidi: MAX_PERF_STREAMS,
    initialMaxStreamsUni: MAX_UNIDIRECTIONAL,
    ...windows(windowBytes),
    // Until it is known how many share the server.
    ...(windowBytes === undefined && { initialMaxData: SERVER_CAPACITY.leastWindow }),
  };
}

/** What all clients of a server may hold together. A stream whose answer nobody takes costs 7 kB. */
export const SERVER_CAPACITY: CapacityOptions = {
  windowBytes: 32 << 20,
  leastWindow: 1 << 20,
  mostWindow: 16 << 20,
  streams: 2048,
};

/** Bytes of a client's receive window as soon as its share of the server allows. */
export const FIRST_WINDOW = 8 << 20;

/** Bulk is all that comes, so windows start large. A given size is for connection and stream alike, and stays. */
function windows(bytes: number | undefined): Partial<TransportOptions> {
  const stream = bytes ?? 4 << 20;
  return {
    initialMaxData: bytes ?? FIRST_WINDOW,
    initialMaxStreamDataBidiLocal: stream,
    initialMaxStreamDataBidiRemote: stream,
    initialMaxStreamDataUni: stream,
    ...(bytes !== undefined && { maxStreamWindow: bytes, maxConnectionWindow: bytes }),
  };
}
