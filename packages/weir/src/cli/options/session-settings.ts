import { CONGESTION_NAMES, type CongestionName, isCongestionName } from 'weir-quic';
import { MAX_ITERATIONS, MAX_STREAMS, STALL_TIME } from '../../peer/index.ts';
import { MAX_CHUNK_BYTES, MIN_CHUNK_BYTES } from '../../transfer/index.ts';
import { CliError, ExitCode } from '../exit-codes.ts';

/** What `--cc` takes, for people: `cubic, reno or bbr`. */
export const CONGESTION_CHOICE = `${CONGESTION_NAMES.slice(0, -1).join(', ')} or ${CONGESTION_NAMES.at(-1)}`;

export function parseCongestion(text: string): CongestionName {
  if (isCongestionName(text)) return text;
  throw new CliError(ExitCode.USAGE, `--cc ${text} is not known: use ${CONGESTION_CHOICE}`);
}

/** A whole number within limits, from the command line. @throws CliError. */
export function parseInteger(option: string, text: string, least: number, most: number): number {
  const value = /^\d+$/u.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new CliError(ExitCode.USAGE, `${option} must be a whole number from ${least} to ${most}, not '${text}'`);
}

/** A UDP port, for an option that takes it from `least` on. The parser throws CliError. */
export function parsePort(option: string, least: number): (text: string) => number {
  return (text) => parseInteger(option, text, least, 65_535);
}

/** `--streams` of a transfer. @throws CliError. */
export function parseStreams(text: string): number {
  return parseInteger('--streams', text, 1, MAX_STREAMS);
}

/** `--iterations` of a transfer. @throws CliError. */
export function parseIterations(text: string): number {
  return parseInteger('--iterations', text, 1, MAX_ITERATIONS);
}

/** Bytes of UDP payload, from the command line: what QUIC needs (RFC 9000 §14), and the most that UDP carries. @throws CliError. */
export function parseDatagramSize(text: string): number {
  return parseInteger('--datagram-size', text, 1200, 65_507);
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

/** The least window that control messages get through in good time, and the most that is of any use. */
const MIN_WINDOW = 4 << 10;
const MAX_WINDOW = 2 ** 32;

/** Bytes of a receive window, from the command line. @throws CliError. */
export function parseWindow(text: string): number {
  const bytes = parseBytes('--window', text);
  if (bytes >= MIN_WINDOW && bytes <= MAX_WINDOW) return bytes;
  throw new CliError(ExitCode.USAGE, `--window must be from 4KiB to 4GiB, not '${text}'`);
}

/** What to say when the path did not carry the datagrams that were asked for; undefined when it did, or nothing was. Bytes. */
export function datagramSizeWarning(wanted: number | undefined, used: number): string | undefined {
  if (wanted === undefined || used >= wanted) return undefined;
  return `datagrams of ${wanted} bytes do not get through whole (or the other side takes no such ones): ${used} bytes were used`;
}

/** Bytes of a chunk, from the command line. @throws CliError. */
export function parseChunk(text: string): number {
  const bytes = parseBytes('--chunk', text);
  if (bytes >= MIN_CHUNK_BYTES && bytes <= MAX_CHUNK_BYTES) return bytes;
  throw new CliError(ExitCode.USAGE, `--chunk must be from 1KiB to 1MiB, not '${text}'`);
}

/** Seconds that a client stands in line by default, and at most. */
export const WAIT_SECONDS = 300;
const MAX_WAIT_SECONDS = 3600;

/** Seconds to stand in line, from the command line; 0: not at all. @throws CliError. */
export function parseWait(text: string): number {
  return parseInteger('--wait', text, 0, MAX_WAIT_SECONDS);
}

/** Seconds without anything moving after which a receiver gives a transfer up by default. */
export const STALL_SECONDS = STALL_TIME / 1000;

/** Seconds without anything moving, from the command line. @throws CliError. */
export function parseStall(text: string): number {
  return parseInteger('--stall', text, 5, 3600);
}
