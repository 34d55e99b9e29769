import type { Cause } from '../results/index.ts';

/** A limit as a report shows it. */
export interface LimitStyle {
  /** As in SEND_LIMITS or RECEIVE_LIMITS of weir-quic. */
  readonly name: string;
  readonly label: string;
  readonly meaning: string;
  /** The CSS custom property that has its colour. */
  readonly color: string;
}

/** In the order of SEND_LIMITS, which is the order of a sender's Series.limitMs. */
export const SEND_LIMIT_STYLES: readonly LimitStyle[] = [
  style('handshake', 'handshake', 'the connection was not yet set up'),
  style('application', 'application', 'there was nothing to send: reading or hashing the file'),
  style('stream_flow_control', 'stream window', 'the receiver allowed no more on the stream (MAX_STREAM_DATA)'),
  style('connection_flow_control', 'connection window', 'the receiver allowed no more in all (MAX_DATA)'),
  style('stream_limit', 'stream limit', 'the receiver allowed no further stream (MAX_STREAMS)'),
  style(
    'congestion_window',
    'congestion window',
    'congestion control: as much is under way as the path is taken to bear',
  ),
  style('pacing', 'pacing', 'congestion control: packets are spread over the round trip'),
  style('kernel', 'kernel', 'the socket took no more'),
  style('event_loop', 'event loop', 'the sending process itself was busy'),
  style('delivery', 'delivery', 'all was sent; the last of it was on its way'),
];

/** In the order of RECEIVE_LIMITS. */
export const RECEIVE_LIMIT_STYLES: readonly LimitStyle[] = [
  style('network', 'network', 'the next bytes had not come'),
  style('reassembly', 'reassembly', 'an earlier packet was missing'),
  style('application', 'application', 'data was there and not yet read: hashing or writing the file'),
  style('event_loop', 'event loop', 'the receiving process itself was busy'),
];

/** What a cause of the explanation is called: a limit, or several that have one remedy. */
export function limitName(cause: Cause): string {
  if (cause === 'path') return 'path';
  const styles = [...SEND_LIMIT_STYLES, ...RECEIVE_LIMIT_STYLES];
  return styles.find(({ name }) => name === cause)?.label ?? cause;
}

function style(name: string, label: string, meaning: string): LimitStyle {
  return { name, label, meaning, color: `--limit-${name.replaceAll('_', '-')}` };
}
