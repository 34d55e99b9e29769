/** Measured iterations without files, both ways, with both sides' readings. See docs/gauge.md. */
export type { GaugeSession } from './carrier.ts';
export {
  connectGauge,
  GaugeClient,
  type GaugeOptions,
  type GaugeRun,
  type GaugeRunOptions,
  openGauge,
} from './client.ts';
export type { GaugeReport } from './iterations.ts';
export { LiveGauge } from './live.ts';
export { GAUGE_ALPN, GAUGE_VERSION } from './messages.ts';
export type { Payload } from './payload.ts';
export { MAX_SAMPLES, type Sample, type SampledSession, Sampler, type SamplerOptions } from './sampler.ts';
export type { Series } from './series.ts';
export { type GaugeEvents, type GaugeServeOptions, serveGauge } from './server.ts';
export { type IterationSettings, MAX_GAUGE_BYTES } from './settings.ts';
