/** An emulated network path between real UDP sockets: `parsePath`, `startRelay`. See docs/relay.md. */
export type { LatenessSummary } from './lateness.ts';
export type { DirectionCounters } from './path-emulator.ts';
export { formatPath, PATH_KEYS, type PathSettings, PathSpecError, parsePath } from './path-spec.ts';
export { type HostAndPort, type Relay, type RelayCounters, type RelayOptions, startRelay } from './relay.ts';
