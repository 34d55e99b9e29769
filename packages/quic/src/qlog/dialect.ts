import { toHex } from '../base/cursor.ts';
import type { Millis } from '../base/time.ts';
import type { QuicEvent } from '../connection/observe.ts';
import type { LoggedEvent } from './events.ts';
import { qvisEvents, qvisHeader } from './qvis.ts';

/** `draft`: draft-ietf-quic-qlog-main-schema and -quic-events. `qvis`: the older form that the qvis tools read. */
export type QlogDialect = 'draft' | 'qvis';

/** What is known of a connection when its log begins. */
export interface TraceStart {
  /** Hexadecimal; undefined when the first event did not say. */
  readonly originalDestinationConnectionId: string | undefined;
  readonly vantagePoint: 'client' | 'server' | 'unknown';
  /** Unix time of the first event, in milliseconds. */
  readonly unixTime: Millis;
}

/** How one dialect writes. */
export interface DialectForm {
  /** The first record. */
  header(start: TraceStart): object;
  /** An event's time, given Unix time in milliseconds. */
  time(unixTime: Millis, start: TraceStart): Millis;
  /** What an event of the draft is in this dialect: nothing, where that has no word for it. */
  events(event: LoggedEvent): readonly LoggedEvent[];
}

/** Both dialects are JSON text sequences, RFC 7464. */
export const DIALECTS: Readonly<Record<QlogDialect, DialectForm>> = {
  draft: { header: draftHeader, time: (unixTime) => unixTime, events: (event) => [event] },
  qvis: { header: qvisHeader, time: (unixTime, start) => unixTime - start.unixTime, events: qvisEvents },
};

/** What the first event tells of the connection. */
export function traceStart(event: QuicEvent, unixTime: Millis): TraceStart {
  if (event.type !== 'connection_started') {
    return { originalDestinationConnectionId: undefined, vantagePoint: 'unknown', unixTime };
  }
  const vantagePoint = event.isServer ? 'server' : 'client';
  return { originalDestinationConnectionId: toHex(event.originalDestinationConnectionId), vantagePoint, unixTime };
}

function draftHeader({ originalDestinationConnectionId, vantagePoint }: TraceStart): object {
  return {
    file_schema: 'urn:ietf:params:qlog:file:sequential',
    serialization_format: 'application/qlog+json-seq',
    title: 'weir-quic',
    trace: {
      common_fields: {
        ...(originalDestinationConnectionId !== undefined && { group_id: originalDestinationConnectionId }),
        time_format: 'relative_to_epoch',
        reference_time: { clock_type: 'system', epoch: '1970-01-01T00:00:00.000Z' },
      },
      vantage_point: { name: 'weir-quic', type: vantagePoint },
      event_schemas: ['urn:ietf:params:qlog:events:quic', 'urn:ietf:params:qlog:events:loglevel'],
    },
  };
}
