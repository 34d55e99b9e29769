import type { Address, QuicSession, SessionInfo } from 'weir-quic';
import type { ResultSetup } from '../results/index.ts';

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
    localAddress: addressText(info.local),
    remoteAddress: addressText(info.remote),
  };
}

/** `192.0.2.1:443` or `[2001:db8::1]:443`. */
export function addressText({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
