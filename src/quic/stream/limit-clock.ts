import type { Millis } from '../base/time.ts';

/**
 * What a sender waits for at one moment. Exactly one holds at any time, so the times of all add up to the time that passed.
 *
 * - `handshake`: no 1-RTT keys yet, or the address is not validated (RFC 9000 §8).
 * - `application`: nothing is there to be sent.
 * - `stream_flow_control`, `connection_flow_control`: data is there, the peer's MAX_STREAM_DATA or MAX_DATA allows none of it.
 * - `stream_limit`: a stream waits to be opened for the peer's MAX_STREAMS, and nothing else is there to be sent.
 * - `congestion_window`, `pacing`: data and credit are there, congestion control allows none now.
 * - `kernel`: the socket takes no more.
 * - `event_loop`: the process itself: its own packets' work, other work on the thread, timers that fired late.
 * - `delivery`: everything is sent, FINs included; the last of it is on its way or waits to be acknowledged.
 */
export const SEND_LIMITS = [
  'handshake',
  'application',
  'stream_flow_control',
  'connection_flow_control',
  'stream_limit',
  'congestion_window',
  'pacing',
  'kernel',
  'event_loop',
  'delivery',
] as const;

/**
 * What a receiver waits for at one moment; exactly one holds.
 *
 * - `network`: all that arrived in order was read; the next bytes have not come.
 * - `reassembly`: bytes are there, but none in order: an earlier one is missing.
 * - `application`: bytes are there in order, and the application has not read them.
 * - `event_loop`: the process itself, as above.
 */
export const RECEIVE_LIMITS = ['network', 'reassembly', 'application', 'event_loop'] as const;

export type SendLimit = (typeof SEND_LIMITS)[number];
export type ReceiveLimit = (typeof RECEIVE_LIMITS)[number];

/** Milliseconds for each limit, in the order of SEND_LIMITS or RECEIVE_LIMITS. */
export type LimitTimes = readonly Millis[];
