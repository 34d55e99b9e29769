import type { ConnectOptions, TransportOptions } from '../quic/api/index.ts';
import { MAX_STREAMS } from '../transfer/index.ts';
import { CliError, ExitCode } from './exit-codes.ts';

/** Milliseconds without a packet after which a peer counts as gone. With one keep-alive before that, 10 seconds at most. */
const IDLE_TIMEOUT = 8_000;

/**
 * Milliseconds of silence after which the sender sends a PING: a receiver with a slow disk is not a dead one. The receiver sends
 * none, because each would put off by as much the moment at which it notices that the sender is gone (RFC 9000 §10.1).
 */
export const KEEP_ALIVE = 2_000;

/** Milliseconds to wait for the first answer. */
export const HANDSHAKE_TIMEOUT = 10_000;

/** What a sender announces. */
export const SENDER_TRANSPORT: Partial<TransportOptions> = {
  maxIdleTimeout: IDLE_TIMEOUT,
  initialMaxStreamsBidi: 0,
  initialMaxStreamsUni: 0,
};

/**
 * What a receiver announces: room for one control stream and the data streams of one iteration. The windows start large: a
 * receiver is there for bulk, and on short paths its own pauses, not the path, decide how much must be under way.
 */
export const RECEIVER_TRANSPORT: Partial<TransportOptions> = {
  maxIdleTimeout: IDLE_TIMEOUT,
  initialMaxData: 8 << 20,
  initialMaxStreamDataUni: 4 << 20,
  initialMaxStreamsBidi: 1,
  initialMaxStreamsUni: MAX_STREAMS,
};

/** The congestion controllers that `--cc` knows. */
export type CongestionName = Extract<ConnectOptions['cc'], string>;

export function parseCongestion(text: string): CongestionName {
  if (text === 'cubic' || text === 'reno') return text;
  throw new CliError(ExitCode.USAGE, `--cc ${text} is not known: use cubic or reno`);
}

/** A whole number within limits, from the command line. @throws CliError. */
export function parseInteger(option: string, text: string, least: number, most: number): number {
  const value = /^\d+$/u.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new CliError(ExitCode.USAGE, `${option} must be a whole number from ${least} to ${most}, not '${text}'`);
}

const UNITS: Record<string, number> = {
  '': 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
  ti: 2 ** 40,
};

/** Bytes from the command line: `1000`, `64MiB`, `2G`. @throws CliError. */
export function parseBytes(option: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]i?)?b?$/iu.exec(text);
  const bytes = match === null ? Number.NaN : Math.round(Number(match[1]) * UNITS[(match[2] ?? '').toLowerCase()]!);
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new CliError(ExitCode.USAGE, `${option} must be a size such as 1000, 64MiB or 2G, not '${text}'`);
}
