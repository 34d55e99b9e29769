import { lookup } from 'node:dns/promises';
import { appendFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { performance } from 'node:perf_hooks';
import { QuicError } from '../base/quic-error.ts';
import type { Millis } from '../base/time.ts';
import { probeLinuxDatapath } from '../datapath/linux/probe.ts';
import { createUdpLinuxDatapath } from '../datapath/linux/udp-linux.ts';
import { createMultihomedDatapath } from '../datapath/udp-multihomed.ts';
import { createUdpNodeDatapath } from '../datapath/udp-node.ts';
import type { Datapath } from '../driver/datapath.ts';
import type { EndpointHost, OpenQlog, ResolvedHost, TextSink } from '../driver/host.ts';
import type { Runtime, Timer } from '../driver/runtime.ts';
import { chooseEngine } from './engine-choice.ts';
import { FileLog } from './file-log.ts';
import { InterfaceMtus } from './interface-mtu.ts';
import { ProcessRandom } from './process-random.ts';
import { openQlogFolder } from './qlog-folder.ts';

/** Node's longest timer, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** The process's clock, timers and event loop. */
const nodeRuntime: Runtime = {
  now: () => performance.now(),
  // About 50 ns, once a connection and turn.
  idleTime: () => performance.nodeTiming.idleTime,
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

const interfaceMtus = new InterfaceMtus();

let host: EndpointHost | undefined;

/**
 * The process as the world of its endpoints: real time, sockets, randomness. SSLKEYLOGFILE and QLOGDIR in the environment
 * name a file for secrets and a folder for qlog. WEIR_DATAPATH, `portable` or `linux`, forces the datapath; WEIR_CRYPTO the
 * engine (engine-choice.ts).
 */
export function nodeHost(): EndpointHost {
  host ??= {
    runtime: nodeRuntime,
    random: new ProcessRandom(),
    engine: chooseEngine().engine,
    bind,
    resolve,
    interfaceMtu: (local, remote) => interfaceMtus.between(performance.now(), local, remote),
    unixTime: () => performance.timeOrigin + performance.now(),
    keylog: keylogFile(process.env.SSLKEYLOGFILE),
    openQlog: qlogFolder(process.env.QLOGDIR),
  };
  return host;
}

/** The datapath that sockets of this process are made with, and why that one, as half a sentence. */
export interface DatapathChoice {
  readonly name: 'portable' | 'linux';
  readonly reason: string;
}

let choice: Promise<DatapathChoice> | undefined;

/**
 * Chooses the datapath, once: what WEIR_DATAPATH forces, else the batched one where it passes its self check, else the portable.
 * Rejects with ERR_QUIC_INVALID_ARGUMENT when WEIR_DATAPATH names none, or one that does not work here.
 */
export function datapathChoice(): Promise<DatapathChoice> {
  choice ??= choose(process.env.WEIR_DATAPATH);
  return choice;
}

async function choose(forced: string | undefined): Promise<DatapathChoice> {
  if (forced === 'portable') return { name: 'portable', reason: 'WEIR_DATAPATH=portable' };
  if (forced !== undefined && forced !== '' && forced !== 'linux') {
    throw new QuicError('ERR_QUIC_INVALID_ARGUMENT', `WEIR_DATAPATH=${forced} is not known: use portable or linux`);
  }
  const { works, reason } = await probeLinuxDatapath();
  if (works) return { name: 'linux', reason };
  if (forced === 'linux') {
    throw new QuicError('ERR_QUIC_INVALID_ARGUMENT', `WEIR_DATAPATH=linux does not work here: ${reason}`);
  }
  return { name: 'portable', reason };
}

async function bind(address: string, port: number, isServer = false): Promise<Datapath> {
  const { name } = await datapathChoice();
  const options = { host: address, port, family: address.includes(':') ? 6 : 4 } as const;
  if (name === 'linux') return createUdpLinuxDatapath(options);
  return isServer ? createMultihomedDatapath(options) : createUdpNodeDatapath(options);
}

async function resolve(name: string): Promise<readonly ResolvedHost[]> {
  const version = isIP(name);
  if (version !== 0) return [{ family: version === 6 ? 6 : 4, host: name }];
  const found = await lookup(name, { all: true, verbatim: true });
  return found.map(({ address, family }) => ({ family: family === 6 ? 6 : 4, host: address }));
}

/**
 * Appends as soon as the disk is ready: a debugger may watch the file. What the disk refuses later is missing: a log is never worth
 * a session. @throws QuicError ERR_QUIC_INVALID_ARGUMENT when the file cannot be opened.
 */
function keylogFile(path: string | undefined): TextSink | undefined {
  if (path === undefined || path === '') return undefined;
  try {
    appendFileSync(path, '', { mode: 0o600 });
  } catch (cause) {
    throw unwritable('SSLKEYLOGFILE', path, cause);
  }
  let log: FileLog | undefined;
  return {
    write(text) {
      log ??= new FileLog(path, { flags: 'a', mode: 0o600 });
      log.write(text);
    },
    close: () => {},
  };
}

/** @throws QuicError ERR_QUIC_INVALID_ARGUMENT when the folder cannot be written. */
function qlogFolder(folder: string | undefined): OpenQlog | undefined {
  if (folder === undefined || folder === '') return undefined;
  try {
    return openQlogFolder(folder);
  } catch (cause) {
    throw unwritable('QLOGDIR', folder, cause);
  }
}

function unwritable(variable: string, path: string, cause: unknown): QuicError {
  const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
  return new QuicError('ERR_QUIC_INVALID_ARGUMENT', `${variable}=${path} cannot be written (${code})`, { cause });
}
