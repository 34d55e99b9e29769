/** Turns what a transfer's meters read into results, tables and one versioned document. See docs/measuring.md. */
export { SeededRandom } from 'weir-quic/random';
export { ArrivalMeter } from './arrival-meter.ts';
export { type CellSummary, cellSummaries, compareRecords } from './cells.ts';
export { type CompareOptions, type Comparison, compare, percentChange, type Verdict } from './compare.ts';
export { experimentCsv, streamsCsv } from './csv.ts';
export { describeEnvironment, type Environment } from './environment.ts';
export { experimentTables } from './experiment-tables.ts';
export {
  type BothSides,
  type Cause,
  type Explanation,
  explainIterations,
  explainSide,
  explainStream,
  type LimitShare,
} from './explain.ts';
export { type Iperf3Options, iperf3Json, iperf3OfCell, iperf3OfDocument, iperf3OfIteration } from './iperf3.ts';
export type { Iperf3Document } from './iperf3-shape.ts';
export {
  type Basis,
  type ConnectionResult,
  roundMs,
  type SideResult,
  type StreamResult,
  sideResult,
} from './readings.ts';
export {
  type CellSettings,
  EXPERIMENT_SCHEMA,
  type Experiment,
  type ExperimentHeader,
  type IterationRecord,
} from './record.ts';
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
export {
  type Interval,
  isNarrow,
  jainIndex,
  mean,
  median,
  ratePerMs,
  type Summary,
  standardDeviation,
  sum,
  summarize,
  type UniformRandom,
} from './statistics/index.ts';
export { type Phase, type Phases, phases, phasesOf } from './steady-state.ts';
export { iterationTable, summaryTable } from './tables.ts';
