/** The public `perf` protocol, as client and as server: any stack at the other end. See docs/perf.md. */
export { Capacity } from './capacity.ts';
export {
  type LivePerf,
  type PerfConnectionReport,
  type PerfPlan,
  type PerfReport,
  type PerfRunOptions,
  type PerfStreamReport,
  runPerf,
} from './client.ts';
export { PERF_ALPN, PERF_PORT, PerfError, type PerfErrorCode } from './protocol.ts';
export { type PerfTally, servePerf } from './server.ts';
export { clientTransport, MAX_PERF_STREAMS, SERVER_CAPACITY, serverTransport } from './settings.ts';
