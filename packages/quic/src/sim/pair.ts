import { connect, listen, type QuicEndpoint, type QuicSession } from '../api/index.ts';
import type { ConnectOptions, EndpointOptions, ListenOptions } from '../api/options.ts';
import { SERVER_CERT, SERVER_KEY, SERVER_PIN } from './identity.ts';
import { type LinkSettings, World, type WorldSettings } from './index.ts';

export const SERVER_HOST = '192.0.2.1';
export const CLIENT_HOST = '192.0.2.2';
export const SERVER_PORT = 4433;

/** How a simulated client and server are set up. */
export interface PairSettings extends Omit<WorldSettings, 'path'> {
  /** Both directions of the path. */
  readonly path?: Partial<LinkSettings>;
  /** The client's direction, where it differs. */
  readonly up?: Partial<LinkSettings>;
  readonly down?: Partial<LinkSettings>;
  readonly client?: Partial<ConnectOptions>;
  readonly server?: Partial<ListenOptions>;
  /** The server's endpoint. */
  readonly endpoint?: Omit<EndpointOptions, 'address' | 'host'>;
}

/** A connected pair, or what it takes to connect one. */
export interface Pair {
  readonly world: World;
  readonly server: QuicEndpoint;
  readonly accepted: QuicSession[];
  /** Connects another client from `host`. */
  connect(options?: Partial<ConnectOptions>, host?: string): Promise<QuicSession>;
}

/** Runs a scenario with a server that listens at 192.0.2.1:4433, in virtual time. */
export function withServer<T>(settings: PairSettings, scenario: (pair: Pair) => Promise<T>): Promise<T> {
  const { path, up, down, client, server, endpoint, ...rest } = settings;
  const world = new World({
    ...rest,
    path: (from) => (from === SERVER_HOST ? { ...path, ...down } : { ...path, ...up }),
  });
  return world.run(async () => {
    const accepted: QuicSession[] = [];
    const listening = await listen((session) => accepted.push(session), {
      alpn: 'test',
      identity: { cert: SERVER_CERT, key: SERVER_KEY },
      endpoint: { ...endpoint, address: `${SERVER_HOST}:${SERVER_PORT}`, host: world.host(SERVER_HOST) },
      ...server,
    });
    return scenario({
      world,
      server: listening,
      accepted,
      connect: (options, host = CLIENT_HOST) =>
        connect(`${SERVER_HOST}:${SERVER_PORT}`, {
          alpn: 'test',
          verifyPeer: { pin: SERVER_PIN },
          endpoint: { host: world.host(host) },
          ...client,
          ...options,
        }),
    });
  });
}

/** The same with one client connected. `remote` is the server's session. */
export function withPair<T>(
  settings: PairSettings,
  scenario: (pair: Pair & { readonly local: QuicSession; readonly remote: QuicSession }) => Promise<T>,
): Promise<T> {
  return withServer(settings, async (pair) => {
    const local = await pair.connect();
    while (pair.accepted.length === 0) await pair.world.sleep(1);
    return scenario({ ...pair, local, remote: pair.accepted[0]! });
  });
}

/** The bytes of a made-up file: byte i depends on `key` and i, so that misplaced bytes show. */
export function contentOf(key: number, start: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const at = start + i;
    bytes[i] = (Math.imul(at ^ (key * 0x9e3779b1), 0x85ebca6b) >>> 24) ^ (at >>> 8);
  }
  return bytes;
}

/** Where `piece`, read at `start`, differs from the content of `key`; -1 when it does not. */
export function firstDifference(key: number, start: number, piece: Uint8Array): number {
  const expected = contentOf(key, start, piece.length);
  for (let i = 0; i < piece.length; i++) if (piece[i] !== expected[i]) return start + i;
  return -1;
}
