import type { QuicSession } from 'weir-quic';
import { type Pair, type PairSettings, withPair } from 'weir-quic/sim';
import { GAUGE_ALPN, type GaugeClient, type GaugeServeOptions, openGauge, serveGauge } from '../../src/gauge/index.ts';
import { receiverTransport } from '../../src/peer/index.ts';

/** What both ends of a simulated gauge know. */
export const GAUGE_TOKEN = new Uint8Array(16).fill(7);

/** How a simulated gauge is set up. */
export interface GaugePairSettings extends PairSettings {
  /** The receive windows of the client and of the server, fixed; default: they grow. */
  readonly clientWindow?: number;
  readonly serverWindow?: number;
  readonly serve?: Partial<GaugeServeOptions>;
}

/** Two sessions that speak the gauge's protocol, with nothing said yet. */
export function withGaugeSessions<T>(
  settings: GaugePairSettings,
  scenario: (pair: Pair & { readonly local: QuicSession; readonly remote: QuicSession }) => Promise<T>,
): Promise<T> {
  const { clientWindow, serverWindow, serve: _, client, server, ...rest } = settings;
  return withPair(
    {
      ...rest,
      client: {
        alpn: GAUGE_ALPN,
        keepAlive: 2000,
        transportParams: { ...receiverTransport(clientWindow), initialMaxStreamsBidi: 0 },
        ...client,
      },
      server: { alpn: GAUGE_ALPN, transportParams: receiverTransport(serverWindow), ...server },
    },
    scenario,
  );
}

/** A client that was admitted by a server, in virtual time. `served` settles as `serveGauge` does. */
export function withGauge<T>(
  settings: GaugePairSettings,
  scenario: (
    pair: Pair & {
      readonly local: QuicSession;
      readonly remote: QuicSession;
      readonly gauge: GaugeClient<QuicSession>;
      readonly served: Promise<void>;
    },
  ) => Promise<T>,
): Promise<T> {
  return withGaugeSessions(settings, async (pair) => {
    const served = serveGauge(pair.remote, { token: GAUGE_TOKEN, ...settings.serve });
    served.catch(() => undefined);
    const gauge = await openGauge(pair.local, { token: GAUGE_TOKEN });
    return scenario({ ...pair, gauge, served });
  });
}
