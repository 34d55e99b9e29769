import { RECEIVE_LIMITS, SEND_LIMITS } from 'weir-quic';
import {
  count,
  decodeFields,
  FAILURES,
  type FailureCode,
  type Fields,
  type Introduction,
  line,
  MAX_ITERATIONS,
  MAX_STREAMS,
  malformed,
  number,
  object,
  oneOf,
  parseIntroduction,
  text,
} from '../peer/index.ts';
import type { ConnectionReading, SideReading, StreamReading } from './readings.ts';

/** The application protocol, RFC 7301. The number rises with every change that an old peer would misunderstand. */
export const ALPN = 'weir/2';

/** Minor changes within `weir/2`: a peer ignores what it does not know. 2 brought the line of those who wait, and `working`. */
export const PROTOCOL_VERSION = 2;

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
  | Introduction
  /** `tagKey` is what the tags of the chunks are made with, base64url. */
  | ({ readonly type: 'offer'; readonly tagKey: string } & Offer)
  | { readonly type: 'ready'; readonly iteration: number }
  /** This side's own disk is what takes the time. Only that it came counts: a receiver of it passes it over. */
  | { readonly type: 'working' }
  | { readonly type: 'sent'; readonly iteration: number; readonly digest: string }
  | { readonly type: 'statistics'; readonly reading: SideReading }
  | { readonly type: 'verified'; readonly digest: string; readonly reading: SideReading }
  | { readonly type: 'finished'; readonly name: string }
  | { readonly type: 'failed'; readonly code: FailureCode; readonly reason: string };

/**
 * Reads a message body. Unknown fields are ignored, and so are messages of unknown types (undefined).
 * @throws TransferError `protocol` when a known message lacks a field or has a wrong one.
 */
export function decodeMessage(body: Uint8Array): Message | undefined {
  return parse(decodeFields(body));
}

function parse(fields: Fields): Message | undefined {
  switch (fields.type) {
    case 'offer':
      return parseOffer(fields);
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
      return parseIntroduction(fields);
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
    tagKey: text(fields, 'tagKey', 64),
  };
}

/** A side's reading as it came over the wire. @throws TransferError `protocol`. */
export function parseReading(value: unknown): SideReading {
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
    ...times(fields, 'sendLimitMs', SEND_LIMITS.length),
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
    ...times(fields, 'sendLimitMs', SEND_LIMITS.length),
    ...times(fields, 'receiveLimitMs', RECEIVE_LIMITS.length),
    ...(fields.slowStartEndedAtMs !== undefined && { slowStartEndedAtMs: number(fields, 'slowStartEndedAtMs') }),
  };
}

/** Times by limit. Peers of before there were any leave them out; those that tell limits apart otherwise are not understood. */
function times<Name extends string>(fields: Fields, name: Name, length: number): { readonly [N in Name]?: number[] } {
  const value = fields[name];
  if (value === undefined) return {};
  if (!Array.isArray(value)) throw malformed(`no usable '${name}'`);
  if (value.length !== length) return {};
  const read = value.map((time) => {
    if (typeof time !== 'number' || !Number.isFinite(time) || time < 0) throw malformed(`no usable '${name}'`);
    return time;
  });
  return { [name]: read } as { readonly [N in Name]?: number[] };
}
