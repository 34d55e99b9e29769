import type { Series } from '../gauge/series.ts';
import type { SideResult } from '../results/readings.ts';
import type { Experiment } from '../results/record.ts';
import type { IterationResult, ResultDocument } from '../results/result.ts';
import { isExperiment } from './findings.ts';
import type { ReportRun } from './model.ts';

/** Characters of JSON that one document may take in a report: what browsers open at once, and people send by mail. */
export const MAX_DOCUMENT_CHARACTERS = 12_000_000;

const FEWEST_SAMPLES = 50;

/** A document as the report carries it, and what was left out of it, in words; empty when nothing was. */
export interface Bounded<T> {
  readonly document: T;
  readonly leftOut: string;
}

/** Makes a document small enough to be carried whole. @param limit characters of JSON. */
export function boundDocument(
  document: Experiment | ResultDocument,
  run: Pick<ReportRun, 'typical'>,
  limit = MAX_DOCUMENT_CHARACTERS,
): Bounded<Experiment | ResultDocument> {
  if (isExperiment(document)) return boundExperiment(document, run, limit);
  return boundResult(document, limit);
}

function boundResult(document: ResultDocument, limit: number): Bounded<ResultDocument> {
  if (size(document) <= limit) return { document, leftOut: '' };
  const change = (of: (iteration: IterationResult) => IterationResult) => ({
    ...document,
    iterations: document.iterations.map(of),
  });
  const thinned = change((iteration) => ({
    ...iteration,
    ...(iteration.senderSeries !== undefined && { senderSeries: thin(iteration.senderSeries, FEWEST_SAMPLES) }),
  }));
  if (size(thinned) <= limit) return { document: thinned, leftOut: thinnedTo(FEWEST_SAMPLES) };
  const without = change(({ senderSeries: _, ...iteration }) => iteration);
  if (size(without) <= limit) return { document: without, leftOut: NO_COURSES };
  const bare = change(({ senderSeries: _, ...iteration }) => ({
    ...iteration,
    sender: withoutStreams(iteration.sender),
    receiver: withoutStreams(iteration.receiver),
  }));
  return { document: bare, leftOut: NO_STREAMS };
}

const NO_COURSES = 'without courses over time';
const NO_STREAMS = "without courses over time and the streams' own numbers";

function thinnedTo(samples: number): string {
  return `with at most ${samples} samples of each course`;
}

/**
 * Makes an experiment small enough to be carried whole: first by halving the resolution of the courses, then by leaving out those
 * of all iterations but the typical one of each cell, then all courses, then the streams' own numbers.
 */
function boundExperiment(experiment: Experiment, run: Pick<ReportRun, 'typical'>, limit: number): Bounded<Experiment> {
  if (size(experiment) <= limit) return { document: experiment, leftOut: '' };
  let document = experiment;
  for (let most = 200; most >= FEWEST_SAMPLES; most /= 2) {
    document = mapSeries(document, (series) => thin(series, most));
    if (size(document) <= limit) return { document, leftOut: thinnedTo(most) };
  }
  const typical = new Set(run.typical);
  document = mapSeries(document, (series, index) => (typical.has(index) ? series : null));
  if (size(document) <= limit) {
    return {
      document,
      leftOut: `${thinnedTo(FEWEST_SAMPLES)}, and courses of one iteration of each setting`,
    };
  }
  document = mapSeries(document, () => null);
  if (size(document) <= limit) return { document, leftOut: NO_COURSES };
  const iterations = document.iterations.map((record) => ({
    ...record,
    sender: withoutStreams(record.sender),
    receiver: withoutStreams(record.receiver),
  }));
  document = { header: document.header, iterations };
  return { document, leftOut: NO_STREAMS };
}

/** At most `most` samples, the first and the last among them. */
export function thin(series: Series, most: number): Series {
  const { length } = series.atMs;
  if (length <= most) return series;
  const kept = Array.from({ length: most }, (_, i) => Math.round((i * (length - 1)) / (most - 1)));
  const pick = <T>(column: readonly T[]) => kept.map((i) => column[i]!);
  return {
    atMs: pick(series.atMs),
    congestionWindowBytes: pick(series.congestionWindowBytes),
    bytesInFlight: pick(series.bytesInFlight),
    rttMs: pick(series.rttMs),
    packetsLost: pick(series.packetsLost),
    streamBytes: series.streamBytes.map(pick),
    limitMs: series.limitMs.map(pick),
  };
}

function mapSeries(experiment: Experiment, change: (series: Series, index: number) => Series | null): Experiment {
  const apply = (series: Series | null, index: number) => (series === null ? null : change(series, index));
  return {
    header: experiment.header,
    iterations: experiment.iterations.map((record, index) => ({
      ...record,
      senderSeries: apply(record.senderSeries, index),
      receiverSeries: apply(record.receiverSeries, index),
    })),
  };
}

function withoutStreams(side: SideResult | null): SideResult | null {
  return side === null ? null : { ...side, streams: [] };
}

/** Counted piece by piece, so that what is too large is never one string. */
function size({ iterations, ...rest }: Experiment | ResultDocument): number {
  let characters = JSON.stringify(rest).length;
  for (const iteration of iterations) characters += JSON.stringify(iteration).length;
  return characters;
}
