import type { ResultDocument } from '../results/index.ts';
import type { Experiment } from '../results/record.ts';

/** What made a run. */
export const RUN_KINDS = ['send', 'serve', 'demo', 'measure', 'perf'] as const;

export type RunKind = (typeof RUN_KINDS)[number];

/** A document of another kind than the two that this layer knows: kept and given back as it is. */
export interface OtherDocument {
  readonly schema: string;
}

/** Everything about a run: what `--json` wrote, or an experiment's header and iterations. */
export type RunDocument = ResultDocument | Experiment | OtherDocument;

/** The numbers of a run that a list shows. */
export interface RunSummary {
  readonly status: 'complete' | 'failed';
  /** What was wrong, in one line; null when complete. */
  readonly message: string | null;
  /** The other side, host and port, or `local`; null when it never came to one. */
  readonly target: string | null;
  /** What was carried, for people: a file's name, an experiment's cells. */
  readonly subject: string | null;
  /** Payload over all iterations. */
  readonly bytes: number;
  /** Of each iteration; several of an experiment, ascending. */
  readonly streams: readonly number[];
  /** Iterations that came to their end, warm-ups left out. */
  readonly iterations: number;
  /** The median of the iterations' goodput, bytes a millisecond; null when there is none. */
  readonly bytesPerMs: number | null;
}

/** A run that is to be kept. */
export interface Run {
  readonly kind: RunKind;
  /** The command as typed: `weir` and its arguments. Secrets are taken out before it is kept. */
  readonly command: readonly string[];
  readonly document: RunDocument;
  /** Default: read off the document. Required for a document of another kind. */
  readonly summary?: RunSummary;
}

/** A run that is kept, without its document. */
export interface RunEntry extends RunSummary {
  readonly id: number;
  readonly kind: RunKind;
  /** When it began, ISO 8601 in UTC. */
  readonly createdAt: string;
  readonly command: readonly string[];
  /** The format of its document. */
  readonly schema: string;
  /** Bytes that it takes in the database. */
  readonly storedBytes: number;
}

/** A run that is kept, whole. */
export interface StoredRun extends RunEntry {
  readonly document: RunDocument;
}

export function isExperiment(document: RunDocument): document is Experiment {
  return 'header' in document;
}

export function isResult(document: RunDocument): document is ResultDocument {
  return 'schema' in document && document.schema.startsWith('weir-result/');
}
