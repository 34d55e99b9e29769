import {
  type ArrivalMeter,
  type Basis,
  type Environment,
  type IterationResult,
  RESULT_SCHEMA,
  type ResultDocument,
  type ResultOutcome,
  type ResultSetup,
  roundMs,
  type SideResult,
  sideResult,
  totals,
} from '../results/index.ts';
import { hostPort } from '../text/index.ts';
import type { Iteration } from './protocol/iteration.ts';
import { shortfallOf } from './protocol/losses.ts';
import { HEADER_BYTES, MAX_DATAGRAM, MAX_PAYLOAD } from './protocol/messages.ts';
import type { SentIteration } from './protocol/sender.ts';
import type { Split } from './protocol/split.ts';
import { StreamArrivals } from './protocol/stream-arrivals.ts';
import type { ClassicSending } from './send.ts';
import type { ClassicReception } from './serve.ts';

/** What a document says beyond what the run itself knows. */
export interface DocumentParts {
  readonly version: string;
  readonly createdAt: Date;
  readonly environment: Environment;
  readonly outcome: ResultOutcome;
  /** How many iterations were asked for. */
  readonly iterations: number;
}

/** One received iteration in the form of the QUIC side's. @param run all iterations so far. */
export function receivedIteration(iteration: Iteration, split: Split, run: readonly Iteration[]): IterationResult {
  const shortfall = shortfallOf(iteration, split, run);
  const lost = { packets: shortfall.packetsLost, bytes: shortfall.missingBytes };
  const meters = metersOf(iteration);
  const receiver = side(meters, iteration.number, 'arrivals', lost, firstOf(run.map(metersOf)));
  return { iteration: iteration.number, digest: null, receiver, sender: null, shortfall };
}

/** One sent iteration. What became of it on the way is not known here. */
export function sentIteration(iteration: SentIteration, run: readonly SentIteration[]): IterationResult {
  const origin = firstOf(run.map(({ meters }) => meters));
  const sender = side(iteration.meters, iteration.number, 'transmissions', { packets: 0, bytes: 0 }, origin);
  return { iteration: iteration.number, digest: null, receiver: null, sender };
}

/** The document of a receiver's run. */
export function receptionDocument(reception: ClassicReception, parts: DocumentParts): ResultDocument {
  const { announcement, iterations, split, local, sender, ignored, outcome } = reception;
  const results = iterations.map((iteration) => receivedIteration(iteration, split, iterations));
  const file = outcome !== undefined && 'file' in outcome ? outcome.file : undefined;
  const setup = announcement && setupOf(parts.iterations, announcement.streams, local, sender);
  const named = announcement && { name: file?.name ?? '', bytes: announcement.size, sha256: file?.sha256 ?? null };
  return { ...frame(parts, 'receiver', setup ?? null, named ?? null, results), ignoredDatagrams: { ...ignored } };
}

/** The document of a sender's run. */
export function sendingDocument(
  sending: ClassicSending,
  name: string,
  remote: { readonly host: string; readonly port: number },
  parts: DocumentParts,
): ResultDocument {
  const { announcement, iterations, local } = sending;
  const results = iterations.map((iteration) => sentIteration(iteration, iterations));
  const setup = setupOf(parts.iterations, announcement.streams, local, remote);
  return frame(parts, 'sender', setup, { name, bytes: announcement.size, sha256: null }, results);
}

function frame(
  parts: DocumentParts,
  role: ResultDocument['role'],
  setup: ResultDocument['setup'],
  file: ResultDocument['file'],
  iterations: readonly IterationResult[],
): ResultDocument {
  return {
    schema: RESULT_SCHEMA,
    tool: { name: 'weir', version: parts.version },
    createdAt: parts.createdAt.toISOString(),
    source: 'classic',
    role,
    environment: parts.environment,
    setup,
    file,
    outcome: parts.outcome,
    iterations,
    totals: {
      receiver: totals(iterations.map(({ receiver }) => receiver)),
      sender: totals(iterations.map(({ sender }) => sender)),
    },
  };
}

type Endpoint = { readonly host: string; readonly port: number };

function setupOf(iterations: number, streams: number, local: Endpoint, remote: Endpoint | undefined): ResultSetup {
  return {
    streams,
    iterations,
    chunkBytes: MAX_PAYLOAD,
    cipher: null,
    congestionController: null,
    datagramBytes: MAX_DATAGRAM,
    localAddress: hostPort(local),
    remoteAddress: remote === undefined ? null : hostPort(remote),
  };
}

/** All streams that were announced, seen or not. */
function metersOf(iteration: Iteration): ArrivalMeter[] {
  return Array.from({ length: iteration.announcement.streams }, (_, i) => {
    return (iteration.stream(i + 1) ?? new StreamArrivals(i + 1)).meter;
  });
}

/** When the first packet of a run came or went; 0 when there was none. */
function firstOf(run: readonly (readonly ArrivalMeter[])[]): number {
  return run.map(bounds).find(({ first }) => first >= 0)?.first ?? 0;
}

function bounds(meters: readonly ArrivalMeter[]): { first: number; last: number } {
  let first = -1;
  let last = -1;
  for (const { firstAt, lastAt } of meters) {
    if (firstAt >= 0 && (first < 0 || firstAt < first)) first = firstAt;
    if (lastAt > last) last = lastAt;
  }
  return { first, last };
}

function side(
  meters: readonly ArrivalMeter[],
  iteration: number,
  basis: Basis,
  lost: { readonly packets: number; readonly bytes: number },
  runOrigin: number,
): SideResult {
  const { first, last } = bounds(meters);
  const origin = Math.max(0, first);
  const packets = meters.reduce((sum, meter) => sum + meter.packets, 0);
  const wireBytes = meters.reduce((sum, meter) => sum + meter.bytes, 0) + packets * HEADER_BYTES;
  const isReceiver = basis === 'arrivals';
  return sideResult(
    {
      iteration,
      wallMs: roundMs(Math.max(0, last - origin)),
      startedAtMs: roundMs(first < 0 ? 0 : first - runOrigin),
      storedAfterMs: -1,
      streams: meters.map((meter) => meter.read(origin)),
      // Plain UDP has neither a round trip nor a window.
      connection: {
        rttMinMs: -1,
        rttSmoothedMs: -1,
        congestionWindow: 0,
        packetsSent: isReceiver ? 0 : packets,
        packetsReceived: isReceiver ? packets : 0,
        packetsLost: lost.packets,
        bytesLost: lost.bytes,
        spuriousLosses: 0,
        probeTimeouts: 0,
        congestionEvents: 0,
        wireBytesSent: isReceiver ? 0 : wireBytes,
        wireBytesReceived: isReceiver ? wireBytes : 0,
      },
    },
    basis,
  );
}
