import type { TransportOptions } from 'weir-quic';

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
  };
}

/** Bulk is all that comes, so windows start large. A given size is for connection and stream alike, and stays. */
function windows(bytes: number | undefined): Partial<TransportOptions> {
  const stream = bytes ?? 4 << 20;
  return {
    initialMaxData: bytes ?? 8 << 20,
    initialMaxStreamDataBidiLocal: stream,
    initialMaxStreamDataBidiRemote: stream,
    initialMaxStreamDataUni: stream,
    ...(bytes !== undefined && { maxStreamWindow: bytes, maxConnectionWindow: bytes }),
  };
}
