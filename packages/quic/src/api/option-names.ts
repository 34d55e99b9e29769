import type { TransportOptions } from '../connection/options.ts';
import { QuicError } from './errors.ts';
import type {
  CloseOptions,
  ConnectOptions,
  EndpointOptions,
  ListenOptions,
  SessionOptions,
  StreamOptions,
  WaitOptions,
} from './options.ts';

/** Every name that a kind of options has: the compiler sees to it that none is missing. */
type Names<T> = Readonly<Record<keyof T, true>>;

const SESSION: Names<SessionOptions> = {
  alpn: true,
  endpoint: true,
  transportParams: true,
  cc: true,
  datagramSize: true,
  handshakeTimeout: true,
  keepAlive: true,
  ciphers: true,
  groups: true,
  versions: true,
  ecn: true,
  keylog: true,
  qlog: true,
  qlogDialect: true,
  openQlog: true,
  observe: true,
  onstream: true,
  ondatagram: true,
  onhandshake: true,
  onkeylog: true,
  onqlog: true,
  onerror: true,
};

const CONNECT: Names<ConnectOptions> = {
  ...SESSION,
  servername: true,
  verifyPeer: true,
  ca: true,
  identity: true,
  token: true,
  onnewtoken: true,
  signal: true,
};

const LISTEN: Names<ListenOptions> = {
  ...SESSION,
  address: true,
  identity: true,
  sni: true,
  clientAuth: true,
  verifyPeer: true,
  ca: true,
  onhandshakeerror: true,
  signal: true,
};

const ENDPOINT: Names<EndpointOptions> = {
  address: true,
  validateAddress: true,
  maxConnectionsTotal: true,
  maxConnectionsPerHost: true,
  sessionCreationRate: true,
  sessionCreationBurst: true,
  retryRate: true,
  retryBurst: true,
  versionNegotiationRate: true,
  versionNegotiationBurst: true,
  statelessResetRate: true,
  statelessResetBurst: true,
  immediateCloseRate: true,
  immediateCloseBurst: true,
  host: true,
};

const TRANSPORT: Names<TransportOptions> = {
  maxIdleTimeout: true,
  initialMaxData: true,
  initialMaxStreamDataBidiLocal: true,
  initialMaxStreamDataBidiRemote: true,
  initialMaxStreamDataUni: true,
  initialMaxStreamsBidi: true,
  initialMaxStreamsUni: true,
  maxStreamWindow: true,
  maxConnectionWindow: true,
  maxAckDelay: true,
  ackDelayExponent: true,
  activeConnectionIdLimit: true,
  maxUdpPayloadSize: true,
  maxDatagramFrameSize: true,
};

const STREAM: Names<StreamOptions> = {
  body: true,
  budget: true,
  priority: true,
  incremental: true,
  waitUntilAvailable: true,
  signal: true,
};

const CLOSE: Names<CloseOptions & WaitOptions> = { code: true, type: true, reason: true, signal: true };

const KINDS = {
  connect: CONNECT,
  listen: LISTEN,
  endpoint: ENDPOINT,
  transportParams: TRANSPORT,
  stream: STREAM,
  close: CLOSE,
} as const;

/**
 * Refuses what no option is called: in silence it would be left at its default.
 * @param kind whose options they are
 * @throws QuicError ERR_QUIC_INVALID_ARGUMENT with the name, and the known one that is nearest to it.
 */
export function assertOptions(kind: keyof typeof KINDS, options: object): void {
  const names: object = KINDS[kind];
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(names, name)) continue;
    const nearest = nearestOf(name, Object.keys(names));
    const message = `${kind} has no option '${name}'; the nearest that it has is '${nearest}'`;
    throw new QuicError('ERR_QUIC_INVALID_ARGUMENT', message);
  }
}

function nearestOf(name: string, names: readonly string[]): string {
  // More of a name makes no difference, and the work grows with its length.
  const wanted = name.slice(0, 64).toLowerCase();
  const distances = names.map((known) => distance(wanted, known.toLowerCase()));
  return names[distances.indexOf(Math.min(...distances))]!;
}

/** How many letters must be put in, taken out or replaced to make one word of another. */
function distance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = previous[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, previous[j]! + 1, row[j - 1]! + 1));
    }
    previous = row;
  }
  return previous[to.length]!;
}
