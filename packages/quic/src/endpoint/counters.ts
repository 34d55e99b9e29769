/** What an endpoint has counted, under the names that node:quic has for it. */
export interface EndpointCounts {
  /** UDP payload in bytes, and datagrams. */
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly packetsReceived: number;
  readonly packetsSent: number;
  /** First packets that were refused because the endpoint was busy, or had all the connections that it may have. */
  readonly serverBusyCount: number;
  /** Answers without a connection: how many were given, and how many were not because there had been too many. */
  readonly retryCount: number;
  readonly retryRateLimited: number;
  readonly versionNegotiationCount: number;
  readonly versionNegotiationRateLimited: number;
  readonly statelessResetCount: number;
  readonly statelessResetRateLimited: number;
  readonly immediateCloseCount: number;
  readonly immediateCloseRateLimited: number;
  /** First packets that were dropped because their address had started too many connections. */
  readonly sessionCreationRateLimited: number;
}

/** The counters of one endpoint, to be counted up where things happen. */
export class EndpointCounters implements EndpointCounts {
  bytesReceived = 0;
  bytesSent = 0;
  packetsReceived = 0;
  packetsSent = 0;
  serverBusyCount = 0;
  retryCount = 0;
  retryRateLimited = 0;
  versionNegotiationCount = 0;
  versionNegotiationRateLimited = 0;
  statelessResetCount = 0;
  statelessResetRateLimited = 0;
  immediateCloseCount = 0;
  immediateCloseRateLimited = 0;
  sessionCreationRateLimited = 0;
}
