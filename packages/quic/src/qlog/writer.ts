import type { Millis } from '../base/time.ts';
import type { Observer } from '../connection/observe.ts';
import { DIALECTS, type DialectForm, type QlogDialect, type TraceStart, traceStart } from './dialect.ts';
import { EventLog } from './events.ts';

/** RFC 7464: each record starts with this and ends with a line feed. */
const RECORD_SEPARATOR = '\u001e';
/** Characters gathered before they are handed on. */
const CHUNK = 32_768;

/** Where a trace goes: whole records; `fin` with the last. */
export type QlogSink = (text: string, fin: boolean) => void;

/**
 * Writes the events of one connection as qlog in JSON text sequences (draft-ietf-quic-qlog-main-schema, "QlogFileSeq";
 * RFC 7464), in one of the dialects. Feed `observe` from the connection's event stream; the first event must be `connection_started`.
 */
export class QlogWriter {
  readonly #sink: QlogSink;
  /** Unix time in milliseconds at which the connection's clock stood at 0. */
  readonly #epoch: Millis;
  readonly #dialect: DialectForm;
  readonly #events = new EventLog();
  #text = '';
  #start: TraceStart | undefined;
  #isClosing = false;
  #finished = false;

  /** `epoch` is Unix time in milliseconds at 0 of the clock that event times are on. */
  constructor(sink: QlogSink, epoch: Millis, dialect: QlogDialect = 'draft') {
    this.#sink = sink;
    this.#epoch = epoch;
    this.#dialect = DIALECTS[dialect];
  }

  /** Takes one event. */
  readonly observe: Observer = (now, event) => {
    if (this.#finished) return;
    this.#start ??= this.#begin(traceStart(event, this.#unixTime(now)));
    const time = round(this.#dialect.time(this.#unixTime(now), this.#start));
    for (const logged of this.#events.log(event)) {
      for (const { name, data } of this.#dialect.events(logged)) this.#record({ time, name, data });
    }
    // What is left of the closing period may never come: many programs end before it does.
    if (event.type === 'connection_closed') this.#isClosing = true;
    if (this.#text.length > CHUNK || this.#isClosing) this.#flush(false);
  };

  /** Hands on what is left. Later events are ignored. */
  finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#flush(true);
  }

  #unixTime(now: Millis): Millis {
    return round(this.#epoch + now);
  }

  #begin(start: TraceStart): TraceStart {
    this.#record(this.#dialect.header(start));
    return start;
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

/** How many records a text of whole ones has. */
export function countRecords(text: string): number {
  return text.split(RECORD_SEPARATOR).length - 1;
}

/**
 * Says that events are missing (draft-ietf-quic-qlog-main-schema, "Loglevel events").
 * @param count how many.
 * @param next the text that follows: its first event gives the time.
 */
export function gapRecord(count: number, next: string): string {
  const { time } = JSON.parse(next.slice(1, next.indexOf('\n'))) as { time?: Millis };
  const data = { message: `${count} events are missing here: the disk was slower than the connection` };
  return `${RECORD_SEPARATOR}${JSON.stringify({ time, name: 'loglevel:warning', data })}\n`;
}

/** Microseconds are enough, and digits cost space. */
function round(time: Millis): Millis {
  return Math.round(time * 1000) / 1000;
}
