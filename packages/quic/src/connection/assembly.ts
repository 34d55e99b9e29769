import type { Address } from '../base/address.ts';
import { Ecn } from '../base/batch.ts';
import { BASE_DATAGRAM_SIZE } from '../base/datagram-size.ts';
import type { Deque } from '../base/deque.ts';
import type { Millis } from '../base/time.ts';
import { Recovery } from '../recovery/recovery.ts';
import { Streams } from '../stream/streams.ts';
import { TurnClock } from '../stream/turn-clock.ts';
import type { HandshakeSummary } from '../tls/session.ts';
import { Space } from '../wire/frame-type.ts';
import type { Header } from '../wire/header.ts';
import { encodeTransportParameters } from '../wire/transport-parameters.ts';
import { Compose } from './compose.ts';
import { type ConnectionTimes, Counters } from './counters.ts';
import { DatagramQueue } from './datagram-queue.ts';
import { Deadlines } from './deadlines.ts';
import { Dispatch } from './dispatch.ts';
import { EarlyRetransmission } from './early-retransmission.ts';
import type { ConnectionEvent } from './events.ts';
import { FrameEffects } from './frame-effects.ts';
import { Handshake } from './handshake.ts';
import { IdleTimer } from './idle-timer.ts';
import { Lifecycle } from './lifecycle.ts';
import { Limits } from './limits.ts';
import { LocalConnectionIds } from './local-connection-ids.ts';
import { localParameters } from './local-parameters.ts';
import { Observation } from './observation.ts';
import { Opening } from './opening.ts';
import { PathMtu } from './path-mtu.ts';
import { Paths } from './paths.ts';
import { PendingFrames } from './pending-frames.ts';
import { Receive } from './receive.ts';
import { RemoteConnectionIds } from './remote-connection-ids.ts';
import { Spaces } from './spaces.ts';
import type { ConnectionStart } from './start.ts';
import { streamEvents } from './stream-event-queue.ts';
import { Transmit } from './transmit.ts';

/** What the components report to the connection that they make up. */
export interface ConnectionHooks {
  /** The largest datagram of RFC 9221, in bytes, that a packet can hold now. */
  maxDatagramLength(): number;
  /** The peer's transport parameters arrived. Throws a TransportError when they are not acceptable. */
  onPeerParameters(bytes: Uint8Array): void;
  /** TLS is complete on this side. */
  onComplete(summary: HandshakeSummary): void;
  /** RFC 9001 §4.1.2. */
  onHandshakeConfirmed(now: Millis): void;
  /** A client has sent its first Handshake packet. */
  onHandshakeSent(): void;
  onLongPacket(space: Space, source: Address): void;
  onPeerKeyUpdate(now: Millis): void;
  onRetry(bytes: Uint8Array, header: Header): void;
  onVersionNegotiation(bytes: Uint8Array, header: Header): void;
  onStatelessReset(now: Millis): void;
  onMigration(now: Millis, source: Address, datagramSize: number, destinationId: Uint8Array): void;
}

/** The components that a connection is made of. */
export type ConnectionParts = ReturnType<typeof assemble>;

