/** The runs of a user, kept in an embedded database. See docs/history.md. */
export { History, HistoryError, type HistoryOptions } from './history.ts';
export { isHistoryOff, type RecordOptions, recordRun } from './record-run.ts';
export {
  isExperiment,
  isResult,
  type OtherDocument,
  RUN_KINDS,
  type Run,
  type RunDocument,
  type RunEntry,
  type RunKind,
  type RunSummary,
  type StoredRun,
} from './run.ts';
export { withoutSecrets } from './secrets.ts';
export { goodputs, summaryOf } from './summary.ts';
