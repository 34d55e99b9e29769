import { isIP } from 'node:net';
import type { Timer } from '../driver/runtime.ts';
import { parseAddress } from './address.ts';
import { CONNECTION_ATTEMPT_DELAY } from './constants.ts';
import { type ListeningEndpoint, QuicEndpoint } from './endpoint.ts';
import { QuicError } from './errors.ts';
import type { EndpointHost, ResolvedHost } from './host.ts';
import { open, serve, unlessAborted, worldOf } from './internal.ts';
import { nodeHost } from './node-host.ts';
import { assertOptions } from './option-names.ts';
import type { AddressLike, ConnectOptions, EndpointOptions, ListenOptions, OnSession } from './options.ts';
import type { QuicSession } from './session.ts';

/**
 * Starts a session as a client and resolves when its handshake is complete. A host name's addresses are tried in order, the
 * next one when the last has failed or not answered for 250 ms (RFC 8305 §5); the first to answer wins.
 * @throws QuicError ERR_QUIC_HANDSHAKE_FAILED (with `alert`), ERR_QUIC_HANDSHAKE_TIMEOUT, ERR_QUIC_HOST_NOT_FOUND,
 * ERR_QUIC_UNREACHABLE, ERR_QUIC_SOCKET, ERR_QUIC_INVALID_ARGUMENT and others; the signal's reason when it aborts.
 */
export async function connect(address: AddressLike, options: ConnectOptions): Promise<QuicSession> {
  assertOptions('connect', options);
  const { host: name, port } = parseAddress(address);
  if (port === 0)
    throw new QuicError('ERR_QUIC_INVALID_ARGUMENT', 'port 0 cannot be connected to: give the port of the server');
  options.signal?.throwIfAborted();
  const shared = options.endpoint instanceof QuicEndpoint ? options.endpoint : undefined;
  const own = shared === undefined ? (options.endpoint as EndpointOptions | undefined) : undefined;
  const host = shared?.[worldOf] ?? own?.host ?? nodeHost();
  const candidates = usable(await unlessAborted(resolve(host, name), options.signal), name, shared, own);
  options.signal?.throwIfAborted();
  return firstOf(candidates, host, options.signal, async (candidate, signal) => {
    if (shared !== undefined) return shared[open](candidate, { host: name, port }, options, signal);
    const endpoint = new QuicEndpoint({ ...own, host });
    try {
      const session = await endpoint[open](candidate, { host: name, port }, options, signal);
      // The endpoint is the session's own: it goes when the session does.
      void endpoint.close();
      return session;
    } catch (error) {
      // Nobody has it: it must not hold the process while the connection is laid to rest (RFC 9000 §10.2).
      void endpoint.unref().close();
      throw error;
    }
  });
}

/**
 * Accepts sessions as a server. `onsession` is called with each one whose handshake is complete.
 * @throws QuicError ERR_QUIC_SOCKET when the address cannot be bound, ERR_QUIC_INVALID_ARGUMENT.
 */
export async function listen(onsession: OnSession, options: ListenOptions): Promise<ListeningEndpoint> {
  assertOptions('listen', options);
  options.signal?.throwIfAborted();
  if (options.endpoint instanceof QuicEndpoint && options.address !== undefined) {
    throw new QuicError('ERR_QUIC_INVALID_ARGUMENT', 'address: the endpoint has one of its own; give it there');
  }
  const endpoint =
    options.endpoint instanceof QuicEndpoint
      ? options.endpoint
      : new QuicEndpoint({ ...(options.address !== undefined && { address: options.address }), ...options.endpoint });
  await endpoint[serve](onsession, options);
  return endpoint as ListeningEndpoint;
}

async function resolve(host: EndpointHost, name: string): Promise<readonly ResolvedHost[]> {
  try {
    return await host.resolve(name);
  } catch (cause) {
    throw new QuicError('ERR_QUIC_HOST_NOT_FOUND', `no address found for ${name}: is the name right?`, { cause });
  }
}

/** The addresses that the endpoint's socket can reach. */
function usable(
  candidates: readonly ResolvedHost[],
  name: string,
  shared: QuicEndpoint | undefined,
  own: EndpointOptions | undefined,
): readonly ResolvedHost[] {
  const bound = shared?.address?.host ?? (own?.address === undefined ? undefined : parseAddress(own.address).host);
  // A socket on `::` reaches IPv4 hosts too; a host name's family shows when it is bound.
  const family = bound === undefined || bound === '::' ? undefined : isIP(bound) || undefined;
  const reachable = candidates.filter((candidate) => family === undefined || candidate.family === family);
  if (reachable.length === 0) {
    throw new QuicError(
      'ERR_QUIC_HOST_NOT_FOUND',
      `${name} has no IPv${family} address, which the endpoint's socket needs`,
    );
  }
  return reachable;
}

function isUnreachable(error: unknown): boolean {
  return error instanceof QuicError && error.code === 'ERR_QUIC_UNREACHABLE';
}

type Attempt = (candidate: ResolvedHost, signal: AbortSignal) => Promise<QuicSession>;

/** Runs attempts, each a little after the one before, and gives the first session that opens. */
function firstOf(
  candidates: readonly ResolvedHost[],
  host: EndpointHost,
  signal: AbortSignal | undefined,
  attempt: Attempt,
): Promise<QuicSession> {
  return new Promise((resolve, reject) => {
    const stops: AbortController[] = [];
    let next = 0;
    let running = 0;
    let firstError: unknown;
    let timer: Timer | undefined;
    let isDone = false;
    const finish = (winner: number) => {
      isDone = true;
      timer?.cancel();
      signal?.removeEventListener('abort', onAbort);
      for (const [i, stop] of stops.entries())
        if (i !== winner) stop.abort(new QuicError('ERR_QUIC_SESSION_CLOSED', 'another address answered first'));
    };
    const onAbort = () => {
      for (const stop of stops) stop.abort(signal!.reason);
      finish(-1);
      reject(signal!.reason);
    };
    const start = () => {
      timer?.cancel();
      if (isDone || next === candidates.length) return;
      const i = next++;
      const stop = new AbortController();
      stops.push(stop);
      running++;
      if (next < candidates.length) timer = host.runtime.setTimer(host.runtime.now() + CONNECTION_ATTEMPT_DELAY, start);
      attempt(candidates[i]!, stop.signal).then(
        (session) => {
          if (isDone) return session.destroy();
          finish(i);
          resolve(session);
        },
        (error) => {
          running--;
          // A machine without IPv6 says so of each IPv6 address: any other error tells more.
          if (firstError === undefined || (isUnreachable(firstError) && !isUnreachable(error))) firstError = error;
          if (isDone) return;
          if (next < candidates.length) start();
          else if (running === 0) {
            finish(-1);
            reject(firstError);
          }
        },
      );
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    start();
  });
}