/** Makes a connection's components and introduces them to each other; what they have to say goes to `events` and `hooks`. */
export function assemble(start: ConnectionStart, events: Deque<ConnectionEvent>, hooks: ConnectionHooks) {
  const { options } = start;
  const times: ConnectionTimes = { startedAt: start.now, completedAt: -1, confirmedAt: -1 };
  const state = { ...makeState(start, events), times };
  const early = new EarlyRetransmission(state);
  const dispatch = new Dispatch(state);
  const effects = new FrameEffects({
    ...state,
    early,
    dispatch,
    maxDatagramFrameSize: options.transport.maxDatagramFrameSize,
    emit: (event) => events.push(event),
    onHandshakeConfirmed: (at) => hooks.onHandshakeConfirmed(at),
  });
  const receive = new Receive({
    ...state,
    early,
    effects,
    onCrypto: () => handshake.pump(),
    onLongPacket: (space, source) => hooks.onLongPacket(space, source),
    onKeyUpdate: (at) => hooks.onPeerKeyUpdate(at),
    onRetry: (bytes, header) => hooks.onRetry(bytes, header),
    onVersionNegotiation: (bytes, header) => hooks.onVersionNegotiation(bytes, header),
    onStatelessReset: (at) => hooks.onStatelessReset(at),
    onMigration: (at, source, size, id) => hooks.onMigration(at, source, size, id),
  });
  const handshake = makeHandshake(start, state, receive, events, hooks);
  const transmit = new Transmit({
    ...state,
    compose: new Compose({
      ...state,
      ackDelayExponent: options.transport.ackDelayExponent,
      maxDatagramLength: () => hooks.maxDatagramLength(),
    }),
    ecnMark: () => (start.ecnCapable && options.ecn ? state.recovery.ecn.mark() : Ecn.NOT_ECT),
    onHandshakeSent: () => hooks.onHandshakeSent(),
  });
  const { handshakeTimeout } = options;
  const deadlines = new Deadlines({ ...state, dispatch, transmit, handshakeTimeout });
  return { ...state, effects, handshake, receive, transmit, deadlines, limits: new Limits(state) };
}

/** The components that know of no other. */
function makeState(start: ConnectionStart, events: Deque<ConnectionEvent>) {
  const { now, isServer, options, remote, random, issuer } = start;
  const { transport } = options;
  const opening = new Opening(start);
  const spaces = new Spaces(transport.maxAckDelay);
  const initialKeysOf = isServer ? (start.retryId ?? start.originalDestinationId) : start.remoteId;
  opening.installInitialKeys(spaces.initial, initialKeysOf);
  const recovery = new Recovery({
    isServer,
    congestion: options.congestion,
    maxDatagramSize: Math.min(options.datagramSize ?? BASE_DATAGRAM_SIZE, start.maxDatagramSize),
    initialRtt: options.initialRtt,
    random,
  });
  const paths = new Paths(remote, !isServer || start.addressValidated, random);
  const observation = new Observation();
  const turns = new TurnClock(now, start.idleTime);
  return {
    isServer,
    random,
    opening,
    spaces,
    recovery,
    paths,
    observation,
    turns,
    pathMtu: new PathMtu(
      { recovery, paths, observation },
      { fixed: options.datagramSize, maxDatagramSize: start.maxDatagramSize, interfaceMtu: start.interfaceMtu },
    ),
    streams: new Streams({ isServer, local: transport, events: streamEvents(events), turns }),
    localIds: new LocalConnectionIds(issuer, start.localId),
    remoteIds: new RemoteConnectionIds(start.remoteId, transport.activeConnectionIdLimit, (token) =>
      issuer.expectReset(token),
    ),
    pending: new PendingFrames(),
    datagrams: new DatagramQueue(),
    lifecycle: new Lifecycle(),
    idle: new IdleTimer(now, transport.maxIdleTimeout, options.keepAlive),
    counters: new Counters(),
  };
}

function makeHandshake(
  start: ConnectionStart,
  { opening, spaces, recovery }: ReturnType<typeof makeState>,
  receive: Receive,
  events: Deque<ConnectionEvent>,
  hooks: ConnectionHooks,
): Handshake {
  const { options, engine, version } = start;
  const parameters = localParameters(options.transport, opening, start.localId, options.versions);
  const tls = start.createTls(encodeTransportParameters(parameters, start.random));
  return new Handshake(tls, spaces, engine, version, {
    onPeerParameters: (bytes) => hooks.onPeerParameters(bytes),
    onReadKeys: (space) => {
      if (space === Space.HANDSHAKE) recovery.probeTimer.hasHandshakeKeys = true;
      receive.onReadKeys();
    },
    onComplete: (summary) => hooks.onComplete(summary),
    emit: (event) => events.push(event),
  });
}
