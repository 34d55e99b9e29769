/**
 * The program of a PeerProcess: does what it is asked over the channel to the process that started it, and ends when that channel
 * does.
 */
import { randomBytes } from 'node:crypto';
import { listen, makeSelfSigned } from 'weir-quic';
import { GAUGE_ALPN, serveGauge } from '../gauge/index.ts';
import { formatTicket, receiverTransport, TOKEN_BYTES } from '../peer/index.ts';
import { type HostAndPort, parsePath, type Relay, startRelay } from '../relay/index.ts';
import { messageOf } from '../text/index.ts';
import { startTlsServer, type TlsAddress } from './tls-baseline.ts';

/** How a server is to be. */
export interface ServerSettings {
  /** Its receive windows, of the connection and of each stream; null: grown. */
  readonly windowBytes: number | null;
}

/** A path to be emulated. */
export interface PathRequest {
  readonly path: string;
  readonly to: HostAndPort;
  readonly seed: number;
}

/** How well a path was emulated. */
export interface PathReport {
  /** Milliseconds by which one datagram in a hundred came later than the path wanted. */
  readonly lateMs: number;
  /** Datagrams that this machine lost, not the path. */
  readonly lost: number;
}

/** What a peer can be asked. */
export interface PeerCalls {
  /** Serves the gauge on loopback until the process ends. Gives a ticket. */
  serve: { args: ServerSettings; result: string };
  /** Emulates a path until `closePath`; one at a time. */
  openPath: { args: PathRequest; result: HostAndPort };
  closePath: { args: null; result: PathReport };
  /** Serves the baseline on loopback until the process ends. */
  serveTls: { args: null; result: TlsAddress };
  /** CPU of this process so far, user and system, in milliseconds. */
  cpu: { args: null; result: number };
}

export interface PeerRequest {
  readonly id: number;
  readonly call: keyof PeerCalls;
  readonly args: PeerCalls[keyof PeerCalls]['args'];
}

export interface PeerReply {
  readonly id: number;
  readonly result?: PeerCalls[keyof PeerCalls]['result'];
  /** In one line. */
  readonly error?: string;
}

type Handlers = { [K in keyof PeerCalls]: (args: PeerCalls[K]['args']) => Promise<PeerCalls[K]['result']> };

const LOOPBACK = '127.0.0.1';

/** Milliseconds that a path outlives its iteration by, besides its delay: the last packets, the client's goodbye, are on it. */
const AFTERLIFE = 500;

let openPath: { readonly relay: Relay; readonly delay: number } | undefined;

const handlers: Handlers = {
  async serve({ windowBytes }) {
    const identity = await makeSelfSigned({ names: ['weir'], days: 2 });
    const token = new Uint8Array(randomBytes(TOKEN_BYTES));
    const endpoint = await listen(
      // What goes wrong is told by the client, which knows of which iteration it is.
      (session) => void serveGauge(session, { token }).catch(() => undefined),
      {
        address: { host: LOOPBACK, port: 0 },
        identity: { cert: identity.certPem, key: identity.keyPem },
        alpn: GAUGE_ALPN,
        transportParams: receiverTransport(windowBytes ?? undefined),
      },
    );
    return formatTicket({ host: LOOPBACK, port: endpoint.address!.port, pin: identity.pin, token });
  },

  async openPath({ path, to, seed }) {
    await handlers.closePath(null);
    const settings = parsePath(path);
    const relay = await startRelay({ listen: { host: LOOPBACK, port: 0 }, to, path: settings, seed });
    relay.closed.catch(() => undefined);
    openPath = { relay, delay: settings.up.delay + settings.up.jitter };
    return relay.address;
  },

  async closePath() {
    if (openPath === undefined) return { lateMs: 0, lost: 0 };
    const { relay, delay } = openPath;
    openPath = undefined;
    const { up, down, kernelDrops, unsent } = relay.counters;
    setTimeout(() => void relay.close().catch(() => undefined), delay + AFTERLIFE);
    return {
      lateMs: Math.max(up.lateness.p99, down.lateness.p99),
      lost: (kernelDrops ?? 0) + unsent + up.dropped + down.dropped,
    };
  },

  serveTls: () => startTlsServer(),

  async cpu() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
};

async function reply({ id, call, args }: PeerRequest): Promise<PeerReply> {
  try {
    return { id, result: await handlers[call](args as never) };
  } catch (error) {
    return { id, error: messageOf(error) };
  }
}

process.on('disconnect', () => process.exit(0));
process.on('message', (request: PeerRequest) => {
  // Without the other end there is nobody to tell, and 'disconnect' follows.
  void reply(request).then((answer) => process.send?.(answer, undefined, undefined, () => undefined));
});
