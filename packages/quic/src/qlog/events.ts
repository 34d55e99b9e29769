import type { Address } from '../base/address.ts';
import { toHex } from '../base/cursor.ts';
import { unreachable } from '../base/errors.ts';
import type { CloseInfo } from '../connection/events.ts';
import type { ObservedPacket, QuicEvent } from '../connection/observe.ts';
import { Space } from '../wire/frame-type.ts';
import type { TransportParameters } from '../wire/transport-parameters.ts';
import { FrameLog } from './frames.ts';
import { errorName, packetTypeName, spaceKeyName, spacePacketType } from './names.ts';

/** One qlog event without its time. */
export interface LoggedEvent {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Turns the events of one connection into those of draft-ietf-quic-qlog-quic-events. */
export class EventLog {
  readonly #frames = new FrameLog();
  /** Whether this is the server's side, once known. */
  #isServer = false;
  /** Milliseconds per unit of ACK Delay in frames that each side sends; RFC 9000 §18.2's default until announced. */
  readonly #ackDelayUnit = { local: 2 ** 3 / 1000, remote: 2 ** 3 / 1000 };
  /** The draft's ConnectionState. */
  #state: string | undefined;
  /** The last metrics logged: only what changed is logged again. */
  #metrics: Record<string, number> = {};

