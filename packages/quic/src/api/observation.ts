import { toHex } from '../base/cursor.ts';
import type { Observer } from '../connection/observe.ts';
import type { EndpointHost, OpenQlog } from '../driver/host.ts';
import type { QlogDialect } from '../qlog/dialect.ts';
import { type QlogSink, QlogWriter } from '../qlog/writer.ts';
import type { SessionOptions } from './options.ts';

/** What a session's event stream feeds. */
export interface SessionObservation {
  /** Undefined when nobody looks: then the connection builds no events either. */
  readonly observer: Observer | undefined;
  /** The session is over: complete the logs. */
  finish(): void;
}

/** Subscribes the session's own `observe`, its `onqlog`, and its qlog file or that of the host's folder. */
export function observationOf(options: SessionOptions, host: EndpointHost, onqlog: QlogSink): SessionObservation {
  const epoch = host.unixTime() - host.runtime.now();
  const observers: Observer[] = [];
  const endings: (() => void)[] = [];
  if (options.observe !== undefined) observers.push(options.observe);
  if (options.qlog === true) {
    const writer = new QlogWriter(onqlog, epoch, options.qlogDialect);
    observers.push(writer.observe);
    endings.push(() => writer.finish());
  }
  const open = options.openQlog ?? host.openQlog;
  if (open !== undefined) {
    const file = fileLog(open, epoch, options.qlogDialect);
    observers.push(file.observer);
    endings.push(file.finish);
  }
  return {
    observer: together(observers),
    finish() {
      for (const end of endings) end();
    },
  };
}

function together(observers: readonly Observer[]): Observer | undefined {
  if (observers.length < 2) return observers[0];
  return (now, event) => {
    for (const observe of observers) observe(now, event);
  };
}

/** The file is named by the original destination connection ID, as the qlog draft recommends; that comes with the first event. */
function fileLog(open: OpenQlog, epoch: number, dialect: QlogDialect | undefined) {
  let writer: QlogWriter | undefined;
  const observer: Observer = (now, event) => {
    if (writer === undefined && event.type === 'connection_started') {
      const side = event.isServer ? 'server' : 'client';
      const sink = open(`${toHex(event.originalDestinationConnectionId)}_${side}.sqlog`);
      writer = new QlogWriter(
        (text, fin) => {
          sink.write(text);
          if (fin) sink.close();
        },
        epoch,
        dialect,
      );
    }
    writer?.observe(now, event);
  };
  return { observer, finish: () => writer?.finish() };
}
