/** Experiments: a grid of settings, measured repeatedly in shuffled order, kept in a file to go on from. See docs/experiment.md. */
export { type BenchOptions, ProcessBench } from './bench.ts';
export { ExperimentError, type ExperimentErrorCode } from './errors.ts';
export { cellLabel, type GridOptions, gridCells, MAX_CELLS } from './grid.ts';
export { type HeaderParts, makeHeader } from './header.ts';
export { type Attempt, planOf } from './order.ts';
export { readDocument } from './read-document.ts';
export { readExperiment } from './read-experiment.ts';
export {
  type Bench,
  type Measurement,
  type RunEvents,
  type RunOptions,
  type RunOutcome,
  runExperiment,
} from './runner.ts';
export { roundsOf, type ScheduleProgress } from './schedule.ts';
export { ExperimentFile, openNamed } from './store.ts';
