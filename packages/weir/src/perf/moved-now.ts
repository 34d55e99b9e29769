import type { QuicSession } from 'weir-quic';

/** Bytes that have moved on the streams that are open now, both ways. */
export function movedNow(session: QuicSession): number {
  let bytes = 0;
  for (const { stats } of session.streams) bytes += stats.bytesReceived + stats.bytesAcked;
  return bytes;
}
