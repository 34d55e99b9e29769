import { randomFillSync } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { appendFileSync, closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Millis } from '../base/time.ts';
import { nodeCryptoEngine } from '../crypto/node-engine.ts';
import { createUdpNodeDatapath } from '../datapath/udp-node.ts';
import type { Datapath } from '../driver/datapath.ts';
import type { Runtime, Timer } from '../driver/runtime.ts';
import { QuicError } from './errors.ts';
import type { EndpointHost, ResolvedHost, TextSink } from './host.ts';

/** Node's longest timer, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** The process's clock, timers and event loop. */
const nodeRuntime: Runtime = {
  now: () => performance.now(),
  setTimer(at: Millis, callback: () => void): Timer {
    const delay = Math.min(Math.max(0, Math.ceil(at - performance.now())), LONGEST_TIMER);
    const timer = setTimeout(callback, delay);
    // The socket decides whether the process stays alive.
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
  // After the poll phase: datagrams that are there already are taken first, and writes of one turn share a flush.
  defer: (callback) => void setImmediate(callback),
};

let host: EndpointHost | undefined;

/**
 * The process as the world of its endpoints: real time, sockets, randomness. SSLKEYLOGFILE and QLOGDIR in the environment
 * name a file for secrets and a folder for qlog. WEIR_DATAPATH chooses the datapath; `portable` is the only one so far.
 */
export function nodeHost(): EndpointHost {
  host ??= {
    runtime: nodeRuntime,
    random: { fill: (bytes) => void randomFillSync(bytes) },
    engine: nodeCryptoEngine,
    bind,
    resolve,
    unixTime: () => performance.timeOrigin + performance.now(),
    keylog: keylogFile(process.env.SSLKEYLOGFILE),
    openQlog: qlogFolder(process.env.QLOGDIR),
  };
  return host;
}

async function bind(address: string, port: number): Promise<Datapath> {
  const wanted = process.env.WEIR_DATAPATH ?? 'portable';
  if (wanted !== 'portable') {
    throw new QuicError('ERR_QUIC_INVALID_ARGUMENT', `WEIR_DATAPATH=${wanted} is not known here: use 'portable'`);
  }
  return createUdpNodeDatapath({ host: address, port, family: address.includes(':') ? 6 : 4 });
}

async function resolve(name: string): Promise<readonly ResolvedHost[]> {
  const version = isIP(name);
  if (version !== 0) return [{ family: version === 6 ? 6 : 4, host: name }];
  const found = await lookup(name, { all: true, verbatim: true });
  return found.map(({ address, family }) => ({ family: family === 6 ? 6 : 4, host: address }));
}

/** Appends at once: a debugger may watch the file, and the lines are few. */
function keylogFile(path: string | undefined): TextSink | undefined {
  if (path === undefined || path === '') return undefined;
  return { write: (text) => appendFileSync(path, text, { mode: 0o600 }), close: () => {} };
}

function qlogFolder(folder: string | undefined): ((name: string) => TextSink) | undefined {
  if (folder === undefined || folder === '') return undefined;
  return (name) => {
    mkdirSync(folder, { recursive: true });
    const file = openSync(join(folder, name), 'w');
    return { write: (text) => void writeSync(file, text), close: () => closeSync(file) };
  };
}