  /** The event or events that this is, in order. */
  log(event: QuicEvent): readonly LoggedEvent[] {
    switch (event.type) {
      case 'connection_started':
        this.#isServer = event.isServer;
        return [started(event), ...this.#stateUpdated('attempted')];
      case 'parameters_set':
        this.#ackDelayUnit[event.initiator] = 2 ** event.parameters.ackDelayExponent / 1000;
        return [{ name: 'quic:parameters_set', data: { initiator: event.initiator, ...parameters(event.parameters) } }];
      case 'alpn_negotiated':
        return [...alpn(event.alpn, event.cipher), ...this.#stateUpdated('handshake_complete')];
      case 'packet_sent':
        return [{ name: 'quic:packet_sent', data: this.#packet(event, 'local') }];
      case 'packet_received':
        return [{ name: 'quic:packet_received', data: this.#packet(event, 'remote') }];
      case 'packet_lost':
        return [lost(event.space, event.packetNumber, event.trigger)];
      case 'metrics_updated':
        return this.#metricsUpdated(event);
      case 'key_updated':
        return this.#keyEvents('quic:key_updated', '1rtt', { key_phase: event.keyPhase, trigger: event.trigger });
      case 'key_discarded':
        return this.#keyDiscarded(event.space);
      case 'connection_closed':
        return [
          { name: 'quic:connection_closed', data: closed(event.info) },
          ...this.#stateUpdated(ending(event.info)),
        ];
      default:
        return [rare(event)];
    }
  }

  #packet(packet: ObservedPacket, sender: 'local' | 'remote'): Record<string, unknown> {
    return {
      header: { packet_type: packetTypeName(packet.packetType), packet_number: packet.packetNumber },
      raw: { length: packet.size, payload_length: packet.payloadEnd - packet.payloadStart },
      frames: this.#frames.read(packet, this.#ackDelayUnit[sender]),
    };
  }

  #metricsUpdated(event: Extract<QuicEvent, { type: 'metrics_updated' }>): readonly LoggedEvent[] {
    const all: Record<string, number> = {
      latest_rtt: event.rttLatest,
      min_rtt: event.rttMin,
      smoothed_rtt: event.rttSmoothed,
      rtt_variance: event.rttVariance,
      pto_count: event.ptoCount,
      congestion_window: Math.floor(event.congestionWindow),
      bytes_in_flight: event.bytesInFlight,
      ssthresh: Math.floor(event.slowStartThreshold),
    };
    // JSON has no Infinity: a threshold that is not set yet is left out.
    const changed = Object.entries(all).filter(
      ([name, value]) => Number.isFinite(value) && this.#metrics[name] !== value,
    );
    this.#metrics = all;
    return changed.length === 0 ? [] : [{ name: 'quic:recovery_metrics_updated', data: Object.fromEntries(changed) }];
  }

  #keyDiscarded(space: Space): readonly LoggedEvent[] {
    const discarded = this.#keyEvents('quic:key_discarded', spaceKeyName(space), { trigger: 'tls' });
    // RFC 9001 §4.9.2: handshake keys go when the handshake is confirmed.
    return space === Space.HANDSHAKE ? [...discarded, ...this.#stateUpdated('handshake_confirmed')] : discarded;
  }

  #stateUpdated(state: string): readonly LoggedEvent[] {
    const old = this.#state;
    this.#state = state;
    return [{ name: 'quic:connection_state_updated', data: { ...(old !== undefined && { old }), new: state } }];
  }

  /** Both directions' keys change or go together. The keys themselves are never logged. */
  #keyEvents(name: string, kind: string, fields: Record<string, unknown>): readonly LoggedEvent[] {
    const sides = this.#isServer ? ['server', 'client'] : ['client', 'server'];
    return sides.map((side) => ({ name, data: { key_type: `${side}_${kind}_secret`, ...fields } }));
  }
}

type Common =
  | 'connection_started'
  | 'parameters_set'
  | 'alpn_negotiated'
  | 'packet_sent'
  | 'packet_received'
  | 'packet_lost'
  | 'metrics_updated'
  | 'key_updated'
  | 'key_discarded'
  | 'connection_closed';

function rare(event: Exclude<QuicEvent, { type: Common }>): LoggedEvent {
  switch (event.type) {
    case 'congestion_state_updated':
      return { name: 'quic:congestion_state_updated', data: { old: event.old, new: event.new } };
    case 'packet_dropped':
      return { name: 'quic:packet_dropped', data: dropped(event.trigger, event.size) };
    case 'path_updated':
      return { name: 'quic:tuple_assigned', data: { tuple_id: '', tuple_remote: endpointInfo(event.remote) } };
    case 'mtu_updated':
      return { name: 'quic:mtu_updated', data: { old: event.old, new: event.new, done: event.done } };
    default:
      return unreachable(event);
  }
}

function started(event: Extract<QuicEvent, { type: 'connection_started' }>): LoggedEvent {
  const local = {
    ...(event.local !== undefined && endpointInfo(event.local)),
    connection_ids: [toHex(event.sourceConnectionId)],
  };
  return { name: 'quic:connection_started', data: { local, remote: endpointInfo(event.remote) } };
}

function endpointInfo({ family, host, port }: Address): Record<string, unknown> {
  return family === 4 ? { ip_v4: host, port_v4: port } : { ip_v6: host, port_v6: port };
}

function alpn(protocol: string | undefined, cipher: string): readonly LoggedEvent[] {
  const chosen = protocol === undefined ? {} : { chosen_alpn: { string_value: protocol } };
  return [
    { name: 'quic:alpn_information', data: chosen },
    { name: 'quic:parameters_set', data: { tls_cipher: cipher.replace(/^TLS_/, '') } },
  ];
}

function lost(space: 0 | 1 | 2, packetNumber: number, trigger: string): LoggedEvent {
  const header = { packet_type: spacePacketType(space), packet_number: packetNumber };
  return { name: 'quic:packet_lost', data: { header, trigger } };
}

const DROP_TRIGGERS: ReadonlySet<string> = new Set([
  'internal_error',
  'rejected',
  'unsupported',
  'invalid',
  'duplicate',
  'connection_unknown',
  'decryption_failure',
  'key_unavailable',
  'general',
]);

function dropped(trigger: string, length: number): Record<string, unknown> {
  return DROP_TRIGGERS.has(trigger)
    ? { raw: { length }, trigger }
    : { raw: { length }, trigger: 'general', details: { reason: trigger } };
}

const CLOSE_TRIGGERS: Partial<Record<CloseInfo['source'], string>> = {
  idle_timeout: 'idle_timeout',
  handshake_timeout: 'error',
  stateless_reset: 'stateless_reset',
  version_negotiation: 'version_mismatch',
  internal: 'error',
};

function closed(info: CloseInfo): Record<string, unknown> {
  const error = errorName(info.application, info.code);
  return {
    initiator: info.source === 'peer' || info.source === 'stateless_reset' ? 'remote' : 'local',
    [info.application ? 'application_error' : 'connection_error']: error,
    ...(error === 'unknown' && { error_code: info.code }),
    ...(info.reason !== '' && { reason: info.reason }),
    trigger:
      CLOSE_TRIGGERS[info.source] ?? (info.application ? 'application' : info.code === 0 ? 'unspecified' : 'error'),
  };
}

/** What an end leads to: RFC 9000 §10. */
function ending({ source }: CloseInfo): string {
  if (source === 'peer') return 'draining';
  return source === 'local' || source === 'internal' ? 'closing' : 'closed';
}

/** Names of the transport parameters that are logged as they are: numbers and booleans. */
const PLAIN_PARAMETERS = {
  disable_active_migration: 'disableActiveMigration',
  max_idle_timeout: 'maxIdleTimeout',
  max_udp_payload_size: 'maxUdpPayloadSize',
  ack_delay_exponent: 'ackDelayExponent',
  max_ack_delay: 'maxAckDelay',
  active_connection_id_limit: 'activeConnectionIdLimit',
  initial_max_data: 'initialMaxData',
  initial_max_stream_data_bidi_local: 'initialMaxStreamDataBidiLocal',
  initial_max_stream_data_bidi_remote: 'initialMaxStreamDataBidiRemote',
  initial_max_stream_data_uni: 'initialMaxStreamDataUni',
  initial_max_streams_bidi: 'initialMaxStreamsBidi',
  initial_max_streams_uni: 'initialMaxStreamsUni',
  max_datagram_frame_size: 'maxDatagramFrameSize',
} as const satisfies Record<string, keyof TransportParameters>;

const ID_PARAMETERS = {
  original_destination_connection_id: 'originalDestinationConnectionId',
  initial_source_connection_id: 'initialSourceConnectionId',
  retry_source_connection_id: 'retrySourceConnectionId',
} as const satisfies Record<string, keyof TransportParameters>;

function parameters(announced: TransportParameters): Record<string, unknown> {
  const logged: Record<string, unknown> = {};
  for (const [name, key] of Object.entries(PLAIN_PARAMETERS)) logged[name] = announced[key];
  for (const [name, key] of Object.entries(ID_PARAMETERS)) {
    const id = announced[key];
    if (id !== undefined) logged[name] = toHex(id);
  }
  return logged;
}
