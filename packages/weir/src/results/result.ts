import type { Series } from '../gauge/series.ts';
import type { IterationReport, Offer } from '../transfer/index.ts';
import type { Environment } from './environment.ts';
import { roundMs, type SideResult, sideResult } from './readings.ts';
import type { IgnoredDatagramsResult, IterationShortfall } from './shortfall.ts';
import { ratePerMs, sum } from './statistics/index.ts';

/** The format of the document, docs/result.schema.json. The number rises when a reader of the old one would be misled. */
export const RESULT_SCHEMA = 'weir-result/1';

/** One iteration, from both sides; a side is null when its numbers never came. */
export interface IterationResult {
  readonly iteration: number;
  /** What stands for the file in this transfer (docs/protocol.md), hexadecimal; null where the protocol has no such thing. */
  readonly digest: string | null;
  readonly receiver: SideResult | null;
  readonly sender: SideResult | null;
  /** What did not come; only where the protocol does not see to that. */
  readonly shortfall?: IterationShortfall;
  /** The sender's iteration over time, where it was sampled. */
  readonly senderSeries?: Series;
}

/** One side over all iterations. */
export interface TotalsResult {
  readonly bytes: number;
  readonly packets: number;
  /** The sum of the iterations' wall times. */
  readonly wallMs: number;
  readonly bytesPerMs: number | null;
  readonly packetsPerMs: number | null;
  readonly retransmittedBytes: number;
  readonly packetsLost: number;
}

/** How a run was set up. Bytes. */
export interface ResultSetup {
  readonly streams: number;
  readonly iterations: number;
  readonly chunkBytes: number;
  readonly cipher: string | null;
  readonly congestionController: string | null;
  readonly datagramBytes: number | null;
  readonly localAddress: string | null;
  readonly remoteAddress: string | null;
}

/** How a run ended. */
export interface ResultOutcome {
  readonly status: 'complete' | 'failed';
  readonly exitCode: number;
  /** What was wrong, in one line; null when complete. */
  readonly message: string | null;
  /** The name under which the receiver keeps the file; null when it keeps none. */
  readonly savedAs: string | null;
}

/** What `--json` writes. Bytes and milliseconds throughout. */
export interface ResultDocument {
  readonly schema: typeof RESULT_SCHEMA;
  readonly tool: { readonly name: string; readonly version: string };
  /** When the document was made, ISO 8601 in UTC. */
  readonly createdAt: string;
  /** Which protocol carried the data. */
  readonly source: 'quic' | 'classic';
  /** Which side wrote the document. */
  readonly role: 'sender' | 'receiver';
  readonly environment: Environment;
  readonly setup: ResultSetup | null;
  readonly file: { readonly name: string; readonly bytes: number; readonly sha256: string | null } | null;
  readonly outcome: ResultOutcome;
  readonly iterations: readonly IterationResult[];
  readonly totals: { readonly receiver: TotalsResult | null; readonly sender: TotalsResult | null };
  /** A receiver of a protocol without authentication: what it did not take. */
  readonly ignoredDatagrams?: IgnoredDatagramsResult;
}

/** What a result is made of. */
export interface ResultParts {
  readonly version: string;
  readonly createdAt: Date;
  readonly role: 'sender' | 'receiver';
  readonly environment: Environment;
  /** Undefined when it failed before one was made. */
  readonly offer: Offer | undefined;
  readonly connection: Omit<ResultSetup, 'streams' | 'iterations' | 'chunkBytes'> | undefined;
  /** SHA-256 of the file, when somebody computed it. */
  readonly sha256?: string;
  readonly iterations: readonly IterationReport[];
  /** The course of the first iterations, in their order. */
  readonly senderSeries?: readonly Series[];
  readonly outcome: ResultOutcome;
}

/** Puts the document together. */
export function makeResult(parts: ResultParts): ResultDocument {
  const { offer, connection } = parts;
  const iterations = parts.iterations.map((report, i) => {
    const senderSeries = parts.senderSeries?.[i];
    return { ...iterationResult(report), ...(senderSeries !== undefined && { senderSeries }) };
  });
  return {
    schema: RESULT_SCHEMA,
    tool: { name: 'weir', version: parts.version },
    createdAt: parts.createdAt.toISOString(),
    source: 'quic',
    role: parts.role,
    environment: parts.environment,
    setup: offer === undefined ? null : makeSetup(offer, connection),
    file: offer === undefined ? null : { name: offer.name, bytes: offer.size, sha256: parts.sha256 ?? null },
    outcome: parts.outcome,
    iterations,
    totals: {
      receiver: totals(iterations.map(({ receiver }) => receiver)),
      sender: totals(iterations.map(({ sender }) => sender)),
    },
  };
}

/** One iteration's results from both sides' readings. */
export function iterationResult(report: IterationReport): IterationResult {
  return {
    iteration: report.number,
    digest: report.digest,
    receiver: report.receiver === undefined ? null : sideResult(report.receiver, 'arrivals'),
    sender: report.sender === undefined ? null : sideResult(report.sender, 'acknowledgements'),
  };
}

/** One side's totals; null when no iteration has that side. */
export function totals(sides: readonly (SideResult | null)[]): TotalsResult | null {
  const present = sides.filter((side) => side !== null);
  if (present.length === 0) return null;
  const bytes = sum(present.map((side) => side.bytes));
  const packets = sum(present.map((side) => side.packets));
  const wallMs = roundMs(sum(present.map((side) => side.wallMs)));
  return {
    bytes,
    packets,
    wallMs,
    bytesPerMs: ratePerMs(bytes, wallMs) ?? null,
    packetsPerMs: ratePerMs(packets, wallMs) ?? null,
    retransmittedBytes: sum(present.flatMap((side) => side.streams.map((stream) => stream.retransmittedBytes))),
    packetsLost: sum(present.map((side) => side.connection.packetsLost)),
  };
}

function makeSetup(offer: Offer, connection: ResultParts['connection']): ResultSetup {
  return {
    streams: offer.streams,
    iterations: offer.iterations,
    chunkBytes: offer.chunkBytes,
    cipher: connection?.cipher ?? null,
    congestionController: connection?.congestionController ?? null,
    datagramBytes: connection?.datagramBytes ?? null,
    localAddress: connection?.localAddress ?? null,
    remoteAddress: connection?.remoteAddress ?? null,
  };
}
