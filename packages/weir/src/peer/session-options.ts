import type { TransportOptions } from 'weir-quic';
import { MAX_STREAMS } from './bounds.ts';

/** Milliseconds without a packet after which a peer counts as gone. With one keep-alive before that, 10 seconds at most. */
const IDLE_TIMEOUT = 8_000;

/**
 * Milliseconds of silence after which the client sends a PING: a receiver with a slow disk is not a dead one. The server sends
 * none, because each would put off by as much the moment at which it notices that the client is gone (RFC 9000 §10.1).
 */
export const KEEP_ALIVE = 2_000;

/** Milliseconds to wait for the first answer. */
export const HANDSHAKE_TIMEOUT = 10_000;

/**
 * The window of the control stream. A hello is 4 KiB at most, and what a stranger sends beyond that is held until it is gone: this, and nothing else,
 * because the API takes no datagrams and data streams are turned away until there is an offer.
 */
const CONTROL_WINDOW = 64 << 10;

/** What the sender of a file announces. */
export const SENDER_TRANSPORT: Partial<TransportOptions> = {
  maxIdleTimeout: IDLE_TIMEOUT,
  initialMaxStreamsBidi: 0,
  initialMaxStreamsUni: 0,
};

/**
 * What a receiver announces: room for one control stream and the data streams of one iteration. The windows start large: a
 * receiver is there for bulk, and on short paths its own pauses, not the path, decide how much must be under way. With
 * `windowBytes`, the windows of the connection and of each stream are that large and don't grow.
 */
export function receiverTransport(windowBytes?: number): Partial<TransportOptions> {
  return {
    maxIdleTimeout: IDLE_TIMEOUT,
    initialMaxStreamDataBidiRemote: CONTROL_WINDOW,
    initialMaxStreamsBidi: 1,
    initialMaxStreamsUni: MAX_STREAMS,
    ...(windowBytes === undefined
      ? { initialMaxData: 8 << 20, initialMaxStreamDataUni: 4 << 20 }
      : {
          initialMaxData: windowBytes,
          initialMaxStreamDataUni: windowBytes,
          maxConnectionWindow: windowBytes,
          maxStreamWindow: windowBytes,
        }),
  };
}
