/**
 * Results, statistics, comparisons, explanations; tables, CSV, iperf3's JSON.
 * @module weir-cli/results
 */
export * from 'weir-cli/results';
