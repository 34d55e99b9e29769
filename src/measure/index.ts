/** Turns what a transfer's meters read into results, tables and one versioned document. See docs/measuring.md. */
export { ArrivalMeter } from './arrival-meter.ts';
export { describeEnvironment, type Environment } from './environment.ts';
export { formatBytes, formatDuration, formatNumber, formatRate } from './format.ts';
export {
  type Basis,
  type ConnectionResult,
  roundMs,
  type SideResult,
  type StreamResult,
  sideResult,
} from './readings.ts';
export {
  type IterationResult,
  iterationResult,
  makeResult,
  RESULT_SCHEMA,
  type ResultDocument,
  type ResultOutcome,
  type ResultParts,
  type ResultSetup,
  type TotalsResult,
  totals,
} from './result.ts';
export type { IgnoredDatagramsResult, IterationShortfall, StreamShortfall } from './shortfall.ts';
export { jainIndex, mean, median, ratePerMs, sum } from './statistics.ts';
export { iterationTable, summaryTable } from './tables.ts';
