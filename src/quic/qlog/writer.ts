import { toHex } from '../base/cursor.ts';
import type { Millis } from '../base/time.ts';
import type { Observer, QuicEvent } from '../connection/observe.ts';
import { EventLog } from './events.ts';

/** RFC 7464: each record starts with this and ends with a line feed. */
const RECORD_SEPARATOR = '\u001e';
/** Characters gathered before they are handed on. */
const CHUNK = 32_768;

/** Where a trace goes: whole records; `fin` with the last. */
export type QlogSink = (text: string, fin: boolean) => void;

/**
 * Writes the events of one connection as qlog in JSON text sequences (draft-ietf-quic-qlog-main-schema, "QlogFileSeq";
 * RFC 7464). Feed `observe` from the connection's event stream; the first event must be `connection_started`.
 */
export class QlogWriter {
  readonly #sink: QlogSink;
  /** Unix time in milliseconds at which the connection's clock stood at 0. */
  readonly #epoch: Millis;
  readonly #events = new EventLog();
  #text = '';
  #started = false;
  #finished = false;

  /** `epoch` is Unix time in milliseconds at 0 of the clock that event times are on. */
  constructor(sink: QlogSink, epoch: Millis) {
    this.#sink = sink;
    this.#epoch = epoch;
  }

  /** Takes one event. */
  readonly observe: Observer = (now, event) => {
    if (this.#finished) return;
    if (!this.#started) this.#writeHeader(event);
    for (const { name, data } of this.#events.log(event)) this.#record({ time: this.#time(now), name, data });
    if (this.#text.length > CHUNK) this.#flush(false);
  };

  /** Hands on what is left. Later events are ignored. */
  finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#flush(true);
  }

  #time(now: Millis): number {
    // Microseconds are enough, and digits cost space.
    return Math.round((this.#epoch + now) * 1000) / 1000;
  }

  #writeHeader(event: QuicEvent): void {
    this.#started = true;
    const known = event.type === 'connection_started' ? event : undefined;
    this.#record({
      file_schema: 'urn:ietf:params:qlog:file:sequential',
      serialization_format: 'application/qlog+json-seq',
      title: 'weir-quic',
      trace: {
        common_fields: {
          ...(known && { group_id: toHex(known.originalDestinationConnectionId) }),
          time_format: 'relative_to_epoch',
          reference_time: { clock_type: 'system', epoch: '1970-01-01T00:00:00.000Z' },
        },
        vantage_point: {
          name: 'weir-quic',
          type: known === undefined ? 'unknown' : known.isServer ? 'server' : 'client',
        },
        event_schemas: ['urn:ietf:params:qlog:events:quic'],
      },
    });
  }

  #record(value: object): void {
    this.#text += `${RECORD_SEPARATOR}${JSON.stringify(value)}\n`;
  }

  #flush(fin: boolean): void {
    const text = this.#text;
    this.#text = '';
    this.#sink(text, fin);
  }
}
