import type { Address } from '../base/address.ts';
import type { Millis } from '../base/time.ts';
import type { PacketType, Space } from '../wire/frame-type.ts';
import type { TransportParameters } from '../wire/transport-parameters.ts';
import type { CloseInfo } from './events.ts';

/** A packet as it was composed or opened. `bytes[payloadStart, payloadEnd)` are its frames in the clear, only during the call. */
export interface ObservedPacket {
  readonly packetType: PacketType;
  readonly packetNumber: number;
  /** Bytes of the whole packet: header, payload and tag. */
  readonly size: number;
  readonly bytes: Uint8Array;
  readonly payloadStart: number;
  readonly payloadEnd: number;
}

/** What happens inside a connection, for qlog, live metrics and tests. Nothing is built when nobody observes. */
export type QuicEvent =
  | {
      readonly type: 'connection_started';
      readonly isServer: boolean;
      readonly local: Address | undefined;
      readonly remote: Address;
      readonly originalDestinationConnectionId: Uint8Array;
      readonly sourceConnectionId: Uint8Array;
      readonly version: number;
    }
  | {
      readonly type: 'parameters_set';
      readonly initiator: 'local' | 'remote';
      readonly parameters: TransportParameters;
    }
  | { readonly type: 'alpn_negotiated'; readonly alpn: string | undefined; readonly cipher: string }
  | ({ readonly type: 'packet_sent' } & ObservedPacket)
  | ({ readonly type: 'packet_received' } & ObservedPacket)
  | { readonly type: 'packet_dropped'; readonly trigger: string; readonly size: number }
  | {
      readonly type: 'packet_lost';
      readonly space: Space;
      readonly packetNumber: number;
      readonly trigger: 'reordering_threshold' | 'time_threshold';
    }
  | {
      readonly type: 'metrics_updated';
      readonly rttLatest: Millis;
      readonly rttMin: Millis;
      readonly rttSmoothed: Millis;
      readonly rttVariance: Millis;
      readonly ptoCount: number;
      readonly congestionWindow: number;
      readonly bytesInFlight: number;
      readonly slowStartThreshold: number;
    }
  | { readonly type: 'congestion_state_updated'; readonly old: string; readonly new: string }
  | {
      readonly type: 'key_updated';
      readonly trigger: 'local_update' | 'remote_update';
      readonly keyPhase: number;
    }
  | { readonly type: 'key_discarded'; readonly space: Space }
  | { readonly type: 'path_updated'; readonly remote: Address }
  /** Full datagrams have another size, in bytes of UDP payload; `done` says that no more is being tried. */
  | { readonly type: 'mtu_updated'; readonly old: number; readonly new: number; readonly done: boolean }
  | { readonly type: 'connection_closed'; readonly info: CloseInfo };

/** A subscriber of the event stream. */
export type Observer = (now: Millis, event: QuicEvent) => void;
