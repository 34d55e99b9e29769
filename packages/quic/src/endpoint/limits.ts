/** How much strangers may ask of an endpoint, under the names that node:quic has for it. The first three may change at any time. */
export interface EndpointLimits {
  /** Whether new connections are refused for now. */
  busy: boolean;
  /** Connections that clients may have open at once; 0 is no limit. */
  maxConnectionsTotal: number;
  /** The same for one remote address, whatever its ports; the addresses of one IPv6 /64 count as one. 0 is no limit. */
  maxConnectionsPerHost: number;
  /** Connections that one remote address may start a second, and at once; a rate of 0 is no limit. */
  readonly sessionCreationRate: number;
  readonly sessionCreationBurst: number;
  /** Answers without a connection, a second and at once. What is asked beyond that is not answered. */
  readonly retryRate: number;
  readonly retryBurst: number;
  readonly versionNegotiationRate: number;
  readonly versionNegotiationBurst: number;
  readonly statelessResetRate: number;
  readonly statelessResetBurst: number;
  readonly immediateCloseRate: number;
  readonly immediateCloseBurst: number;
}

/** node:quic's, but for the rate of new connections, which it sets to 50 a second for each address. */
export const DEFAULT_LIMITS: Readonly<EndpointLimits> = {
  busy: false,
  maxConnectionsTotal: 0,
  maxConnectionsPerHost: 0,
  sessionCreationRate: 0,
  sessionCreationBurst: 100,
  retryRate: 100,
  retryBurst: 200,
  versionNegotiationRate: 100,
  versionNegotiationBurst: 200,
  statelessResetRate: 100,
  statelessResetBurst: 200,
  immediateCloseRate: 100,
  immediateCloseBurst: 200,
};
