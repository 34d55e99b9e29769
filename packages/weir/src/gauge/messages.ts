import { RECEIVE_LIMITS, SEND_LIMITS } from 'weir-quic';
import {
  count,
  decodeFields,
  type Fields,
  type Introduction,
  isMeasured,
  MAX_ITERATIONS,
  MAX_STREAMS,
  malformed,
  object,
  oneOf,
  parseIntroduction,
  text,
} from '../peer/index.ts';
import { parseReading, type SideReading } from '../transfer/index.ts';
import { MAX_SAMPLES } from './sampler.ts';
import type { Series } from './series.ts';
import { type IterationSettings, MAX_GAUGE_BYTES } from './settings.ts';

/** The application protocol, RFC 7301. The number rises with every change that an old peer would misunderstand. */
export const GAUGE_ALPN = 'weir-gauge/1';

/** Minor changes within `weir-gauge/1`: a peer ignores what it does not know. 2 brought the line of those who wait. */
export const GAUGE_VERSION = 2;

/** The longest name of a congestion controller. */
const MAX_CC_LENGTH = 32;

/** The messages of the control stream; docs/gauge.md says who sends which when. */
export type GaugeMessage =
  | Introduction
  | ({ readonly type: 'iterate'; readonly iteration: number; readonly sampling: boolean } & IterationSettings)
  | { readonly type: 'ready'; readonly iteration: number }
  | { readonly type: 'measured'; readonly reading: SideReading; readonly series: Series | null };

export type Iterate = Extract<GaugeMessage, { type: 'iterate' }>;

/**
 * Reads a message body. Unknown fields are ignored, and so are messages of unknown types (undefined).
 * @throws TransferError `protocol` when a known message lacks a field or has a wrong one.
 */
export function decodeGaugeMessage(body: Uint8Array): GaugeMessage | undefined {
  const fields = decodeFields(body);
  switch (fields.type) {
    case 'iterate':
      return parseIterate(fields);
    case 'ready':
      return { type: 'ready', iteration: count(fields, 'iteration', 1, MAX_ITERATIONS) };
    case 'measured':
      return {
        type: 'measured',
        reading: parseReading(fields.reading),
        series: fields.series === null ? null : parseSeries(fields.series),
      };
    default:
      return parseIntroduction(fields);
  }
}

function parseIterate(fields: Fields): Iterate {
  const direction = oneOf(fields, 'direction', ['up', 'down'] as const, 'up');
  if (direction !== fields.direction) throw malformed("no usable 'direction'");
  return {
    type: 'iterate',
    // What is too much is the server's decision: it refuses with a reason.
    iteration: count(fields, 'iteration', 1),
    direction,
    streams: count(fields, 'streams', 1),
    bytes: count(fields, 'bytes', 1, MAX_GAUGE_BYTES),
    cc: fields.cc === null ? null : text(fields, 'cc', MAX_CC_LENGTH),
    sampling: fields.sampling === true,
  };
}

/** A peer's series: columns of one length, of which there are not more than a sampler makes. */
function parseSeries(value: unknown): Series {
  const fields = object(value, 'series');
  const atMs = column(fields.atMs);
  const { length } = atMs;
  if (length > MAX_SAMPLES) throw malformed('a series that is too long');
  const numbers = (name: keyof Series): number[] => column(fields[name], length);
  return {
    atMs,
    congestionWindowBytes: numbers('congestionWindowBytes'),
    bytesInFlight: numbers('bytesInFlight'),
    rttMs: sized(fields.rttMs, length).map((rtt) => (rtt === null ? null : finite(rtt))),
    packetsLost: numbers('packetsLost'),
    streamBytes: columns(fields.streamBytes, MAX_STREAMS, length),
    limitMs: columns(fields.limitMs, Math.max(SEND_LIMITS.length, RECEIVE_LIMITS.length), length),
  };
}

/** At most so many columns; a peer that tells more limits apart is cut to what is known here. */
function columns(value: unknown, most: number, length: number): number[][] {
  return sized(value)
    .slice(0, most)
    .map((each) => column(each, length));
}

function column(value: unknown, length?: number): number[] {
  return sized(value, length).map(finite);
}

function sized(value: unknown, length?: number): unknown[] {
  if (!Array.isArray(value) || (length !== undefined && value.length !== length)) throw malformed('an uneven series');
  return value;
}

function finite(value: unknown): number {
  if (!isMeasured(value)) throw malformed('a series of something else than measured numbers');
  return value;
}
