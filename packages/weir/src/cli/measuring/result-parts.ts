import type { QuicSession, SessionInfo } from 'weir-quic';
import type { ResultSetup } from '../../results/index.ts';
import { hostPort } from '../../text/index.ts';

/** What a result says of the connection. */
export function connectionSetup(
  session: QuicSession,
  info: SessionInfo,
): Omit<ResultSetup, 'streams' | 'iterations' | 'chunkBytes'> {
  const { congestionController, maxDatagramSize } = session.stats;
  return {
    cipher: info.cipher,
    congestionController,
    datagramBytes: maxDatagramSize,
    localAddress: hostPort(info.local),
    remoteAddress: hostPort(info.remote),
  };
}
