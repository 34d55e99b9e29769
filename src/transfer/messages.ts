import { FAILURES, type FailureCode, oneLine, REFUSALS, type RefusalCode, TransferError } from './errors.ts';
import { MAX_ITERATIONS, MAX_STREAMS } from './plan.ts';
import type { ConnectionReading, SideReading, StreamReading } from './readings.ts';

/** The application protocol, RFC 7301. The number rises with every change that an old peer would misunderstand. */
export const ALPN = 'weir/1';

/** Minor changes within `weir/1`: a peer ignores what it does not know. */
export const PROTOCOL_VERSION = 1;

/** What a sender wants to send. */
export interface Offer {
  /** One path component. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly streams: number;
  readonly iterations: number;
  readonly chunkBytes: number;
}

/** The messages of the control stream; docs/protocol.md says who sends which when. */
export type Message =
  | { readonly type: 'hello'; readonly version: number; readonly token: string; readonly software: string }
  | { readonly type: 'welcome'; readonly version: number; readonly software: string }
  | ({ readonly type: 'offer' } & Offer)
  | { readonly type: 'refused'; readonly code: RefusalCode; readonly reason: string }
  | { readonly type: 'ready'; readonly iteration: number }
  | { readonly type: 'sent'; readonly iteration: number; readonly digest: string }
  | { readonly type: 'statistics'; readonly reading: SideReading }
  | { readonly type: 'verified'; readonly digest: string; readonly reading: SideReading }
  | { readonly type: 'finished'; readonly name: string }
  | { readonly type: 'failed'; readonly code: FailureCode; readonly reason: string };

export type MessageType = Message['type'];

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads a message body. Unknown fields are ignored, and so are messages of unknown types (undefined).
 * @throws TransferError `protocol` when a known message lacks a field or has a wrong one.
 */
export function decodeMessage(body: Uint8Array): Message | undefined {
  let fields: unknown;
  try {
    fields = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw malformed('a message that is not JSON');
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
    throw malformed('a message that is no object');
  return parse(fields as Fields);
}

export function encodeMessage(message: Message): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(message));
}

function parse(fields: Fields): Message | undefined {
  switch (fields.type) {
    case 'hello':
      return {
        type: 'hello',
        version: count(fields, 'version', 1),
        token: text(fields, 'token', 128),
        software: text(fields, 'software', 100),
      };
    case 'welcome':
      return { type: 'welcome', version: count(fields, 'version', 1), software: text(fields, 'software', 100) };
    case 'offer':
      return parseOffer(fields);
    case 'refused':
      return { type: 'refused', code: oneOf(fields, 'code', REFUSALS, 'unsupported'), reason: line(fields, 'reason') };
    case 'ready':
      return { type: 'ready', iteration: count(fields, 'iteration', 1) };
    case 'sent':
      return { type: 'sent', iteration: count(fields, 'iteration', 1), digest: text(fields, 'digest', 64) };
    case 'statistics':
      return { type: 'statistics', reading: parseReading(fields.reading) };
    case 'verified':
      return { type: 'verified', digest: text(fields, 'digest', 64), reading: parseReading(fields.reading) };
    case 'finished':
      return { type: 'finished', name: line(fields, 'name') };
    case 'failed':
      return { type: 'failed', code: oneOf(fields, 'code', FAILURES, 'protocol'), reason: line(fields, 'reason') };
    default:
      return undefined;
  }
}

function parseOffer(fields: Fields): Message {
  return {
    type: 'offer',
    // As it is: whether it is allowed is the receiver's decision, see names.ts.
    name: text(fields, 'name', 4096),
    size: count(fields, 'size', 0),
    streams: count(fields, 'streams', 1),
    iterations: count(fields, 'iterations', 1, MAX_ITERATIONS),
    chunkBytes: count(fields, 'chunkBytes', 1),
  };
}

function parseReading(value: unknown): SideReading {
  const fields = object(value, 'reading');
  const streams = fields.streams;
  if (!Array.isArray(streams) || streams.length > MAX_STREAMS) throw malformed('a reading without its streams');
  return {
    iteration: count(fields, 'iteration', 1),
    wallMs: number(fields, 'wallMs'),
    startedAtMs: number(fields, 'startedAtMs'),
    storedAfterMs: number(fields, 'storedAfterMs'),
    streams: streams.map(parseStreamReading),
    connection: parseConnectionReading(fields.connection),
  };
}

function parseStreamReading(value: unknown): StreamReading {
  const fields = object(value, 'stream');
  return {
    index: number(fields, 'index'),
    bytes: number(fields, 'bytes'),
    streamBytes: number(fields, 'streamBytes'),
    packets: number(fields, 'packets'),
    firstAt: number(fields, 'firstAt'),
    lastAt: number(fields, 'lastAt'),
    retransmittedBytes: number(fields, 'retransmittedBytes'),
    duplicateBytes: number(fields, 'duplicateBytes'),
    blockedByStreamMs: number(fields, 'blockedByStreamMs'),
    blockedByConnectionMs: number(fields, 'blockedByConnectionMs'),
    reassemblyMs: number(fields, 'reassemblyMs'),
  };
}

function parseConnectionReading(value: unknown): ConnectionReading {
  const fields = object(value, 'connection');
  return {
    rttMinMs: number(fields, 'rttMinMs'),
    rttSmoothedMs: number(fields, 'rttSmoothedMs'),
    congestionWindow: number(fields, 'congestionWindow'),
    packetsSent: number(fields, 'packetsSent'),
    packetsReceived: number(fields, 'packetsReceived'),
    packetsLost: number(fields, 'packetsLost'),
    bytesLost: number(fields, 'bytesLost'),
    spuriousLosses: number(fields, 'spuriousLosses'),
    probeTimeouts: number(fields, 'probeTimeouts'),
    congestionEvents: number(fields, 'congestionEvents'),
    wireBytesSent: number(fields, 'wireBytesSent'),
    wireBytesReceived: number(fields, 'wireBytesReceived'),
  };
}

function object(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(`no ${what}`);
  return value as Fields;
}

function text(fields: Fields, name: string, longest: number): string {
  const value = fields[name];
  if (typeof value !== 'string' || value.length > longest) throw malformed(`no usable '${name}'`);
  return value;
}

/** Text that will be shown: one line, cut to a length that fits. */
function line(fields: Fields, name: string): string {
  return oneLine(text(fields, name, 4096)).slice(0, 300);
}

function count(fields: Fields, name: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const value = fields[name];
  if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most) {
    throw malformed(`no usable '${name}'`);
  }
  return value as number;
}

/** A measured number: finite; JSON has no infinities, an estimate that is not there yet is -1. */
function number(fields: Fields, name: string): number {
  const value = fields[name];
  if (value === null) return -1;
  if (typeof value !== 'number' || !Number.isFinite(value)) throw malformed(`no usable '${name}'`);
  return value;
}

function oneOf<T extends string>(fields: Fields, name: string, known: readonly T[], otherwise: T): T {
  const value = text(fields, name, 64);
  return known.find((code) => code === value) ?? otherwise;
}

function malformed(what: string): TransferError {
  return new TransferError('protocol', `the peer sent ${what}`);
}
