/** What is made of repeated numbers: middle and spread, intervals, outliers, tests, fairness. Pure; chance comes in as an argument. */
export { attainableConfidence, type Interval, medianInterval, type UniformRandom } from './bootstrap.ts';
export { jainIndex } from './fairness.ts';
export { mean, median, ratePerMs, standardDeviation, sum } from './location.ts';
export { outlierIndexes } from './outliers.ts';
export { type PermutationTest, pairSwapTest, rankSumTest } from './rank-tests.ts';
export { isNarrow, type Summary, summarize } from './summary.ts';
