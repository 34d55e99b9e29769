import type { TraceStart } from './dialect.ts';
import type { LoggedEvent } from './events.ts';
import type { LoggedFrame } from './frames.ts';

/*
 * What qvis (github.com/quiclog/qvis, visualizations/src/) reads, none of it later than this:
 * - data/QlogSchema02.ts, `versionAliases`: qlog_version "draft-02", "draft-02-RC1", "qlog-03-WIP", "0.3", read alike.
 * - components/filemanager/data/FileLoader.ts: files by extension, `.sqlog` as JSON text sequences;
 *   newlineconverter/textsequencejsontoqlog.ts: the first record has qlog_version, qlog_format "JSON-SEQ" and trace.
 * - data/QlogLoaderV2.ts: event names "category:type"; common_fields.time_format "relative" with a numeric reference_time, Unix
 *   time in milliseconds; sizes in raw.length, and packet types in header.packet_type.
 * The names are those of draft-ietf-quic-qlog-quic-events-00, "0.3".
 */

type Data = Readonly<Record<string, unknown>>;

/** The first record of a trace. */
export function qvisHeader({ originalDestinationConnectionId, vantagePoint, unixTime }: TraceStart): object {
  return {
    qlog_version: '0.3',
    qlog_format: 'JSON-SEQ',
    title: 'weir-quic',
    trace: {
      vantage_point: { name: 'weir-quic', type: vantagePoint },
      common_fields: {
        ...(originalDestinationConnectionId !== undefined && {
          ODCID: originalDestinationConnectionId,
          group_id: originalDestinationConnectionId,
        }),
        protocol_type: ['QUIC'],
        time_format: 'relative',
        reference_time: unixTime,
      },
    },
  };
}

const SAME = (data: Data): Data => data;

/** For each event of the draft, its old name and what becomes of its fields. What is not here had no event then. */
const EVENTS: Readonly<Record<string, readonly [name: string, data: (data: Data) => Data]>> = {
  'quic:connection_started': ['connectivity:connection_started', started],
  'quic:connection_closed': ['connectivity:connection_closed', closed],
  'quic:connection_state_updated': ['connectivity:connection_state_updated', SAME],
  'quic:mtu_updated': ['connectivity:mtu_updated', SAME],
  'quic:version_information': ['transport:version_information', SAME],
  'quic:alpn_information': ['transport:alpn_information', alpn],
  'quic:parameters_set': ['transport:parameters_set', owned],
  'quic:packet_sent': ['transport:packet_sent', packet],
  'quic:packet_received': ['transport:packet_received', packet],
  'quic:packet_dropped': ['transport:packet_dropped', SAME],
  'quic:packet_lost': ['recovery:packet_lost', SAME],
  'quic:recovery_metrics_updated': ['recovery:metrics_updated', SAME],
  'quic:congestion_state_updated': ['recovery:congestion_state_updated', SAME],
  'quic:key_updated': ['security:key_updated', SAME],
  'quic:key_discarded': ['security:key_discarded', SAME],
};

/** An event of the draft in the dialect of qvis. */
export function qvisEvents({ name, data }: LoggedEvent): readonly LoggedEvent[] {
  const known = EVENTS[name];
  return known === undefined ? [] : [{ name: known[0], data: known[1](data) }];
}

function started({ local, remote }: Data): Data {
  const [from, to] = [local as Data, remote as Data];
  const connectionIds = from.connection_ids as readonly string[] | undefined;
  return {
    ip_version: to.ip_v6 === undefined ? 'v4' : 'v6',
    src_ip: from.ip_v4 ?? from.ip_v6 ?? '',
    dst_ip: to.ip_v4 ?? to.ip_v6,
    protocol: 'QUIC',
    src_port: from.port_v4 ?? from.port_v6 ?? 0,
    dst_port: to.port_v4 ?? to.port_v6,
    ...(connectionIds?.[0] !== undefined && { src_cid: connectionIds[0] }),
  };
}

function closed({ initiator, connection_error, application_error, error_code, reason, trigger }: Data): Data {
  const code = (error: unknown) => (error === 'unknown' ? (error_code ?? 0) : error);
  return {
    owner: initiator,
    ...(connection_error !== undefined && { connection_code: code(connection_error) }),
    ...(application_error !== undefined && { application_code: code(application_error) }),
    ...(reason !== undefined && { reason }),
    trigger: trigger === 'unspecified' ? 'clean' : trigger,
  };
}

function alpn({ chosen_alpn }: Data): Data {
  const chosen = (chosen_alpn as { string_value: string } | undefined)?.string_value;
  return chosen === undefined ? {} : { chosen_alpn: chosen };
}

function owned({ initiator, ...rest }: Data): Data {
  return { ...(initiator !== undefined && { owner: initiator }), ...rest };
}

function packet({ frames, ...rest }: Data): Data {
  return { ...rest, frames: (frames as readonly LoggedFrame[]).map(frame) };
}

/** A frame with the fields that it had: lengths beside the others, ranges always in pairs, error codes in one field. */
function frame({ frame_type, raw, ...fields }: LoggedFrame): Data {
  const length = (raw as { length?: number } | undefined)?.length;
  switch (frame_type) {
    case 'ack': {
      const ranges = fields.acked_ranges as readonly number[][];
      return { frame_type, ...fields, acked_ranges: ranges.map(([from, to]) => [from, to ?? from]) };
    }
    case 'reset_stream':
    case 'stop_sending': {
      const { error: _name, ...rest } = fields;
      return { frame_type, ...rest };
    }
    case 'connection_close': {
      const { error, error_code, ...rest } = fields;
      return { frame_type, ...rest, error_code: error === 'unknown' ? error_code : error };
    }
    case 'new_connection_id': {
      const { connection_id_length, ...rest } = fields;
      return { frame_type, ...rest, length: connection_id_length };
    }
    case 'new_token': {
      const token = fields.token as { type: string; raw: Data };
      return { frame_type, token: { type: token.type, ...token.raw } };
    }
    case 'unknown':
      return { frame_type, raw_frame_type: fields.frame_type_bytes };
    default:
      return { frame_type, ...fields, ...(length !== undefined && { length }) };
  }
}
