import type { CellSettings, CellSummary, Comparison, Experiment, ResultDocument, Summary } from '../results/index.ts';

/** One file that a report is about. */
export interface ReportSource {
  /** What the file is called: for people. */
  readonly name: string;
  readonly document: Experiment | ResultDocument;
}

/** What a cell of a report sets: an experiment's cell, or how a single transfer was set up. */
export type ReportSettings = Omit<CellSettings, 'transport'> & {
  readonly transport: CellSettings['transport'] | 'udp';
};

/** One cell of the grid; a single transfer is one cell. */
export interface ReportCell {
  readonly index: number;
  readonly settings: ReportSettings;
  /** Which cells of both runs are the same setting. */
  readonly key: string;
  /** What varies within its group: `8 streams`. */
  readonly label: string;
  /** What varies between groups; empty when there is one. */
  readonly group: string;
  /** Of the goodput, bytes per millisecond; null where no iteration had a rate. */
  readonly numbers: Summary | null;
  readonly failed: number;
  /** Of the packets sent. */
  readonly lossShare: number | null;
  /** CPU time by wall time. */
  readonly cpuShare: number | null;
  /** Median of the rates after slow start. */
  readonly steadyBytesPerMs: number | null;
  /** What took most of the sender's time, and how much of it; null when nobody told. */
  readonly limit: { readonly name: string; readonly share: number } | null;
  /** What it is compared with within its run, and how that went; null where it is not. */
  readonly against: { readonly cell: number; readonly sentence: string } | null;
}

/** One iteration, in the order of the file: the index is the document's too. */
export interface ReportIteration {
  readonly cell: number;
  readonly iteration: number;
  readonly warmup: boolean;
  readonly order: number;
  readonly failed: boolean;
  readonly message: string | null;
  readonly bytes: number;
  readonly wallMs: number | null;
  readonly bytesPerMs: number | null;
  readonly cpuMs: number | null;
  readonly fairness: number | null;
  readonly rttMs: number | null;
  readonly packetsLost: number | null;
  readonly retransmittedBytes: number | null;
  /** Complete, no warm-up, and with a rate: part of its cell's numbers. */
  readonly counted: boolean;
  /** Far from the other iterations of its cell, yet counted. */
  readonly outlier: boolean;
}

/** One of the one or two things that a report is about. */
export interface ReportRun {
  /** `A` and `B` in a comparison, otherwise empty. */
  readonly letter: string;
  readonly name: string;
  readonly kind: 'experiment' | 'transfer';
  readonly createdAt: string;
  readonly cells: readonly ReportCell[];
  readonly iterations: readonly ReportIteration[];
  /** Index of the iteration that stands for each cell: the one nearest to its median, with its course if any has one; -1: none. */
  readonly typical: readonly number[];
}

/** One setting that both runs have, b against a. */
export interface ReportComparison {
  readonly label: string;
  readonly group: string;
  readonly a: Summary;
  readonly b: Summary;
  readonly result: Comparison;
}

/** Shows a run with what it was made from. */
export interface MeasuredRun {
  readonly run: ReportRun;
  readonly document: Experiment | ResultDocument;
  /** The cells as everything else in weir summarizes them, in the order of the run's cells. */
  readonly findings: readonly CellFindings[];
}

/** One cell's numbers before they are put into words. */
export type CellFindings = Pick<
  CellSummary,
  'goodput' | 'failed' | 'lossShare' | 'cpuShare' | 'steadyBytesPerMs' | 'explanation' | 'against'
> & {
  /** Of the document's iterations: those that count, and which of them are outliers. */
  readonly counted: readonly number[];
  readonly outliers: readonly number[];
};

/** What the page's script draws from, beside the documents themselves. */
export interface ReportModel {
  readonly runs: readonly ReportRun[];
  readonly comparisons: readonly ReportComparison[];
  /** The run and iteration that is shown first; null: none has anything to show. */
  readonly first: { readonly run: number; readonly iteration: number } | null;
}
